"""A failpoint kills the process at its place, the k-th time, and does nothing anywhere else."""

import os
import signal

import pytest

from infra.failpoints import Failpoint, reached


@pytest.fixture
def deaths(monkeypatch):
    sent = []
    monkeypatch.setattr(os, "kill", lambda pid, number: sent.append((pid, number)))
    return sent


def test_an_armed_point_kills_the_process_the_kth_time(deaths):
    reach = reached("relay-after-publish:3")
    for point in (Failpoint.RELAY_AFTER_PUBLISH, Failpoint.RELAY_AFTER_MARK, Failpoint.RELAY_AFTER_PUBLISH):
        reach(point)
    assert deaths == []
    reach(Failpoint.RELAY_AFTER_PUBLISH)
    assert deaths == [(os.getpid(), signal.SIGKILL)]


@pytest.mark.parametrize("text", [None, ""])
def test_without_one_every_point_is_passed(deaths, text):
    reach = reached(text)
    for point in Failpoint:
        reach(point)
    assert deaths == []
