"""Numbers, ages and texts as people read them."""

from datetime import UTC, datetime

import pytest

from api.console import wording

NOW = datetime(2025, 11, 21, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "—"), (0, "0 s"), (0.0002, "0 s"), (0.02, "20 ms"), (0.42, "0.4 s"), (42, "42 s"),
     (119.6, "120 s"), (121, "2 min"), (3600, "1 h"), (19_200, "5 h 20 min"), (86_400, "1 d"),
     (187_200, "2 d 4 h"), (-3, "0 s")],
)  # fmt: skip
def test_a_duration_is_in_the_unit_that_people_would_choose(value, text):
    assert wording.seconds(value) == text


@pytest.mark.parametrize(("value", "text"), [(None, "—"), (3.41, "3.4 ms"), (120.2, "120 ms"), (2100, "2.1 s")])
def test_a_short_duration_too(value, text):
    assert wording.milliseconds(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(None, "—"), (0, "0"), (3.25, "3.2"), (1234567, "1,234,567"), (12.6, "13")]
)
def test_numbers_are_grouped(value, text):
    assert wording.number(value) == text


@pytest.mark.parametrize(("value", "text"), [(None, "—"), (0, "0 %"), (0.999, "99 %"), (1, "100 %"), (1.2, "120 %")])
def test_what_is_not_quite_all_never_reads_as_all(value, text):
    assert wording.percent(value) == text


def test_instants_are_told_in_utc():
    assert wording.instant("2025-11-21T04:52:06.5+01:00") == "2025-11-21 04:52:06"
    assert wording.instant("2025-11-21T03:52:06Z") == "2025-11-21 03:52:06"
    assert wording.clock("2025-11-21T03:52:06Z") == "03:52:06"
    assert (wording.instant(None), wording.clock(None)) == ("—", "—")


def test_ages_are_told_from_now():
    assert wording.ago("2025-11-21T11:59:30Z", NOW) == "30 s ago"
    assert wording.ago("2025-11-21T12:05:00Z", NOW) == "in 5 min"
    assert wording.ago("2025-11-21T12:00:00.4Z", NOW) == "0 s ago"
    assert wording.ago(None, NOW) == "—"
    assert wording.between("2025-11-21T11:59:30Z", "2025-11-21T11:59:32.1Z") == "2.1 s"
    assert wording.between("2025-11-21T11:59:30Z", None) == "—"


def test_nothing_hides_in_a_text():
    assert wording.visible("a\x00b\x1b[31m\u202ec\r\n") == "a␀b␛[31m<U+202E>c␍\n"
    assert wording.visible("שלום, мир") == "שלום, мир"
    assert wording.shortened("x" * 200 + "\nmore", 5) == "xxxxx…"
    assert wording.shortened("one\ntwo") == "one"
    assert wording.in_line({"a": "\u202e<b>"}) == '{"a": "<U+202E><b>"}'


def test_an_address_holds_whatever_it_is_given():
    odd = "../../etc/passwd?a=b&c#d"
    assert wording.address("/operations", tenant=odd, cursor=None, status="") == (
        "/console/operations?tenant=..%2F..%2Fetc%2Fpasswd%3Fa%3Db%26c%23d"
    )
    assert wording.address("/dead-letters/redrive", id=["a", "b"]) == "/console/dead-letters/redrive?id=a&id=b"
    assert wording.address("/x y") == "/console/x%20y"


def test_counts_have_their_nouns():
    assert (wording.things(1, "person", "people"), wording.things(0, "person", "people")) == ("1 person", "0 people")
    assert wording.things(1200, "tenant") == "1,200 tenants"


def test_a_share_stays_within_its_whole():
    assert [wording.share(*pair) for pair in ((1, 4), (9, 4), (0, 0), (-1, 4))] == [25.0, 100.0, 100.0, 0.0]
