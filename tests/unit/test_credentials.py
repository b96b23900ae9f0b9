"""Scopes, the limit on bad credentials, the batched lookup, and expiry as a person types it."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from api.credentials.limits import BadCredentials
from api.credentials.lookup import Lookup
from domain.scopes import ALIASES, OPERATOR_SCOPES, TENANT_SCOPES, granted, known_scopes
from workers.cli.expiry import parse_expiry

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_writing_implies_reading_and_nothing_else():
    assert granted(["groups:write"], operator=False) == {"groups:write", "groups:read"}
    assert granted(["groups:read"], operator=False) == {"groups:read"}
    assert granted(["tenants:admin"], operator=True) == {"tenants:admin"}


def test_an_alias_opens_what_it_stands_for():
    assert granted(["PM.License.Write"], operator=False) == {"licenses:write", "licenses:read"}
    assert granted(["PM.License.Read"], operator=False) == {"licenses:read"}


def test_scopes_of_the_other_kind_and_unknown_ones_open_nothing():
    assert granted([*OPERATOR_SCOPES, "everything", ""], operator=False) == frozenset()
    assert granted([*TENANT_SCOPES, *ALIASES, "everything"], operator=True) == frozenset()
    assert not known_scopes(operator=True) & known_scopes(operator=False)


class Clock:
    def __init__(self):
        self.now = 50.0

    def __call__(self):
        return self.now


def test_bad_credentials_are_bearable_up_to_the_limit_of_a_minute():
    clock = Clock()
    bad = BadCredentials(20, clock=clock)
    assert [bad.count("10.0.0.1") for _ in range(20)] == [None] * 20
    clock.now += 0.5
    assert bad.count("10.0.0.1") == 60
    assert bad.count("10.0.0.2") is None
    clock.now += 59.5
    assert bad.count("10.0.0.1") is None


def test_a_limit_of_zero_counts_nothing():
    bad = BadCredentials(0)
    assert {bad.count("10.0.0.1") for _ in range(1000)} == {None}


def test_an_ipv6_subscriber_is_one_address_and_other_names_are_themselves():
    bad = BadCredentials(1, clock=Clock())
    assert bad.count("2001:db8::1") is None
    assert bad.count("2001:db8::2") is not None
    assert bad.count("2001:db8:0:1::1") is None
    assert bad.count("testclient") is None
    assert bad.count("testclient") is not None


def test_a_flood_of_addresses_is_forgotten_oldest_first():
    bad = BadCredentials(1, clock=Clock())
    bad.count("first")
    for n in range(10_000):
        bad.count(f"flood-{n}")
    assert bad.count("first") is None
    assert bad.count("flood-9999") is not None


class Reader:
    """Answers `{key: key.upper()}` when it is let go."""

    def __init__(self):
        self.asked = []
        self.begun = asyncio.Event()
        self.go = asyncio.Event()
        self.error = None

    async def __call__(self, keys):
        self.asked.append(sorted(keys))
        self.begun.set()
        await self.go.wait()
        if self.error:
            raise self.error
        return {key: key.upper() for key in keys if key != "nobody"}


async def test_what_is_asked_while_a_statement_runs_shares_the_next_one():
    reader = Reader()
    lookup = Lookup(reader)
    first = asyncio.create_task(lookup.find("a"))
    await reader.begun.wait()
    later = [asyncio.create_task(lookup.find(key)) for key in ("b", "c", "c", "a", "nobody")]
    reader.go.set()
    assert await first == "A"
    assert await asyncio.gather(*later) == ["B", "C", "C", "A", None]
    assert reader.asked == [["a"], ["a", "b", "c", "nobody"]]


async def test_a_caller_that_goes_away_does_not_take_the_answer_from_others():
    reader = Reader()
    lookup = Lookup(reader)
    leaving, staying = (asyncio.create_task(lookup.find("a")) for _ in range(2))
    await reader.begun.wait()
    leaving.cancel()
    reader.go.set()
    assert await staying == "A"


async def test_an_error_reaches_everyone_who_asked_and_nobody_later():
    reader = Reader()
    reader.error = ConnectionRefusedError("down")
    reader.go.set()
    lookup = Lookup(reader)
    results = await asyncio.gather(lookup.find("a"), lookup.find("b"), return_exceptions=True)
    assert [type(result) for result in results] == [ConnectionRefusedError] * 2
    reader.error = None
    assert await lookup.find("a") == "A"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("30d", NOW + timedelta(days=30)),
        ("12h", NOW + timedelta(hours=12)),
        ("1d12h", NOW + timedelta(hours=36)),
        ("90s", NOW + timedelta(seconds=90)),
        ("5m", NOW + timedelta(minutes=5)),
        ("2w", NOW + timedelta(weeks=2)),
        ("P30D", NOW + timedelta(days=30)),
        ("PT12H", NOW + timedelta(hours=12)),
        ("p1dt1h", NOW + timedelta(hours=25)),
        ("2027-01-31", datetime(2027, 1, 31, tzinfo=UTC)),
        ("2027-01-31T12:00:00Z", datetime(2027, 1, 31, 12, tzinfo=UTC)),
        ("2027-01-31T12:00:00+02:00", datetime(2027, 1, 31, 10, tzinfo=UTC)),
        ("2027-01-31T12:00:00", datetime(2027, 1, 31, 12, tzinfo=UTC)),
    ],
)
def test_an_expiry_is_an_instant_or_a_duration(text, expected):
    assert parse_expiry(text, now=NOW) == expected


@pytest.mark.parametrize(
    "text", ["", "P", "PT", "d", "soon", "30", "-1d", "1.5d", "30x", "99999999999d", "9999-12-31T23:59:59-23:59"]
)
def test_what_is_no_expiry_is_refused(text):
    with pytest.raises(ValueError, match=r"neither|too far"):
        parse_expiry(text, now=NOW)
