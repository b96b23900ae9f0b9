"""The wall clock of the service's processes jumps: past every retention, back behind what has been, and right again.

One rule: it is the processes' own clock that jumps (see tests/chaos/process.py). That of the machine would take
Postgres and RabbitMQ along, and whatever else runs on it.
"""

import asyncio
import signal

from tests.chaos.fleet import WORKERS
from tests.chaos.process import JUMPS
from tests.chaos.scene import Scene

_BETWEEN_SECONDS = 1.5


async def jumps(scene: Scene) -> str:
    """Some processes' clocks jump, others' do not; a worker whose clock is wrong is also started anew under it."""
    members = list(scene.fleet.members.values())
    anew = scene.fleet.members[scene.rng.choice(WORKERS)]
    await scene.fleet.restart(anew, chaos_clock=str(JUMPS[0]))
    struck = scene.rng.sample(members, scene.rng.randint(2, len(members)))
    for _ in JUMPS:
        for member in struck:
            if member.child is not None and not member.child.has_ended():
                member.child.send(signal.SIGUSR1)
        await asyncio.sleep(_BETWEEN_SECONDS)
    await scene.fleet.restart(anew)
    shown = ", ".join(f"{offset / 3600:+g} h" for offset in JUMPS)
    return f"{shown} in {len(struck)} of {len(members)} processes, {anew.name} started under the first"
