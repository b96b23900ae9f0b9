"""The collector of a process that serves."""

import gc
import subprocess
import sys

import pytest

from infra import collector


@pytest.fixture
def as_it_was():
    thresholds = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*thresholds)


class Ring:
    def __init__(self):
        self.itself = self


@pytest.mark.usefixtures("as_it_was")
def test_what_was_made_before_is_not_looked_at_again_and_the_rest_only_now_and_then():
    kept = Ring()
    collector.settle()
    assert gc.get_freeze_count() > 0
    assert gc.get_threshold()[0] > 700
    assert not any(one is kept for one in gc.get_objects())


_RINGS = """
import gc
from infra import collector
collector.settle()
class Ring:
    def __init__(self):
        self.itself = self
for _ in range(100_000):
    Ring()
print(sum(type(one) is Ring for one in gc.get_objects()))
"""


def test_what_is_made_later_is_still_collected_by_itself():
    left = subprocess.run([sys.executable, "-c", _RINGS], capture_output=True, text=True, check=True).stdout
    assert int(left) < 30_000
