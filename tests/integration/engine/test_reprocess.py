"""Reprocessing a group: what a mistake has left out or left behind is put right, in chunks where it is much."""

import pytest

from domain.license_commands import ReprocessGroup
from infra.postgres.statements import compile_block
from infra.postgres.verify import VerifiedTenant
from tests.support.engine import Engine
from tests.support.license_state import continuations
from tests.support.running import apply, begin, giving, view_of
from tests.support.seats import grants_of, groups, join, people, pools_of, program, put, seats_of
from workers.recount import recount

NAMES = [f"p{n}" for n in range(7)]
# A mistake that no command makes: the sources of so many are gone, and with them their rows and counts.
LOSE = compile_block(
    "lose",
    """
WITH lost AS (
    DELETE FROM entitlement
     WHERE tenant_id = :tenant_id AND user_id IN (SELECT id FROM app_user WHERE key = ANY (CAST(:keys AS text[])))
    RETURNING id
), sources AS (
    DELETE FROM entitlement_source WHERE tenant_id = :tenant_id AND entitlement_id IN (SELECT id FROM lost)
), pool AS (
    UPDATE license SET used = used - (SELECT count(*) FROM lost) WHERE tenant_id = :tenant_id
)
UPDATE group_license
   SET assigned = assigned - (SELECT count(*) FROM lost), in_quota = in_quota - (SELECT count(*) FROM lost)
 WHERE tenant_id = :tenant_id
""",
)
# Another: these people are members of the group no more, and nothing has followed.
FORGET = compile_block(
    "forget",
    """
WITH people AS (
    SELECT id FROM app_user WHERE tenant_id = :tenant_id AND key = ANY (CAST(:keys AS text[]))
), members AS (
    DELETE FROM group_member WHERE tenant_id = :tenant_id AND user_id IN (SELECT id FROM people)
), roles AS (
    DELETE FROM group_assignment WHERE tenant_id = :tenant_id AND user_id IN (SELECT id FROM people)
)
UPDATE user_group
   SET user_count = user_count - (SELECT count(*) FROM people),
       assignment_count = assignment_count - (SELECT count(*) FROM people)
 WHERE tenant_id = :tenant_id AND key = 'g'
""",
)


@pytest.fixture
def engine(database):
    return Engine(database, rows=2)


@pytest.fixture
async def given(database, tenant, engine):
    """Seven people in a group that has given them its licence of seven seats."""
    await apply(engine, tenant, people(*NAMES), groups("g"), put(program("photo", 7)), join("g", *NAMES))
    await begin(engine, tenant, await giving(database, tenant, "g", "photo"))
    await engine.drain()


async def damage(database, tenant, statement, *keys):
    """Make the mistake."""
    async with database.transaction() as tx:
        await tx.execute(statement, tenant_id=tenant.id, keys=keys)


async def reprocessed(engine, tenant):
    """Reprocess to the end; the operation as it was after its own pass."""
    view = await begin(engine, tenant, ReprocessGroup(group="g"))
    while len(engine.lane):
        await engine.chunk()
    assert await continuations(engine.database, tenant.id) == []
    assert list((await recount(engine.database, VerifiedTenant(id=tenant.id, key=tenant.key))).findings) == []
    assert (await view_of(engine, tenant, view.id)).status.value == "succeeded"
    return view


def counts(view):
    """(members, given, taken)."""
    shown = view.response["items"][0]
    assert (shown["outcome"], shown["group"]["key"]) == ("reprocessed", "g")
    return shown["user_count"], shown["given"], shown["taken"]


async def test_a_group_that_is_as_it_should_be_stays_so(database, tenant, engine, given):
    before = await seats_of(database, tenant)
    view = await reprocessed(engine, tenant)
    assert (view.status.value, counts(view)) == ("succeeded", (7, 0, 0))
    assert await seats_of(database, tenant) == before


async def test_a_group_that_does_not_exist_is_refused(tenant, engine):
    [view] = await apply(engine, tenant, ReprocessGroup(group="g"))
    assert view.response["items"][0]["code"] == "USER_GROUP_DOES_NOT_EXIST"


async def test_members_who_lack_the_licence_get_it(database, tenant, engine, given):
    await damage(database, tenant, LOSE, "p1", "p4", "p6")
    view = await reprocessed(engine, tenant)
    assert (view.status.value, counts(view)) == ("running", (7, 3, 0))
    assert await grants_of(database, tenant) == {("g", "photo"): (7, 7, 0, 0)}


async def test_who_lacks_it_waits_where_seats_are_lacking(database, tenant, engine, given):
    await damage(database, tenant, LOSE, "p1", "p4", "p6")
    await apply(engine, tenant, put(program("photo", 5)))
    assert counts(await reprocessed(engine, tenant)) == (7, 3, 0)
    assert await pools_of(database, tenant) == {"photo": (5, 2, 2)}


async def test_people_who_are_no_members_lose_what_the_group_gave_them(database, tenant, engine, given):
    await damage(database, tenant, FORGET, "p0", "p3", "p5")
    view = await reprocessed(engine, tenant)
    assert (view.status.value, counts(view)) == ("running", (4, 0, 3))
    assert sorted(holder for _, holder in await seats_of(database, tenant)) == ["p1", "p2", "p4", "p6"]


async def test_what_is_still_going_on_is_left_alone(database, tenant, engine):
    await apply(engine, tenant, people(*NAMES), groups("g"), put(program("photo", 7)), join("g", *NAMES))
    await begin(engine, tenant, await giving(database, tenant, "g", "photo"))
    assert counts(await reprocessed(engine, tenant)) == (7, 0, 0)
    assert await pools_of(database, tenant) == {"photo": (7, 0, 0)}
