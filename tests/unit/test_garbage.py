"""Python's garbage collector in a process that serves: in processes of their own, whose collectors nobody else has."""

import subprocess
import sys

_BEFORE = """
import gc
from infra import garbage
class Ring:
    def __init__(self):
        self.itself = self
"""
_KEPT = """
kept = Ring()
garbage.look_rarely()
print(gc.get_freeze_count() > 0, gc.get_threshold()[0] > 700, any(one is kept for one in gc.get_objects()))
"""
_LATER = """
garbage.look_rarely()
for _ in range(100_000):
    Ring()
print(sum(type(one) is Ring for one in gc.get_objects()))
"""


def printed(lines):
    return subprocess.run([sys.executable, "-c", _BEFORE + lines], capture_output=True, text=True, check=True).stdout


def test_what_was_made_before_is_not_looked_at_again_and_the_rest_only_now_and_then():
    assert printed(_KEPT).split() == ["True", "True", "False"]


def test_what_is_made_later_is_still_collected_by_itself():
    assert int(printed(_LATER)) < 30_000
