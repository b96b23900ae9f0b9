"""`verify --repair`: what is found is mended by operations in the tenant's log, and what cannot be is reported."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from domain.commands import RepairCounts
from domain.drift import Check
from domain.planning import Order
from infra.postgres.verify import VerifiedTenant
from infra.settings import Settings
from tests.support import rows
from tests.support.engine import Asked, events_of
from tests.support.rows import BREAKS, PEOPLE
from workers.cli.verify import repaired
from workers.handlers.repair import repair_counts
from workers.main import Worker
from workers.recount import recount


@pytest.fixture
async def filled(sql, tenant):
    return await rows.one_fulfilled_group(sql, tenant.id)


@pytest.fixture
async def worker(database_url):
    worker = Worker(Settings(database_url=database_url))
    await worker.start()
    yield worker
    await worker.stop()


@pytest.fixture
def mended(database, tenant, filled, worker):
    """Recount, repair, and recount again: what was found and what is left."""

    async def mend():
        one = VerifiedTenant(id=tenant.id, key=tenant.key)
        found = await recount(database, one)
        return found, await repaired(database, one, found)

    return mend


@pytest.mark.parametrize("statement", BREAKS)
async def test_whatever_can_be_mended_is(mended, sql, statement):
    await sql.execute(statement)
    found, left = await mended()
    beyond_mending = {Check.POOL_OVERSOLD, Check.GRANT_QUOTA} & set(found.found)
    assert set(left.found) <= {*beyond_mending, *({Check.POOL_COUNTS} if beyond_mending else ())}, left.findings
    assert left.repaired == found.drift - left.drift


async def test_without_drift_nothing_is_done(database, mended, tenant):
    found, left = await mended()
    assert (found.drift, left.repaired) == (0, 0)
    assert await events_of(database, tenant.id) == []


async def test_counts_that_change_are_told_in_the_tenants_log(database, engine, tenant, filled, sql):
    await sql.execute("UPDATE user_group SET user_count = 1 WHERE key = 'g1'")
    await sql.execute("UPDATE group_license SET assigned = 2")
    await sql.execute("UPDATE license SET used = 10")
    command = RepairCounts(groups=(filled.group_id,), grants=(filled.grant_id,), licenses=(filled.license_id,))
    [done] = await engine.run(Asked(tenant_id=tenant.id, command=command))
    assert done.response["items"] == [
        {"outcome": "repaired", "assignments": 0, "sources": 0, "entitlements": 0, "groups": 1, "group_licenses": 1,
         "licenses": 1, "errors": 0}
    ]  # fmt: skip
    events = await events_of(database, tenant.id)
    assert [event["type"] for event in events] == [
        "group.updated", "license.updated", "group_license.updated", "license.available", "operation.finished",
    ]  # fmt: skip
    assert [event["sequence"] for event in events] == list(range(1, len(events) + 1))
    by_type = {event["type"]: event["data"] for event in events}
    assert by_type["license.updated"]["counts"] == {"capacity": 10, "used": PEOPLE, "reserved": 0, "waiting": 0}
    assert by_type["group_license.updated"]["counts"]["assigned"] == PEOPLE
    assert by_type["group_license.updated"]["fulfilled"] is True


async def test_a_second_repair_finds_nothing_to_do(database, engine, tenant, filled, sql):
    await sql.execute("UPDATE license SET used = 1")
    asked = Asked(tenant_id=tenant.id, command=RepairCounts(licenses=(filled.license_id,)))
    await engine.run(asked)
    before = len(await events_of(database, tenant.id))
    [again] = await engine.run(asked)
    assert again.response["items"][0]["licenses"] == 0
    assert [event["type"] for event in (await events_of(database, tenant.id))[before:]] == ["operation.finished"]


async def test_an_entitlement_that_ends_by_repair_is_told_and_its_seat_is_free(database, engine, tenant, filled, sql):
    number = await sql.fetchval("SELECT min(id) FROM entitlement")
    await sql.execute("DELETE FROM entitlement_source WHERE entitlement_id = $1", number)
    await engine.run(Asked(tenant_id=tenant.id, command=RepairCounts(entitlements=(number,))))
    events = await events_of(database, tenant.id)
    revoked = next(event for event in events if event["type"] == "entitlement.revoked")
    assert (revoked["data"]["assignment_id"], revoked["data"]["state"]) == (number, "ended")
    assert await sql.fetchval("SELECT used FROM license") == PEOPLE - 1


async def test_nothing_is_ended_while_a_continuation_runs(database, tenant, filled, sql):
    await sql.execute("DELETE FROM entitlement_source")
    await sql.execute(
        "INSERT INTO continuation (tenant_id, operation_id, operation_seq, kind, target_id)"
        " VALUES ($1, gen_random_uuid(), 1, 'delete_role', 4711)",
        tenant.id,
    )
    numbers = tuple(row["id"] for row in await sql.fetch("SELECT id FROM entitlement"))
    order = Order(tenant_id=tenant.id, operation_id=uuid4(), seq=1, command=RepairCounts(entitlements=numbers))
    async with database.transaction() as tx:
        await repair_counts(tx, [order], datetime.now(UTC))
    assert await sql.fetchval("SELECT count(*) FROM entitlement") == PEOPLE
