"""`seatline explain`: every licence of a person with every reason, by whatever name the person is asked for."""

import asyncio
import json
import os

import asyncpg
import click
import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner

from domain.entitlements import State
from infra.postgres.administration import create_tenant
from infra.postgres.database import Database, plain_dsn
from infra.settings import PREFIX
from tests.support.directory import add_groups, add_people
from tests.support.entitlements import (
    OPERATION,
    add_address,
    add_grant,
    add_holders,
    add_licenses,
    add_source,
)
from workers.cli import main, suggesting
from workers.cli.main import cli


@pytest.fixture
def run(database_url, monkeypatch):
    """Run the command on a machine where nothing is up, against this test's database."""
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        monkeypatch.delenv(name)
    for module in (main, suggesting):
        monkeypatch.setattr(module, "use_running_servers", lambda _path: None)
    monkeypatch.setenv("SEATLINE_DATABASE_URL", database_url)
    asyncio.run(_fill(database_url))
    return lambda *words: CliRunner().invoke(cli, ["explain", *words])


async def _fill(url):
    """u1 has l1 directly and by g1; u2 waits for l1 behind u3, is inactive for l2 and beyond a quota of l3."""
    database, sql = Database(url, size=1), await asyncpg.connect(plain_dsn(url))
    tenant = await create_tenant(database, key="demo", org="demo-org", name="Demo")
    await create_tenant(database, key="desolate", org="org", name="Nobody's")
    await add_people(sql, tenant.id, 15)
    await add_groups(sql, tenant.id, 1)
    await add_licenses(sql, tenant.id, 4)
    grant = await add_grant(sql, tenant.id, "g1", "l1")
    await add_holders(sql, tenant.id, "l1", 1, 1, grant_id=grant)
    await add_source(sql, tenant.id, "l1", "u1", 0)
    await add_holders(sql, tenant.id, "l1", 2, 2, state=State.QUEUED, seq=7)
    await add_holders(sql, tenant.id, "l1", 3, 3, state=State.QUEUED, seq=5)
    await add_holders(sql, tenant.id, "l2", 2, 2, state=State.PARKED)
    await add_holders(sql, tenant.id, "l3", 2, 2, state=State.BLOCKED)
    await add_holders(sql, tenant.id, "l4", 2, 2, state=State.SUSPENDED)
    await add_address(sql, tenant.id, "l1", "New@example.org", state=State.QUEUED, seq=7)
    await sql.execute("UPDATE entitlement SET created_at = '2026-01-02T03:04:05Z'")
    await sql.execute("UPDATE entitlement_source SET since = '2026-01-02T03:04:05Z'")
    await sql.execute("UPDATE license SET expires_at = '2020-01-01T00:00:00Z' WHERE key = 'l4'")
    await sql.close()
    await database.close()


SINCE = "since 2026-01-02 03:04:05Z"


def test_every_reason_is_told_with_its_operation(run):
    told = run("u1")
    assert told.exit_code == 0, told.output
    assert told.stdout.splitlines() == [
        "First1 Last1 (key u1, id 1), active",
        "",
        f"l1: active, {SINCE}",
        f"    given directly, {SINCE}, by operation {OPERATION}",
        f"    through group g1, {SINCE}, by operation {OPERATION}",
    ]


def test_whoever_waits_is_told_for_what_and_where_in_line(run):
    states = [line for line in run("u2").stdout.splitlines() if line.startswith("l")]
    assert states == [
        f"l1: waiting for a seat, place 2 in the waiting list, {SINCE}",
        f"l2: waiting for the person to be active again, {SINCE}",
        f"l3: waiting for a place in the group's quota, {SINCE}",
        f"l4: suspended, {SINCE}, expired 2020-01-01 00:00:00Z",
    ]


@pytest.mark.parametrize("name", ["u2", "uSER2", "U2@Example.org"])
def test_a_person_is_found_by_key_username_or_address(run, name):
    document = json.loads(run(name, "--json").stdout)
    assert document["user"] == {"id": 2, "key": "u2", "active": True}
    assert [one["license"]["key"] for one in document["licenses"]] == ["l1", "l2", "l3", "l4"]
    assert document["licenses"][0]["waiting_for"] == "seat"


def test_an_address_of_nobody_is_explained_too(run):
    told = run("new@EXAMPLE.org")
    assert told.exit_code == 0
    assert "nobody of this address is known yet" in told.stdout
    assert "place 3 in the waiting list" in told.stdout
    assert json.loads(run("new@example.org", "--json").stdout)["licenses"][0]["email"] == "New@example.org"


def test_who_has_nothing_is_said_to_have_nothing(run):
    assert run("u5").stdout.splitlines() == [
        "First5 Last5 (key u5, id 5), not active",
        "no licence, and waits for none",
    ]


def test_an_unknown_person_or_tenant_is_one_clear_line(run):
    for words, said in (
        (["nobody"], "tenant demo has nobody with the key, username or e-mail address 'nobody'"),
        (["u1", "--tenant", "desolate"], "tenant desolate has nobody"),
        (["u1", "--tenant", "none"], "there is no tenant 'none'"),
    ):
        refused = run(*words)
        assert (refused.exit_code, refused.stdout) == (1, "")
        assert said in refused.stderr


def test_the_shell_is_offered_keys_of_people_and_tenants(run, monkeypatch):
    def offered(*words, incomplete):
        return [item.value for item in ShellComplete(cli, {}, "seatline", "X").get_completions(list(words), incomplete)]

    assert offered("explain", incomplete="u1") == ["u1", "u10", "u11", "u12", "u13", "u14", "u15"]
    assert offered("explain", "--tenant", "desolate", incomplete="u") == []
    assert offered("explain", "--tenant", incomplete="de") == ["demo", "desolate"]
    assert "explain" in offered(incomplete="ex")
    monkeypatch.setenv("SEATLINE_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nothing")
    assert offered("explain", incomplete="u1") == []


def test_the_command_is_one_of_the_table(run):
    assert cli.get_command(click.Context(cli), "explain").name == "explain"
