"""`seatline tenants …` and `seatline tokens …`: administration straight at the database, without an API.

One rule: an error is one clear line and exit code 1; `--json` prints one document and nothing else.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar
from uuid import UUID

import click

from domain.administration import (
    AdministrationError,
    Tenant,
    TokenIssued,
    TokenView,
    issued_document,
    tenant_document,
    token_document,
)
from domain.outcomes import timestamp
from infra.postgres import administration
from infra.postgres.database import Database
from infra.postgres.faults import is_transient
from infra.settings import SettingsError, load
from workers.cli.expiry import Expiry

T = TypeVar("T")

DEFAULT_TENANT = "demo"
_PAGE = 500
_UNDEFINED_TABLE = "42P01"
_REFUSED_CONNECTION = frozenset({"28", "3D"})  # authorization, unknown database

_as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON document and nothing else.")
_of_tenant = click.option("--tenant", metavar="KEY", help=f"The tenant it belongs to (default: {DEFAULT_TENANT}).")


@click.group()
def tenants() -> None:
    """Create and list tenants."""


@click.group()
def tokens() -> None:
    """Issue, list and revoke API tokens."""


@tenants.command("create")
@click.argument("key")
@click.option("--org", required=True, help="The organisation (organizationName, platform_org).")
@click.option("--name", required=True, help="What people call it.")
@_as_json
def create_tenant(key: str, org: str, name: str, *, as_json: bool) -> None:
    """Create a tenant; KEY is 1 to 63 of a to z, 0 to 9 and the hyphen."""
    tenant = _run(lambda database: administration.create_tenant(database, key=key, org=org, name=name))
    _print(tenant_document(tenant), as_json=as_json, text=f"tenant {tenant.key} created (id {tenant.id})")


@tenants.command("list")
@_as_json
def list_tenants(*, as_json: bool) -> None:
    """List the tenants, by key."""
    found = _run(_all_tenants)
    lines = [f"{tenant.key:<24} {tenant.org:<24} {tenant.name}" for tenant in found]
    _print([tenant_document(tenant) for tenant in found], as_json=as_json, text="\n".join(lines))


@tokens.command("create")
@_of_tenant
@click.option("--operator", is_flag=True, help="Issue an operator's token, which belongs to no tenant.")
@click.option("--scope", "scopes", multiple=True, required=True, help="What it may do; repeat for more.")
@click.option("--expires", type=Expiry(), help="When it ends: 2027-01-31, 2027-01-31T12:00:00Z, 30d, 12h, P30D.")
@click.option("--role", "roles", multiple=True, metavar="ROLEKEY", help="The only roles it may give; repeat for more.")
@click.option("--name", default="", help="What people call it.")
@_as_json
def create_token(
    tenant: str | None,
    scopes: tuple[str, ...],
    expires: datetime | None,
    roles: tuple[str, ...],
    name: str,
    *,
    operator: bool,
    as_json: bool,
) -> None:
    """Issue a token. It is shown this once; only its hash is kept."""
    owner = _owner(tenant, operator=operator, otherwise=DEFAULT_TENANT)
    issued = _run(
        lambda database: administration.create_token(
            database, tenant_key=owner.tenant_key, scopes=scopes, name=name, expires_at=expires, roles=roles or None
        )
    )
    if expires is not None and expires <= datetime.now(UTC):
        click.echo("note: the token has expired already", err=True)
    _print(issued_document(issued), as_json=as_json, text=_issued_text(issued))


@tokens.command("list")
@click.option("--tenant", metavar="KEY", help="Only this tenant's tokens.")
@click.option("--operator", is_flag=True, help="Only the operators' tokens.")
@_as_json
def list_tokens(tenant: str | None, *, operator: bool, as_json: bool) -> None:
    """List tokens without their secrets, revoked and expired ones included."""
    owner = _owner(tenant, operator=operator, otherwise=None)
    found = _run(lambda database: _all_tokens(database, owner))
    text = "\n".join(_token_line(token) for token in found)
    _print([token_document(token) for token in found], as_json=as_json, text=text)


@tokens.command("revoke")
@click.argument("token_id", metavar="ID", type=click.UUID)
def revoke_token(token_id: UUID) -> None:
    """End a token at once."""
    token = _run(lambda database: administration.revoke_token(database, token_id))
    click.echo(f"token {token.id} of {token.tenant or 'the operator'} is revoked")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Owner:
    tenant_key: str | None
    operator: bool


def _owner(tenant: str | None, *, operator: bool, otherwise: str | None) -> _Owner:
    if tenant is not None and operator:
        raise click.UsageError("--tenant and --operator exclude each other")
    return _Owner(tenant_key=None if operator else tenant or otherwise, operator=operator)


async def _all_tenants(database: Database) -> list[Tenant]:
    found: list[Tenant] = []
    page = await administration.list_tenants(database, limit=_PAGE)
    while page:
        found += page
        page = await administration.list_tenants(database, after=found[-1].key, limit=_PAGE)
    return found


async def _all_tokens(database: Database, owner: _Owner) -> list[TokenView]:
    found: list[TokenView] = []
    after: tuple[int, UUID] | None = None
    while page := await administration.list_tokens(
        database, tenant_key=owner.tenant_key, operator=owner.operator, after=after, limit=_PAGE
    ):
        found += page
        after = (page[-1].tenant_id, page[-1].id)
    return found


def _run(action: Callable[[Database], Awaitable[T]]) -> T:
    with _clear_errors():
        url = load().database_url.get_secret_value()
        return asyncio.run(_with_database(url, action))


async def _with_database(url: str, action: Callable[[Database], Awaitable[T]]) -> T:
    database = Database(url, name="seatline-administration", size=1)
    try:
        return await action(database)
    finally:
        await database.close()


@contextmanager
def _clear_errors() -> Iterator[None]:
    try:
        yield
    except (AdministrationError, SettingsError) as error:
        raise click.ClickException(str(error)) from error
    except Exception as error:
        reason = _database_reason(error)
        if reason is None:
            raise
        raise click.ClickException(reason) from error


def _database_reason(error: Exception) -> str | None:
    # An error of the connection itself comes wrapped by the pool; the driver's stands inside.
    sqlstate = getattr(getattr(error, "orig", error), "sqlstate", None)
    if sqlstate == _UNDEFINED_TABLE:
        return "the database has no Seatline schema yet: run `seatline migrate`"
    if isinstance(sqlstate, str) and sqlstate[:2] in _REFUSED_CONNECTION:
        return f"the database refuses the connection (SQLSTATE {sqlstate}): check SEATLINE_DATABASE_URL"
    if is_transient(error):
        return f"the database cannot be reached ({sqlstate or type(error).__name__})"
    return None


def _print(document: object, *, as_json: bool, text: str) -> None:
    if as_json:
        click.echo(json.dumps(document, ensure_ascii=False))
    elif text:
        click.echo(text)


def _issued_text(issued: TokenIssued) -> str:
    fields = {
        "token": issued.token,
        "id": str(issued.id),
        "tenant": issued.tenant or "(operator)",
        "scopes": " ".join(issued.scopes),
        "roles": "all" if issued.roles is None else " ".join(issued.roles),
        "expires": "never" if issued.expires_at is None else timestamp(issued.expires_at),
    }
    lines = [f"{name:<8} {value}" for name, value in fields.items()]
    return "\n".join([*lines, "The token is shown this once; only its hash is kept."])


def _token_line(token: TokenView) -> str:
    state = "revoked" if token.revoked_at else "good"
    if token.expires_at is not None:
        state += f", until {timestamp(token.expires_at)}"
    return f"{token.id}  {token.tenant or '(operator)':<24} {' '.join(token.scopes)}  [{state}] {token.name}".rstrip()
