"""A worker's loops go on whatever happens in them, and end when they are told to."""

import asyncio

import pytest

from workers import supervisor
from workers.supervisor import Supervisor

PATIENCE = 60.0


@pytest.fixture(autouse=True)
def _without_a_pause(monkeypatch):
    monkeypatch.setattr(supervisor, "_PAUSE", 0.0)


class Loop:
    """Does what it is told each time it is started, then waits."""

    def __init__(self, *steps):
        self.steps = list(steps)
        self.waits = asyncio.Event()
        self.ended = asyncio.Event()

    async def run(self):
        if self.steps:
            self.steps.pop(0)()
            return
        self.waits.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.ended.set()


def fail():
    raise RuntimeError("as told")


def cancelled_by_nobody():
    raise asyncio.CancelledError


@pytest.mark.parametrize("step", [fail, cancelled_by_nobody, lambda: None])
async def test_a_loop_that_fails_is_cancelled_by_nobody_or_ends_is_started_again(step):
    loop, loops = Loop(step, step), Supervisor()
    loops.keep("a loop", loop.run)
    await asyncio.wait_for(loop.waits.wait(), PATIENCE)
    await loops.end("a loop")
    assert loop.ended.is_set()


async def test_the_end_of_one_loop_leaves_the_others():
    first, second, loops = Loop(), Loop(), Supervisor()
    loops.keep("first", first.run)
    loops.keep("second", second.run)
    for loop in (first, second):
        await asyncio.wait_for(loop.waits.wait(), PATIENCE)
    await loops.end("first")
    assert (first.ended.is_set(), second.ended.is_set()) == (True, False)
    await loops.end("first")
    await loops.end_all()
    assert second.ended.is_set()


async def test_a_loop_is_ended_while_it_pauses_after_a_failure(monkeypatch):
    monkeypatch.setattr(supervisor, "_PAUSE", 3_600.0)
    failed = asyncio.Event()

    async def fails():
        failed.set()
        raise RuntimeError("as told")

    loops = Supervisor()
    loops.keep("a loop", fails)
    await asyncio.wait_for(failed.wait(), PATIENCE)
    await asyncio.wait_for(loops.end_all(), PATIENCE)
