"""The benchmark's own arithmetic: what it prints must be what it measured."""

import json
import resource
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from infra.local import databases
from infra.settings import Settings
from tests.benchmarks import idle, pictures, report, server
from tests.benchmarks.arithmetic import arrivals, hourly_growth, percentile
from tests.benchmarks.broker_rates import sample
from tests.benchmarks.endurance import settled
from tests.benchmarks.figures import Sheet, at_least, shown, under
from tests.benchmarks.generator import answer_length
from tests.benchmarks.load import SCENARIOS
from tests.benchmarks.pictures import Bar
from tests.benchmarks.workload import PAIRS, Load, messages, pair, refused

HUNDRED = [float(number) for number in range(100)]
MACHINE = {"processor": "two cores"}
A_BATCH = Load(first=0, requests=3, items=100, callers=1, warm_up=1)


def test_a_figure_is_the_median_of_its_runs_with_its_spread_and_goal():
    sheet = Sheet("speed")
    for run in (9_000.0, 12_000.0, 11_000.0):
        sheet.note("batches", run, "items/s", at_least(10_000))
    (figure,) = sheet.figures()
    assert figure.row() == ("batches", "11,000 items/s", "9,000 to 12,000", "3", "at least 10,000: met")
    assert figure.document()["runs"] == [9_000.0, 12_000.0, 11_000.0]


def test_a_goal_that_is_measured_in_each_run_is_the_median_of_them():
    sheet, whole = Sheet("speed"), Sheet("speed")
    for alone, busy in ((10.0, 28.0), (9.0, 29.0), (8.0, 20.0)):
        sheet.note("busy", busy, "ms", under(3 * alone))
    whole.take(sheet)
    for (figure,) in (sheet.figures(), whole.figures()):
        assert figure.row()[-1] == "under 27: missed"


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


def test_a_picture_is_made_of_the_rows_of_its_table(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(
        "<!-- speed: written by the benchmark -->\n<!-- end -->\n"
        "<!-- none: written by the benchmark -->\n<!-- end -->\n"
    )
    sheet = Sheet("speed")
    for run in (9_000.0, 12_000.0, 11_000.0):
        sheet.note("batches", run, "items/s", at_least(10_000))
    sheet.note("one call", 8.75, "ms")
    sheet.note("  that is, of another", 1.25, "", under(1.2))
    sheet.note("the fence", -2.36, "ms")
    sheet.note("cores used meanwhile by other programs", 0.0, "cores")
    report.write(MACHINE, sheet.figures(), path=page)
    assert pictures.link("speed") in page.read_text()
    [(section, [rates, times, ratios])] = pictures.pictures(page.read_text())
    assert (section, rates.unit, times.unit, ratios.unit) == ("speed", "items/s", "ms", "times")
    assert rates.bars == (Bar(name="batches", median=11_000, low=9_000, high=12_000, goal=10_000, verdict="met"),)
    assert [(bar.name, bar.median, bar.low, bar.high, bar.goal) for bar in times.bars] == [
        ("one call", 8.75, 8.75, 8.75, None),
        ("the fence", -2.36, -2.36, -2.36, None),
    ]
    assert [(bar.goal, bar.verdict) for bar in ratios.bars] == [(1.2, "missed")]


def test_a_section_that_the_page_lacks_is_an_error(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("# Page\n")
    sheet = Sheet("speed")
    sheet.note("batches", 1.0, "items/s")
    with pytest.raises(ValueError, match="speed"):
        report.write(MACHINE, sheet.figures(), path=page)


def test_no_two_requests_give_the_same_assignment():
    assert len({pair(number, A_BATCH) for number in range(PAIRS)}) == PAIRS
    sent = sorted(
        (load.first, load.first + (load.warm_up + load.requests) * load.items)
        for load in (scenario.load for scenario in SCENARIOS.values())
    )
    assert all(end <= begin for (_, end), (begin, _) in pairwise(sent))
    assert sent[-1][1] <= PAIRS


def test_people_who_stand_far_apart_are_given_only_what_they_do_not_have():
    load = replace(A_BATCH, people=50, groups=100, stride=7, held=20)
    pairs = {pair(number, load) for number in range(50 * 80)}
    assert len(pairs) == 50 * 80
    assert {(int(group[1:]) - int(person[1:])) % 100 for group, person in pairs} == set(range(20, 100))
    assert [pair(number, load)[1] for number in range(3)] == ["p0000", "p0007", "p0014"]


def test_tenants_take_turns_and_each_is_given_the_same_pairs():
    load = Load(first=3, requests=5, items=1, callers=1, warm_up=1)
    requests = list(messages(load, host="127.0.0.1:1", tokens=["a", "b"]))
    sent = [
        (request.split(b"Bearer ")[1][:1], json.loads(request.split(b"\r\n\r\n")[1])["user_id"]) for request in requests
    ]
    assert sent == [
        (b"a", "p0003"),
        (b"b", "p0003"),
        (b"a", "p0004"),
        (b"b", "p0004"),
        (b"a", "p0005"),
        (b"b", "p0005"),
    ]


def test_a_request_says_how_long_it_is():
    requests = list(messages(A_BATCH, host="127.0.0.1:1", tokens=["t"]))
    assert len(requests) == 4
    for request in requests:
        head, _, body = request.partition(b"\r\n\r\n")
        assert f"Content-Length: {len(body)}".encode() in head
        assert len(json.loads(body)["items"]) == 100
        assert answer_length(request) == len(request)


def test_an_answer_whose_head_is_incomplete_has_no_length_yet():
    assert answer_length(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n") == 0


def test_every_item_that_was_not_created_counts_as_refused():
    answer = json.dumps({"items": [{"status": 201}] * 98 + [{"status": 404}] * 2}).encode()
    assert refused(A_BATCH, [(200, answer), (429, b"{}")]) == 102


@pytest.mark.parametrize(("percent", "value"), [(0, 0), (50, 50), (95, 95), (99, 99), (100, 99)])
def test_a_percentile_is_a_value_that_was_measured(percent, value):
    assert percentile(HUNDRED, percent) == value
    assert percentile([7.0], percent) == 7


def test_arrivals_come_at_a_fixed_rate_from_the_first_moment_on():
    assert arrivals(4, 1.5) == [0, 0.25, 0.5, 0.75, 1, 1.25]


def test_growth_is_told_by_the_hour_and_does_not_hang_on_the_first_or_the_last_sample():
    assert hourly_growth([(0, 100), (60, 101), (120, 102)]) == pytest.approx(60)
    assert hourly_growth([(0, 100), (60, 110), (120, 90), (180, 100)]) == pytest.approx(-120)
    assert hourly_growth([(0, 5), (60, 5)]) == 0


def test_growth_of_one_moment_is_an_error():
    with pytest.raises(ValueError, match="two moments"):
        hourly_growth([(1, 100)])


def test_what_a_process_took_in_the_first_third_is_no_growth():
    samples = [(float(second), 100.0 + min(second, 30)) for second in range(0, 91, 10)]
    assert hourly_growth(samples) > 100
    assert settled(samples)[0] == (30, 130)
    assert hourly_growth(settled(samples)) == 0


def test_what_the_machine_does_not_allow_is_said_before_anything_is_opened():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY:
        hard = 2**40
    with pytest.raises(RuntimeError, match="open files are needed"):
        idle.allow_files(hard + 1)


def test_a_message_of_the_limits_is_as_large_as_ours():
    one, hundred = len(sample(1).body), len(sample(100).body)
    assert 95 < hundred / one < 105


def test_a_server_is_met_behind_its_socket_with_the_database_and_the_password_it_had():
    url = server.over_socket("postgresql://seatline:secret@127.0.0.1:5433/seatline", Path("/srv/a folder"))
    assert url == "postgresql://seatline:secret@/seatline?host=/srv/a%20folder&port=5433"
    settings = Settings(database_url=url)
    assert settings.database_url.get_secret_value() == databases.with_database(url, "seatline")


def test_a_server_in_a_folder_too_deep_for_sockets_is_met_over_tcp():
    url = "postgresql://seatline:secret@127.0.0.1:5433/seatline"
    assert "host=" in server.over_socket(url, Path("/", "a" * 92))
    assert server.over_socket(url, Path("/", "a" * 93)) == url
