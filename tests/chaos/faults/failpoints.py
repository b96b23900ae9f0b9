"""Processes that die at exactly one place: before or after a commit, an ack, a publish or a mark.

One rule: a fault is over when somebody has died at each of its places, the k-th time that they came there.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence

from infra.failpoints import Failpoint
from infra.local.running import Child
from tests.chaos.faults.processes import relay_leader
from tests.chaos.fleet import APIS, WORKERS
from tests.chaos.scene import Scene

_MOST_TIMES, _MOST_CHUNKS = 5, 2
_DEATH_SECONDS = 40.0
_GLANCE = 0.1


def around(family: str) -> Callable[[Scene], Awaitable[str]]:
    """The fault of dying at the places of this family, each in a process of its own, at the same time."""
    points = [point for point in Failpoint if point.startswith(f"{family}-")]
    most = _MOST_CHUNKS if family == "chunk" else _MOST_TIMES

    async def strike(scene: Scene) -> str:
        able = list(APIS if family == "accept" else WORKERS)
        scene.rng.shuffle(able)
        armed = [
            (scene.fleet.members[name], points[place % len(points)], scene.rng.randint(1, most))
            for place, name in enumerate(able)
        ]
        restarted = await asyncio.gather(
            *(
                scene.fleet.restart(member, failpoint=f"{point}:{times}", allow_failpoints="yes")
                for member, point, times in armed
            )
        )
        children = [(point, one.child) for (_, point, _), one in zip(armed, restarted, strict=True)]
        await _deaths(scene, family, points, children)
        await asyncio.gather(*(scene.fleet.restart(member) for member, _, _ in armed if member.is_armed))
        return ", ".join(f"{member.name} at {point}:{times}" for member, point, times in armed)

    return strike


async def _deaths(
    scene: Scene, family: str, points: Sequence[Failpoint], children: Sequence[tuple[Failpoint, Child]]
) -> None:
    """Wait until somebody has died at each place.

    Raises:
        TimeoutError: nobody has come to one of them.
    """
    deadline = time.monotonic() + _DEATH_SECONDS
    while left := set(points) - {point for point, child in children if child.has_ended()}:
        if time.monotonic() > deadline:
            raise TimeoutError(f"nobody came to {', '.join(left)}")
        if family == "relay":
            await _let_another_lead(scene)
        elif family == "chunk":
            await scene.change_crowd()
        await asyncio.sleep(_GLANCE)


async def _let_another_lead(scene: Scene) -> None:
    """The leader alone comes to the relay's places: one that is not armed must go."""
    leader = await relay_leader(scene)
    if leader is not None and not leader.is_armed:
        scene.fleet.kill(leader)
