"""Processes that die at exactly one place: before or after a commit, an ack, a publish or a mark."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping

from infra.failpoints import Failpoint
from infra.local.running import Child
from tests.chaos.fleet import APIS, WORKERS, Member
from tests.chaos.scene import Scene

_MOST_TIMES, _MOST_CHUNKS = 6, 2
_DEATH_SECONDS, _FURTHER_SECONDS = 30.0, 3.0
_GLANCE = 0.05


def at(point: Failpoint) -> Callable[[Scene], Awaitable[str]]:
    """The fault of dying at this point, the k-th time that a process comes to it."""
    # One worker leads the relay and whichever holds the tenant takes its chunk: all are armed, and the first dies.
    is_of_few = point.startswith(("relay", "chunk"))
    most = _MOST_CHUNKS if point.startswith("chunk") else _MOST_TIMES

    async def strike(scene: Scene) -> str:
        times = scene.rng.randint(1, most)
        able = [scene.fleet.members[name] for name in (APIS if point.startswith("accept") else WORKERS)]
        armed = able if is_of_few else [scene.rng.choice(able)]
        died = await _deaths(await _arm(scene, armed, f"{point}:{times}"))
        await asyncio.gather(*(scene.fleet.restart(member) for member in armed if member.is_armed))
        return f"{', '.join(died)} died there, the {_ordinal(times)} time"

    return strike


async def _arm(scene: Scene, members: list[Member], text: str) -> dict[str, Child]:
    """Replace these processes by ones that die at the point."""
    restarted = await asyncio.gather(
        *(scene.fleet.restart(member, failpoint=text, allow_failpoints="yes") for member in members)
    )
    return {member.name: one.child for member, one in zip(members, restarted, strict=True)}


async def _deaths(children: Mapping[str, Child]) -> list[str]:
    """Wait until one of them has died of it, and a little longer: whoever takes its place comes to the point as well.

    Raises:
        TimeoutError: none has come to the point.
    """
    async with asyncio.timeout(_DEATH_SECONDS):
        while not any(child.has_ended() for child in children.values()):  # noqa: ASYNC110 - other processes
            await asyncio.sleep(_GLANCE)
    until = time.monotonic() + _FURTHER_SECONDS
    while time.monotonic() < until and not all(c.has_ended() for c in children.values()):  # noqa: ASYNC110 - as above
        await asyncio.sleep(_GLANCE)
    return [name for name, child in children.items() if child.has_ended()]


def _ordinal(times: int) -> str:
    return {1: "first", 2: "second", 3: "third"}.get(times, f"{times}th")
