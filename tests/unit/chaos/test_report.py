"""A run's section of docs/reliability.md: a line for each fault, or for each kind of fault after a long one."""

import pytest

from tests.chaos.report import LONG, SHORT, Report
from tests.chaos.runner import Struck

PAGE = "".join(f"before\n<!-- {name}: written by chaos -->\nold\n<!-- end -->\n" for name in (SHORT, LONG)) + "after\n"
KILLED = Struck(name="api-killed", began=1, lasted=0.5, recovered=2.0, note="api-1", unknown=3)
STOPPED = Struck(name="broker-stopped", began=4, lasted=30.0, recovered=1.0, note="30 s")
AGAIN = Struck(name="api-killed", began=40, lasted=0.2, recovered=4.0, note="api-2", unknown=1_000)
NEVER = Struck(name="broker-stopped", began=50, lasted=30.0, recovered=None, note="30 s")


@pytest.fixture
def page(tmp_path):
    path = tmp_path / "page.md"
    path.write_text(PAGE, encoding="utf-8")
    return path


def written(path, *struck, seconds=180.0):
    report = Report(
        command="./dev chaos", seed=7, seconds=seconds, machine={}, figures={"lost": 0}, struck=struck, violations=[]
    )
    report.write(path)
    text = path.read_text(encoding="utf-8")
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    short, _, long = text.partition("<!-- end -->")
    return short, long


def test_a_short_run_has_a_line_for_each_fault_in_its_order(page):
    short, long = written(page, KILLED, STOPPED)
    assert "| api-killed | 1 s | 0.5 s | 2.0 s | 3 | api-1 |\n| broker-stopped | 4 s |" in short
    assert "No violation." in short
    assert "\nold\n" in long


def test_a_long_run_has_a_line_for_each_kind(page):
    short, long = written(page, STOPPED, KILLED, AGAIN, NEVER, seconds=3_600.0)
    assert "\nold\n" in short
    assert (
        "| api-killed | 2 | 0.5 s | 3.0 s | 4.0 s | 1,003 |\n| broker-stopped | 2 | 30.0 s | never | never | 0 |"
        in long
    )


def test_a_page_without_the_section_is_refused(tmp_path):
    path = tmp_path / "page.md"
    path.write_text("nothing\n", encoding="utf-8")
    with pytest.raises(ValueError, match="no section for the last run"):
        written(path, KILLED)
