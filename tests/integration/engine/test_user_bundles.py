"""People's direct bundles, replaced as a whole: all of a request or nothing, and what groups give stays."""

import pytest

from domain.license_commands import ReplaceUserBundles
from tests.support.seats import bundle, grant, groups, join, outcomes, people, pools_of, put, seats_of


def replace(*users, codes=()):
    return ReplaceUserBundles(users=users, codes=tuple(codes))


@pytest.fixture
async def account(engine, tenant):
    """Bundles IDU with two seats and PMD with one, and three people."""
    await outcomes(engine, tenant, people("ann", "ben", "cat"), put(bundle("i", "IDU", 2), bundle("p", "PMD", 1)))


async def test_direct_codes_are_replaced_and_inherited_ones_stay(engine, database, tenant, account):
    await outcomes(engine, tenant, groups("g"))
    await grant(database, tenant, "g", "p")
    await outcomes(engine, tenant, join("g", "ann"))
    first, second = await outcomes(
        engine, tenant, replace("ann", codes=["IDU", "PMD"]), replace("ann", "ben", codes=["IDU"])
    )
    assert first["demand"] == {
        "IDU": {"requested": 1, "available": 2, "would_wait": 0},
        "PMD": {"requested": 0, "available": 0, "would_wait": 0},
    }
    assert [user["key"] for user in second["users"]] == ["ann", "ben"]
    assert await seats_of(database, tenant) == {
        ("i", "ann"): ("active", ["direct"]),
        ("p", "ann"): ("active", ["g"]),
        ("i", "ben"): ("active", ["direct"]),
    }


async def test_too_few_seats_of_one_code_change_nothing(engine, database, tenant, account):
    (refused,) = await outcomes(engine, tenant, replace("ann", "ben", codes=["IDU", "PMD"]))
    assert refused["code"] == "QUANTITIES_EXCEEDED"
    assert refused["details"] == {"codes": {"PMD": {"requested": 2, "available": 1}}}
    assert await seats_of(database, tenant) == {}
    assert await pools_of(database, tenant) == {"i": (0, 0, 0), "p": (0, 0, 0)}


async def test_refusals_come_in_the_order_of_the_contract(engine, tenant, stranger, account):
    (empty,) = await outcomes(engine, stranger, replace("nobody", codes=["IDU"]))
    await outcomes(engine, tenant, people("idle", active=False))
    items = await outcomes(
        engine,
        tenant,
        replace("ann", "nobody", codes=["X"]),
        replace("ann", codes=["X"]),
        replace("ann", "idle", codes=["IDU"]),
        replace("ann", codes=["ACNU"]),
        replace("idle", codes=[]),
    )
    assert empty["code"] == "ACCOUNT_DOES_NOT_EXIST"
    assert [(item.get("code"), item.get("details")) for item in items] == [
        ("USER_DOES_NOT_EXIST", {"user": "nobody"}),
        ("UNKNOWN_BUNDLE_CODE", {"code": "X"}),
        ("USER_IS_NOT_ACTIVE", {"user": "idle"}),
        ("QUANTITIES_EXCEEDED", {"codes": {"ACNU": {"requested": 1, "available": 0}}}),
        (None, None),
    ]
