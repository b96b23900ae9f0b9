"""`seatline verify`: what it prints and how it exits, on a database that is filled by hand."""

import asyncio
import json

import asyncpg
import pytest
from click.testing import CliRunner

from infra.postgres.administration import create_tenant
from infra.postgres.database import Database, plain_dsn
from tests.support import directory
from workers.cli.main import cli


@pytest.fixture
def tenants(database_url):
    """`acme` is as it should be, `drifted` counts one person too many in two groups."""
    asyncio.run(_fill(database_url))


async def _fill(url):
    database, sql = Database(url, size=1), await asyncpg.connect(plain_dsn(url))
    for key in ("acme", "drifted"):
        tenant = await create_tenant(database, key=key, org="org", name=key)
        await directory.add_people(sql, tenant.id, 3)
        await sql.execute("UPDATE app_user SET active = true")
        await directory.add_groups(sql, tenant.id, 2)
        await directory.add_members(sql, tenant.id, "g1", 3)
        await sql.execute("UPDATE user_group SET user_count = 3, assignment_count = 3 WHERE key = 'g1'")
    await sql.execute("UPDATE user_group SET user_count = 1, assignment_count = 4 WHERE tenant_id = $1", tenant.id)
    await sql.close()
    await database.close()


@pytest.fixture
def run(database_url, monkeypatch):
    monkeypatch.setenv("SEATLINE_DATABASE_URL", database_url)
    return lambda *words: CliRunner().invoke(cli, ["verify", *words])


def test_a_tenant_without_drift_exits_with_zero(run, tenants):
    told = run("--tenant", "acme")
    assert told.exit_code == 0, told.output
    assert told.stdout.startswith("1 tenant, 3 rows recounted in ")
    assert told.stdout.endswith("no drift\n")


def test_drift_is_named_by_subject_and_numbers_and_exits_with_one(run, tenants):
    told = run()
    assert told.exit_code == 1
    assert "drifted: 2 contradictions in 3 rows" in told.stdout
    assert "group_counts  groups/g1  user_count is 1, should be 3, assignment_count is 4, should be 3" in told.stdout
    assert "it should be that a group counts its people and its assignments" in told.stdout
    assert "acme:" not in told.stdout
    assert told.stdout.endswith("drift 2\n")


def test_as_json_it_is_one_document_of_all_tenants(run, tenants):
    told = run("--json")
    document = json.loads(told.stdout)
    assert told.exit_code == 1
    assert document["drift"] == 2
    acme, drifted = document["tenants"]
    assert (acme["tenant"], acme["drift"], acme["rows"], acme["findings"]) == ("acme", 0, 3, [])
    assert drifted["checks"]["group_counts"] == 2
    assert drifted["findings"][1] == {
        "check": "group_counts",
        "subject": "groups/g2",
        "user_count": {"stored": 1, "counted": 0},
        "assignment_count": {"stored": 4, "counted": 0},
    }


def test_a_tenant_that_does_not_exist_is_said_to_be_none(run, tenants):
    told = run("--tenant", "nobody")
    assert told.exit_code == 1
    assert "there is no tenant 'nobody'" in told.stderr


def test_a_database_that_is_not_reached_is_one_clear_line(run, monkeypatch):
    monkeypatch.setenv("SEATLINE_DATABASE_URL", "postgresql://seatline:secret@127.0.0.1:1/seatline")
    told = run()
    assert told.exit_code == 1
    assert "the database cannot be reached" in told.stderr
    assert "secret" not in told.output
