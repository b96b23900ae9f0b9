"""Tenants and tokens: as rows, and from the command line."""

import hashlib
import json
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from click.testing import CliRunner

from domain.administration import (
    InvalidAdministrationError,
    TenantAlreadyExistsError,
    TenantDoesNotExistError,
    TokenDoesNotExistError,
)
from domain.scopes import ALIASES, OPERATOR_SCOPES, TENANT_SCOPES
from infra.postgres import administration
from workers.cli.administration import tenants, tokens


async def test_a_tenant_comes_with_its_log_and_the_role_member(database, sql, tenant):
    assert await sql.fetchval("SELECT event_seq FROM tenant_log WHERE tenant_id = $1", tenant.id) == 0
    role = await sql.fetchrow("SELECT key, permission_scope, titles FROM role WHERE tenant_id = $1", tenant.id)
    assert (role["key"], role["permission_scope"]) == ("member", "USER_GROUPS")
    assert set(json.loads(role["titles"])) == {"en", "de", "fr"}


async def test_a_taken_key_changes_nothing(database, sql, tenant):
    with pytest.raises(TenantAlreadyExistsError):
        await administration.create_tenant(database, key="acme", org="other", name="Other")
    assert await sql.fetchval("SELECT count(*) FROM role") == 1
    assert (await administration.tenant_by_key(database, "acme")).org == "acme-org"


@pytest.mark.parametrize("key", ["", "A", "a b", "a.b", "a" * 64, "ä", "a\x00", "a\n", "#", "*"])
async def test_a_key_must_be_a_word_of_a_routing_key(database, key):
    with pytest.raises(InvalidAdministrationError) as refused:
        await administration.create_tenant(database, key=key, org="o", name="n")
    assert refused.value.field == "key"


@pytest.mark.parametrize(
    ("field", "value"),
    [("org", ""), ("org", "a/b"), ("org", "a\x00"), ("name", "  "), ("name", "\ud800"), ("name", "n" * 256)],
)
async def test_names_must_be_such(database, field, value):
    with pytest.raises(InvalidAdministrationError) as refused:
        await administration.create_tenant(database, **{"key": "k", "org": "o", "name": "n", field: value})
    assert refused.value.field == field


async def test_only_the_hash_of_a_token_is_stored(database, sql, tenant):
    issued = await administration.create_token(database, tenant_key="acme", scopes=["groups:read"])
    assert len(bytes.fromhex(issued.token)) == 32
    assert issued.token not in repr(issued)
    row = await sql.fetchrow("SELECT * FROM api_token")
    assert row["hash"] == hashlib.sha256(issued.token.encode()).digest()
    assert issued.token not in str(dict(row))


async def test_every_scope_is_accepted_where_it_belongs_and_nowhere_else(database, tenant):
    tenant_scopes, operator_scopes = [*TENANT_SCOPES, *ALIASES], list(OPERATOR_SCOPES)
    issued = await administration.create_token(database, tenant_key="acme", scopes=tenant_scopes)
    assert issued.scopes == tuple(tenant_scopes)
    await administration.create_token(database, tenant_key=None, scopes=operator_scopes)
    refused = [("acme", [scope]) for scope in operator_scopes] + [(None, [scope]) for scope in tenant_scopes]
    for key, scopes in [*refused, ("acme", []), (None, []), ("acme", ["groups:read", "groups:admin"])]:
        with pytest.raises(InvalidAdministrationError):
            await administration.create_token(database, tenant_key=key, scopes=scopes)


async def test_tokens_are_listed_by_owner_and_paged(database, tenant, stranger):
    made = [await administration.create_token(database, tenant_key="acme", scopes=["groups:read"]) for _ in range(3)]
    await administration.create_token(database, tenant_key="stranger", scopes=["groups:read"])
    await administration.create_token(database, tenant_key=None, scopes=["ops:read"])
    first = await administration.list_tokens(database, tenant_key="acme", limit=2)
    rest = await administration.list_tokens(database, tenant_key="acme", after=(tenant.id, first[-1].id), limit=2)
    assert [token.id for token in (*first, *rest)] == sorted(token.id for token in made)
    assert [token.tenant for token in await administration.list_tokens(database, operator=True)] == [None]
    assert len(await administration.list_tokens(database)) == 5
    with pytest.raises(TenantDoesNotExistError):
        await administration.list_tokens(database, tenant_key="nobody\x00")


async def test_a_revocation_keeps_its_first_instant(database, tenant):
    issued = await administration.create_token(database, tenant_key="acme", scopes=["groups:read"])
    first = await administration.revoke_token(database, issued.id)
    assert (await administration.revoke_token(database, issued.id)).revoked_at == first.revoked_at
    with pytest.raises(TokenDoesNotExistError):
        await administration.revoke_token(database, uuid4())


@pytest.fixture
def run(settings_environment):
    def run(command, *arguments):
        return CliRunner().invoke(command, arguments)

    return run


def test_the_command_line_makes_a_tenant_and_a_token_for_it(run):
    made = run(tenants, "create", "acme", "--org", "acme-org", "--name", "Acme", "--json")
    assert (made.exit_code, json.loads(made.stdout)["key"]) == (0, "acme")
    assert "acme-org" in run(tenants, "list").stdout
    issued = run(
        tokens, "create", "--tenant", "acme", "--scope", "groups:write", "--scope", "PM.License.Read",
        "--expires", "30d", "--role", "lead", "--name", "for a test", "--json",
    )  # fmt: skip
    document = json.loads(issued.stdout)
    assert list(document) == ["id", "token", "tenant", "scopes", "expires_at"]
    assert (document["tenant"], document["scopes"]) == ("acme", ["groups:write", "PM.License.Read"])
    expires = datetime.fromisoformat(document["expires_at"])
    assert timedelta(days=29) < expires - datetime.now(UTC) < timedelta(days=31)
    (listed,) = json.loads(run(tokens, "list", "--tenant", "acme", "--json").stdout)
    assert (listed["id"], listed["roles"], listed["revoked_at"]) == (document["id"], ["lead"], None)
    assert document["token"] not in run(tokens, "list").stdout
    assert run(tokens, "revoke", document["id"]).exit_code == 0
    assert "revoked" in run(tokens, "list").stdout


def test_an_operators_token_has_no_tenant(run):
    document = json.loads(run(tokens, "create", "--operator", "--scope", "tenants:admin", "--json").stdout)
    assert (document["tenant"], document["expires_at"]) == (None, None)
    assert UUID(document["id"])


def test_a_token_is_the_demo_tenants_unless_told(run):
    run(tenants, "create", "demo", "--org", "demo-org", "--name", "Demo")
    text = run(tokens, "create", "--scope", "groups:read").stdout
    assert "tenant   demo" in text
    assert "shown this once" in text


def test_an_expiry_in_the_past_is_allowed_and_noted(run):
    issued = run(tokens, "create", "--operator", "--scope", "ops:read", "--expires", "2020-01-01", "--json")
    assert issued.exit_code == 0
    assert "expired already" in issued.stderr
    assert json.loads(issued.stdout)["expires_at"] == "2020-01-01T00:00:00.000000Z"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--tenant", "nobody", "--scope", "groups:read"), 1),
        (("--operator", "--scope", "groups:read"), 1),
        (("--operator", "--scope", "ops:read", "--role", "lead"), 1),
        (("--tenant", "nobody"), 2),
        (("--tenant", "a", "--operator", "--scope", "ops:read"), 2),
        (("--operator", "--scope", "ops:read", "--expires", "soon"), 2),
    ],
)
def test_a_refusal_is_one_line(run, arguments, code):
    refused = run(tokens, "create", *arguments)
    assert (refused.exit_code, refused.stdout) == (code, "")
    assert refused.stderr.splitlines()[-1].startswith("Error: ")
    assert code == 2 or len(refused.stderr.splitlines()) == 1


def test_other_refusals_of_the_command_line(run):
    run(tenants, "create", "acme", "--org", "o", "--name", "n")
    for command, arguments in (
        (tenants, ("create", "acme", "--org", "o", "--name", "n")),
        (tenants, ("create", "Acme", "--org", "o", "--name", "n")),
        (tokens, ("revoke", str(uuid4()))),
    ):
        refused = run(command, *arguments)
        assert (refused.exit_code, len(refused.stderr.splitlines())) == (1, 1)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("postgresql://nobody:x@127.0.0.1:1/none", "cannot be reached"),
        ("", "SEATLINE_DATABASE_URL"),
        ("mysql://x", "postgresql://"),
    ],
)
def test_a_database_that_cannot_be_used_is_one_line_too(run, monkeypatch, url, message):
    monkeypatch.setenv("SEATLINE_DATABASE_URL", url)
    refused = run(tenants, "list")
    assert refused.exit_code == 1
    assert message in refused.stderr
    assert len(refused.stderr.splitlines()) == 1


def test_an_empty_database_says_what_to_run(run, monkeypatch, database_server_url):
    monkeypatch.setenv("SEATLINE_DATABASE_URL", database_server_url)
    assert "seatline migrate" in run(tenants, "list").stderr


def test_a_wrong_password_is_said_to_be_refused(run, monkeypatch, database_url):
    user, _, host = database_url.partition("://")[2].rpartition("@")
    monkeypatch.setenv("SEATLINE_DATABASE_URL", f"postgresql://{user.partition(':')[0]}:wrong@{host}")
    refused = run(tenants, "list")
    assert "refuses the connection" in refused.stderr
    assert "wrong" not in refused.stderr
