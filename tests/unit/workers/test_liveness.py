"""When a worker looks whether it is still registered, and what it makes of the answers."""

import asyncio
from contextlib import nullcontext

import pytest

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
        return 1

    async def take_back(*_args, **_options):
        return 0

    monkeypatch.setattr(liveness, "register_worker", register)
    monkeypatch.setattr(liveness, "take_back", take_back)
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
