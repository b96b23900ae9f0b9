"""Licences and entitlements as they are read: complete, in order, by tenant, with every reason and the place in it."""

import pytest

from domain.entitlements import State
from infra.postgres.reads import entitlements, licenses, pages
from infra.postgres.reads.entitlements import FIRST_PLACE, EntitlementFilter, UnknownKeyError
from infra.postgres.reads.licenses import LicenseFilter
from tests.support.directory import add_groups, add_people
from tests.support.entitlements import (
    OPERATION,
    add_address,
    add_grant,
    add_holders,
    add_licenses,
    add_source,
)


async def all_licenses(database, tenant_id, *, limit=3, **wanted):
    found, after = [], 0
    while True:
        page = await licenses.page_of_licenses(
            database, tenant_id, wanted=LicenseFilter(**wanted), after=after, limit=limit
        )
        found += [row.key for row in page.items]
        if page.next is None:
            return found
        (after,) = page.next


async def everything(database, tenant_id, *, limit=3, **wanted):
    found, after = [], FIRST_PLACE
    while True:
        page = await entitlements.page_of_entitlements(
            database, tenant_id, wanted=EntitlementFilter(**wanted), after=after, limit=limit
        )
        assert len(page.items) <= limit
        found += page.items
        if page.next is None:
            return found
        after = page.next


def names(rows):
    return [(row.license.key, row.user.key if row.user else row.email) for row in rows]


async def test_licences_are_listed_filtered_and_found_by_key(database, sql, tenant, stranger):
    await add_licenses(sql, tenant.id, 10)
    await add_licenses(sql, stranger.id, 1)
    assert await all_licenses(database, tenant.id) == [f"l{n}" for n in range(1, 11)]
    assert await all_licenses(database, tenant.id, kind="bundle") == ["l1", "l3", "l5", "l7", "l9"]
    assert await all_licenses(database, tenant.id, active=False) == ["l5", "l10"]
    assert await all_licenses(database, tenant.id, code="CODE3", kind="bundle") == ["l3"]
    assert await all_licenses(database, tenant.id, program_key="program-4") == ["l4"]
    assert await all_licenses(database, tenant.id, name="License 7") == ["l7"]
    row = await licenses.find_license(database, tenant.id, "l3")
    assert (row.name, row.kind, row.code, row.capacity, row.program_key) == (
        "License 3", "bundle", "CODE3", None, None,
    )  # fmt: skip
    assert await licenses.find_license(database, stranger.id, "l3") is None


@pytest.fixture
async def company(database, sql, tenant):
    """l1 is held by u1 to u4 through g1, of whom u2 has it directly as well; u5 to u7 and an address wait."""
    await add_people(sql, tenant.id, 8)
    await add_groups(sql, tenant.id, 3)
    await add_licenses(sql, tenant.id, 4)
    grant = await add_grant(sql, tenant.id, "g1", "l1")
    await add_holders(sql, tenant.id, "l1", 1, 4, grant_id=grant)
    await add_source(sql, tenant.id, "l1", "u2", 0)
    await add_holders(sql, tenant.id, "l1", 5, 6, state=State.QUEUED, seq=20, grant_id=grant)
    await add_address(sql, tenant.id, "l1", "New@b.org", state=State.QUEUED, seq=20)
    await add_address(sql, tenant.id, "l1", "older@b.org", state=State.QUEUED, seq=20)
    await add_holders(sql, tenant.id, "l1", 7, 7, state=State.QUEUED, seq=10)
    await add_holders(sql, tenant.id, "l1", 8, 8, state=State.SUSPENDED)
    other = await add_grant(sql, tenant.id, "g2", "l2")
    await add_holders(sql, tenant.id, "l2", 1, 2, state=State.BLOCKED, grant_id=other)
    mine = await add_grant(sql, tenant.id, "g1", "l2")
    await add_source(sql, tenant.id, "l2", "u2", mine)
    await add_holders(sql, tenant.id, "l3", 1, 1, state=State.PARKED)
    return tenant


OF_L1 = [("l1", name) for name in ("u1", "u2", "u3", "u4", "u5", "u6", "New@b.org", "older@b.org", "u7", "u8")]
OF_L2 = [("l2", "u1"), ("l2", "u2")]
WAITING_FOR_L1 = OF_L1[4:9]

FILTERS = [
    ({}, [*OF_L1, *OF_L2, ("l3", "u1")]),
    ({"license": "l1"}, OF_L1),
    ({"license": "l4"}, []),
    ({"user": "u1"}, [("l1", "u1"), ("l2", "u1"), ("l3", "u1")]),
    ({"user": "u1", "license": "l2"}, [("l2", "u1")]),
    ({"user": "u1", "state": "waiting"}, [("l2", "u1"), ("l3", "u1")]),
    ({"group": "g1"}, [*OF_L1[:6], ("l2", "u2")]),
    ({"group": "g1", "license": "l2"}, [("l2", "u2")]),
    ({"group": "g1", "user": "u2"}, [("l1", "u2"), ("l2", "u2")]),
    ({"group": "g1", "state": "waiting"}, [("l1", "u5"), ("l1", "u6"), ("l2", "u2")]),
    ({"group": "g3"}, []),
    ({"state": "active"}, OF_L1[:4]),
    ({"state": "waiting"}, [*WAITING_FOR_L1, *OF_L2, ("l3", "u1")]),
    ({"state": "waiting", "license": "l1"}, WAITING_FOR_L1),
    ({"state": "suspended"}, [("l1", "u8")]),
    ({"state": "suspended", "license": "l2"}, []),
    ({"state": "active", "license": "l1", "user": "u2", "group": "g1"}, [("l1", "u2")]),
]


@pytest.mark.parametrize(("wanted", "found"), FILTERS, ids=[str(wanted) for wanted, _ in FILTERS])
async def test_entitlements_are_listed_by_whatever_is_asked(database, company, stranger, wanted, found):
    for limit in (1, 2, 100):
        assert names(await everything(database, company.id, limit=limit, **wanted)) == found
    if wanted.keys() <= {"state"}:
        assert await everything(database, stranger.id, **wanted) == []


async def test_every_source_is_told_direct_first(database, company):
    (row,) = await everything(database, company.id, user="u2", license="l1")
    assert [source.group and source.group.key for source in row.reasons] == [None, "g1"]
    assert {source.operation_id for source in row.reasons} == {OPERATION}
    (row,) = await everything(database, company.id, user="u2", license="l2")
    assert [source.group.key for source in row.reasons] == ["g2", "g1"]


async def test_the_waiting_list_is_by_operation_then_person_then_addresses(database, company):
    rows = await everything(database, company.id, limit=100, license="l1", state="waiting")
    assert {row.user.key if row.user else row.email: row.position for row in rows} == {
        "u7": 1, "u5": 2, "u6": 3, "New@b.org": 4, "older@b.org": 5,
    }  # fmt: skip
    for limit in (1, 2):
        assert await everything(database, company.id, limit=limit, license="l1", state="waiting") == rows
    assert {row.position for row in await everything(database, company.id, license="l2")} == {None}


async def test_what_everybody_waits_for_is_told(database, sql, company):
    async def waits(**wanted):
        (row,) = await everything(database, company.id, **wanted)
        return row.waiting_for

    assert await waits(user="u5", license="l1") == "seat"
    assert await waits(user="u1", license="l2") == "quota"
    assert await waits(user="u1", license="l3") == "user"
    assert await waits(user="u1", license="l1") is None
    await sql.execute("UPDATE license SET expires_at = now() - interval '1 second' WHERE key = 'l1'")
    assert await waits(user="u5", license="l1") == "license"
    await sql.execute("UPDATE license SET expires_at = now() + interval '1 hour', active = false WHERE key = 'l1'")
    assert await waits(user="u5", license="l1") == "license"


async def test_beyond_what_is_counted_it_is_told_how_many_stand_before(database, company, monkeypatch):
    monkeypatch.setattr(entitlements, "COUNTED", 3)
    rows = await everything(database, company.id, limit=100, license="l1", state="waiting")
    assert {(row.position, row.position_beyond) for row in rows} == {(1, None), (2, None), (3, None), (None, 3)}
    assert [row.document.get("position_beyond") for row in rows if row.position is None] == [3, 3]
    assert {row.position_beyond for row in await everything(database, company.id, license="l2")} == {None}


async def test_a_filter_that_fits_few_goes_on_over_empty_pages(database, company, monkeypatch):
    monkeypatch.setattr(pages, "WINDOW", 2)
    assert names(await everything(database, company.id, group="g1", state="waiting")) == [
        ("l1", "u5"), ("l1", "u6"), ("l2", "u2"),
    ]  # fmt: skip
    assert names(await everything(database, company.id, state="active")) == OF_L1[:4]
    assert names(await everything(database, company.id, user="u1", group="g1")) == [("l1", "u1")]


async def test_what_is_being_taken_away_shows_until_it_is_gone(database, sql, company):
    await sql.execute("UPDATE group_license SET removed_at = now() WHERE license_id = (SELECT min(id) FROM license)")
    assert names(await everything(database, company.id, group="g1")) == [("l2", "u2")]
    (row,) = await everything(database, company.id, user="u1", license="l1")
    assert [source.group.key for source in row.reasons] == ["g1"]
    deleted = await sql.fetchval("DELETE FROM user_group WHERE key = 'g1' RETURNING id")
    await sql.execute(
        "INSERT INTO continuation (tenant_id, operation_id, operation_seq, kind, target_id, target_key)"
        " VALUES ($1, $2, 1, 'delete_group', $3, 'g1')",
        company.id, OPERATION, deleted,
    )  # fmt: skip
    (row,) = await everything(database, company.id, user="u1", license="l1")
    assert [source.group.key for source in row.reasons] == ["g1"]
    await sql.execute("DELETE FROM license WHERE key = 'l1'")
    assert names(await everything(database, company.id, user="u1")) == [("l2", "u1"), ("l3", "u1")]


async def test_the_seats_of_an_address_are_found_without_case(database, company, stranger):
    for email, found in (("NEW@b.org", [("l1", "New@b.org")]), ("other@b.org", [])):
        page = await entitlements.page_of_address(database, company.id, email=email, after=FIRST_PLACE, limit=1)
        assert (names(page.items), page.next) == (found, None)
    elsewhere = await entitlements.page_of_address(database, stranger.id, email="new@b.org", after=FIRST_PLACE, limit=1)
    assert elsewhere.items == []


async def test_unknown_names_are_errors_of_their_own(database, company, stranger):
    for name, key in (("user", "nobody"), ("license", "nothing"), ("group", "nowhere")):
        with pytest.raises(UnknownKeyError) as unknown:
            await everything(database, company.id, **{name: key})
        assert unknown.value.named == name
    for wanted in ({"user": "u1"}, {"license": "l1"}, {"group": "g1"}):
        with pytest.raises(UnknownKeyError):
            await everything(database, stranger.id, **wanted)
