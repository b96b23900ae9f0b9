"""How xdist gives tests to its processes here: whole units, the long ones first.

One rule: what a unit is, and which comes first, stands in `order.py`.
"""

from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

from tests.support.order import unit_of


class LongestFirst(LoadScopeScheduling):
    """Gives out units in the order of the tests; a process that has almost done its own takes the next."""

    def __init__(self, config: pytest.Config, log: Any) -> None:
        super().__init__(config, log)
        config.option.loadscopereorder = False  # by their numbers of tests, which say nothing of how long they take

    def _split_scope(self, nodeid: str) -> str:
        return unit_of(nodeid)
