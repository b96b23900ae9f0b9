"""A recount finds every contradiction between counts and rows, and none where a continuation is on its way."""

from uuid import uuid4

import pytest

from domain.drift import Check
from infra.postgres import verify
from infra.postgres.database import Database
from infra.postgres.verify import VerifiedTenant
from tests.support import directory, rows
from tests.support.rows import BREAKS, PEOPLE
from workers.recount import recount


@pytest.fixture
async def filled(sql, tenant):
    return await rows.one_fulfilled_group(sql, tenant.id)


@pytest.fixture
def found(database, tenant):
    async def find():
        return await recount(database, VerifiedTenant(id=tenant.id, key=tenant.key))

    return find


async def continuation(sql, filled, kind, *, target=None, cursor=0, reserved=0):
    await sql.execute(
        "INSERT INTO continuation (tenant_id, operation_id, operation_seq, kind, target_id, license_id, group_id,"
        " cursor, reserved) VALUES ($1, $2, 1, $3, $4, $5, $6, $7, $8)",
        filled.tenant_id, uuid4(), kind, target or filled.grant_id, filled.license_id, filled.group_id, cursor,
        reserved,
    )  # fmt: skip


async def test_rows_and_counts_that_agree_are_no_drift(found, filled):
    report = await found()
    assert report.findings == []
    assert report.drift == 0
    assert report.rows == 3 * PEOPLE


async def test_a_tenant_without_anything_is_no_drift(found):
    report = await found()
    assert (report.drift, report.rows) == (0, 0)


@pytest.mark.parametrize("statement", BREAKS)
async def test_whatever_contradicts_itself_is_found(found, filled, sql, statement):
    await sql.execute(statement)
    assert set((await found()).found) == BREAKS[statement]


async def test_a_finding_names_both_numbers_and_where(found, filled, sql):
    await sql.execute("UPDATE license SET used = 4")
    [finding] = (await found()).findings
    assert finding.document == {
        "check": "license_counts",
        "subject": "licenses/seats",
        "used": {"stored": 4, "counted": PEOPLE},
    }


async def test_another_tenants_drift_is_not_this_ones(found, filled, sql, stranger):
    await directory.add_groups(sql, stranger.id, 1)
    await sql.execute("UPDATE user_group SET assignment_count = 5 WHERE tenant_id = $1", stranger.id)
    assert (await found()).drift == 0


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8])
async def test_slices_of_any_size_count_the_same(found, filled, sql, monkeypatch, size):
    monkeypatch.setattr(verify, "SLICE", size)
    monkeypatch.setattr(verify, "_PAGE", 1)
    await sql.execute("INSERT INTO role (tenant_id, key, permission_scope, titles) VALUES ($1, 'lead', 'X', '{}')",
                      filled.tenant_id)  # fmt: skip
    await sql.execute(
        "INSERT INTO group_assignment (tenant_id, group_id, user_id, role_id, sources)"
        " SELECT held.tenant_id, group_id, user_id, role.id, 1 FROM group_assignment AS held JOIN role"
        " ON role.tenant_id = held.tenant_id AND role.key = 'lead'"
    )
    await sql.execute("UPDATE user_group SET assignment_count = $1 WHERE key = 'g1'", 2 * PEOPLE)
    report = await found()
    assert (report.findings, report.rows) == ([], 4 * PEOPLE)


async def test_what_a_fan_out_has_not_reached_yet_is_no_drift(found, filled, sql):
    last = await sql.fetchrow(
        "DELETE FROM entitlement WHERE id = (SELECT max(id) FROM entitlement) RETURNING id, user_id"
    )
    await sql.execute("DELETE FROM entitlement_source WHERE entitlement_id = $1", last["id"])
    await sql.execute("UPDATE group_license SET assigned = assigned - 1, in_quota = in_quota - 1")
    await sql.execute("UPDATE license SET used = used - 1, reserved = 1")
    await continuation(sql, filled, "give", cursor=last["user_id"] - 1, reserved=1)
    assert (await found()).findings == []
    await sql.execute("UPDATE continuation SET cursor = $1", last["user_id"])
    assert set((await found()).found) == {Check.MEMBER_WITHOUT_SOURCE}


async def test_what_a_withdrawal_has_not_come_to_yet_is_no_drift(found, filled, sql):
    await sql.execute("UPDATE group_license SET active = false")
    await continuation(sql, filled, "withdraw")
    assert (await found()).findings == []


async def test_what_a_deletion_of_a_group_has_not_come_to_yet_is_no_drift(found, filled, sql):
    await sql.execute("DELETE FROM user_group WHERE key = 'g1'")
    await continuation(sql, filled, "delete_group", target=filled.group_id)
    assert (await found()).findings == []


async def test_what_a_deletion_of_a_license_has_not_come_to_yet_is_no_drift(found, filled, sql):
    await sql.execute("DELETE FROM license")
    await sql.execute("UPDATE group_license SET removed_at = now()")
    await continuation(sql, filled, "delete_license", target=filled.license_id)
    assert (await found()).findings == []


async def test_those_who_wait_while_a_continuation_moves_the_seats_are_no_drift(found, filled, sql):
    await sql.execute("UPDATE entitlement SET state = 2 WHERE id = (SELECT min(id) FROM entitlement)")
    await sql.execute("UPDATE group_license SET assigned = assigned - 1, waiting = 1")
    await sql.execute("UPDATE license SET used = used - 1, queued = 1, waiting = 1")
    assert set((await found()).found) == {Check.WAITING_LIST}
    await continuation(sql, filled, "promote", target=filled.license_id)
    assert (await found()).findings == []
    await sql.execute("DELETE FROM continuation")
    await sql.execute("UPDATE license SET active = false")
    assert (await found()).findings == []


async def test_a_pass_that_commits_meanwhile_is_not_seen(database, tenant, filled, sql, monkeypatch):
    """Half of a recount before a change and half after it would be drift that never was."""
    original = verify.entitlement_slices

    async def changed_meanwhile(tx, tenant_id):
        await sql.execute("DELETE FROM entitlement; DELETE FROM entitlement_source; DELETE FROM group_assignment")
        await sql.execute("DELETE FROM group_member; UPDATE user_group SET user_count = 0, assignment_count = 0")
        async for part in original(tx, tenant_id):
            yield part

    monkeypatch.setattr(verify, "entitlement_slices", changed_meanwhile)
    report = await recount(database, VerifiedTenant(id=tenant.id, key=tenant.key))
    assert (report.findings, report.rows) == ([], 3 * PEOPLE)


@pytest.mark.parametrize("under_way", ["due", "continuation", "operation"])
async def test_an_end_that_is_being_acted_on_is_no_drift(found, filled, sql, under_way):
    await sql.execute("UPDATE license SET expires_at = now() - interval '1 second'")
    match under_way:
        case "due":
            await sql.execute("INSERT INTO due SELECT tenant_id, id, 'end', expires_at FROM license")
        case "continuation":
            await continuation(sql, filled, "expire", target=filled.license_id)
        case "operation":
            await sql.execute(
                "INSERT INTO operation (tenant_id, id, kind, items, bytes, request, presentation, fingerprint, total)"
                " VALUES ($1, gen_random_uuid(), 'licenses.check', 1, 1, '{}', '{}', '', 1)",
                filled.tenant_id,
            )
    assert (await found()).findings == []


async def test_a_recount_has_a_session_of_its_own(database_url, tenant, filled):
    database = Database(database_url, name="busy", size=1)
    async with database.transaction():
        report = await recount(database, VerifiedTenant(id=tenant.id, key=tenant.key))
    await database.close()
    assert report.rows == 3 * PEOPLE
