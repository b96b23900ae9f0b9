"""How long a process was away from its loop, told by the loop's own clock."""

import asyncio

import pytest

from workers.pulse import Pulse


@pytest.fixture
async def clock(monkeypatch):
    """The loop's clock, which stands until it is moved."""
    now = [100.0]
    monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: now[0])

    def pass_by(seconds):
        now[0] += seconds

    return pass_by


async def test_the_longest_time_between_two_beats_is_remembered(clock):
    pulse = Pulse()
    pulse.begin()
    for seconds in (0.25, 4.0, 0.5):
        clock(seconds)
        pulse.beat()
    assert pulse.longest_absence == 4.0
    pulse.begin()
    assert pulse.longest_absence == 0.0


async def test_a_beat_that_is_overdue_counts_before_it_comes(clock):
    pulse = Pulse()
    pulse.begin()
    clock(5.0)
    assert pulse.longest_absence == 5.0


async def test_before_its_first_beat_nothing_was_missed(clock):
    pulse = Pulse()
    clock(5.0)
    assert pulse.longest_absence == 0.0


async def test_it_beats_while_it_is_asked_to_and_no_longer():
    pulse = Pulse()
    beats, beaten = [], asyncio.Event()

    def beat():
        beats.append(True)
        if len(beats) == 3:
            beaten.set()

    pulse.beat = beat
    async with pulse.beating(), asyncio.timeout(10):
        await beaten.wait()
    assert asyncio.all_tasks() == {asyncio.current_task()}
