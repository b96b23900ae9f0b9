"""When a worker looks whether it is still registered, and what it makes of the answers."""

import asyncio
from contextlib import nullcontext

import pytest

from infra.postgres.workers import Registered
from workers import liveness
from workers.liveness import Liveness
from workers.pulse import Pulse


class Quiet(Pulse):
    """A pulse that needs no task; counts how often it was begun anew."""

    def __init__(self):
        super().__init__()
        self.begun = 0

    def begin(self):
        self.begun += 1

    def beating(self):
        return Entered()


class Entered(nullcontext):
    """For `async with`."""

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        return None


class Offered:
    """A database that gives sessions nobody asks anything of."""

    async def session(self, **_settings):
        return None


@pytest.fixture
def worker(monkeypatch):
    async def register(_session, **_registration):
        return Registered(1, is_known=True)

    async def nothing(*_args, **_options):
        return 0

    monkeypatch.setattr(liveness, "register_worker", register)
    monkeypatch.setattr(liveness, "take_back", nothing)
    monkeypatch.setattr(liveness, "name_quickly", nothing)
    return Liveness(database=Offered(), name="a worker", version="test", pulse=Quiet())


async def test_what_is_lost_is_asked_for_again_at_once_and_then_less_and_less_often(worker, monkeypatch):
    answers, pauses = iter([True, False, False, False, False, False, True, False]), []

    async def ping():
        return next(answers)

    async def sleep(seconds):
        pauses.append(seconds)
        if len(pauses) == 8:
            raise asyncio.CancelledError

    monkeypatch.setattr(worker, "_ping", ping)
    monkeypatch.setattr(liveness.asyncio, "sleep", sleep)
    with pytest.raises(asyncio.CancelledError):
        await worker.run()
    assert pauses == [1.0, 0.1, 0.2, 0.4, 0.8, 1.0, 1.0, 0.1]


@pytest.mark.parametrize(("seconds", "begun"), [(0.5, 2), (1.5, 1)], ids=["a quick answer", "a late answer"])
async def test_an_answer_that_lay_there_while_the_process_was_away_wipes_nothing_out(
    worker, monkeypatch, seconds, begun
):
    """Registered with one beginning; the ping is the second."""
    now = [100.0]
    monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: now[0])

    async def see(*_args):
        now[0] += seconds
        return True

    monkeypatch.setattr(liveness, "see_worker", see)
    worker._session = None
    assert await worker._ping()
    assert worker._pulse.begun == begun


@pytest.mark.parametrize(
    ("is_known", "quickly"), [(True, [100, 120, 140]), (False, [100, 180])], ids=["a cut", "a crash"]
)
async def test_after_a_crash_of_the_server_names_are_waited_for_and_a_minute_later_no_more(
    worker, monkeypatch, is_known, quickly
):
    """A session waits for the disk until it is told not to: at once, or when a minute has passed.

    Also one that was lost in that minute, and registered anew.
    """
    now, told, answers = [100.0], [], iter([False, is_known, True])
    monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: now[0])

    async def register(_session, **_registration):
        return Registered(1, is_known=next(answers))

    async def see(*_args):
        return True

    async def name_quickly(_session):
        told.append(round(now[0]))

    monkeypatch.setattr(liveness, "register_worker", register)
    monkeypatch.setattr(liveness, "see_worker", see)
    monkeypatch.setattr(liveness, "name_quickly", name_quickly)
    for _ in range(3):
        assert await worker._ping()
        now[0] += 20.0
        worker._session = None
    worker._session = True
    assert await worker._ping()
    now[0] += 20.1
    assert await worker._ping()
    assert await worker._ping()
    assert told == quickly
