"""The benchmark's own arithmetic: what it prints must be what it measured."""

import json
from itertools import pairwise

import pytest

from tests.benchmarks import report
from tests.benchmarks.figures import Sheet, at_least, shown, under
from tests.benchmarks.generator import _length
from tests.benchmarks.load import SCENARIOS
from tests.benchmarks.workload import PAIRS, Load, messages, pair, refused

MACHINE = {"processor": "two cores"}
A_BATCH = Load(first=0, requests=3, items=100, callers=1, warm_up=1)


def test_a_figure_is_the_median_of_its_runs_with_its_spread_and_goal():
    sheet = Sheet("speed")
    for run in (9_000.0, 12_000.0, 11_000.0):
        sheet.note("batches", run, "items/s", at_least(10_000))
    (figure,) = sheet.figures()
    assert figure.row() == ("batches", "11,000 items/s", "9,000 to 12,000", "3", "at least 10,000: met")
    assert figure.document()["runs"] == [9_000.0, 12_000.0, 11_000.0]


@pytest.mark.parametrize(("value", "met"), [(14.9, True), (15.0, False), (20.0, False)])
def test_a_time_has_to_stay_under_its_goal(value, met):
    assert under(15).is_met_by(value) is met


@pytest.mark.parametrize(
    ("value", "text"), [(12_345.6, "12,346"), (100.4, "100"), (17, "17"), (17.26, "17.3"), (1.234, "1.23"), (0, "0")]
)
def test_a_number_shows_three_digits_that_mean_something(value, text):
    assert shown(value) == text


def test_new_figures_replace_their_section_of_the_page_and_nothing_else(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(
        "# Page\n\n<!-- speed: written by the benchmark -->\nold\n<!-- end -->\n\n"
        "<!-- size: written by the benchmark -->\nkept\n<!-- end -->\n"
    )
    sheet = Sheet("speed")
    sheet.note("batches", 1.0, "items/s")
    report.write(MACHINE, sheet.figures(), path=page)
    report.write(MACHINE, sheet.figures(), path=page)
    text = page.read_text()
    assert "old" not in text
    assert text.count("| batches | 1 items/s |") == 1
    assert "| processor | two cores |" in text
    assert text.endswith("<!-- size: written by the benchmark -->\nkept\n<!-- end -->\n")


def test_a_section_that_the_page_lacks_is_an_error(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("# Page\n")
    sheet = Sheet("speed")
    sheet.note("batches", 1.0, "items/s")
    with pytest.raises(ValueError, match="speed"):
        report.write(MACHINE, sheet.figures(), path=page)


def test_no_two_requests_give_the_same_assignment():
    assert len({pair(number) for number in range(PAIRS)}) == PAIRS
    sent = sorted(
        (load.first, load.first + (load.warm_up + load.requests) * load.items)
        for load in (scenario.load for scenario in SCENARIOS.values())
    )
    assert all(end <= begin for (_, end), (begin, _) in pairwise(sent))
    assert sent[-1][1] <= PAIRS


def test_a_request_says_how_long_it_is():
    requests = messages(A_BATCH, host="127.0.0.1:1", token="t")
    assert len(requests) == 4
    for request in requests:
        head, _, body = request.partition(b"\r\n\r\n")
        assert f"Content-Length: {len(body)}".encode() in head
        assert len(json.loads(body)["items"]) == 100
        assert _length(request) == len(request)


def test_an_answer_whose_head_is_incomplete_has_no_length_yet():
    assert _length(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n") == 0


def test_every_item_that_was_not_created_counts_as_refused():
    answer = json.dumps({"items": [{"status": 201}] * 98 + [{"status": 404}] * 2}).encode()
    assert refused(A_BATCH, [(200, answer), (429, b"{}")]) == 102
