"""The order of the suite: it names what there is, and whatever it does not name is there all the same."""

import pytest

from tests.support.order import APART, LONG, TOGETHER, place_of, unit_of
from tests.support.servers import ROOT


@pytest.mark.parametrize("start", sorted({*APART, *LONG, *TOGETHER}))
def test_what_the_order_names_is_there(start):
    path, _, name = start.partition("::")
    assert (ROOT / path).exists()
    assert not name or f"def {name}(" in (ROOT / path).read_text(encoding="utf-8")


def test_a_file_is_a_unit_unless_its_tests_share_more_or_stand_alone():
    assert unit_of("tests/unit/test_order.py::test_one[a::b]") == "tests/unit/test_order.py"
    assert unit_of("tests/browser/test_door.py::test_one") == unit_of("tests/browser/test_pages.py::test_two")
    assert unit_of("tests/faults/test_flow.py::test_one") != unit_of("tests/faults/test_flow.py::test_two")


def test_what_nobody_has_timed_comes_last():
    assert place_of("tests/browser/test_door.py::test_one") == 0
    assert place_of("tests/unit/test_order.py::test_one") == len(LONG)
