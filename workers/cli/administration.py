"""`seatline tenants …` and `seatline tokens …`: administration straight at the database, without an API.

One rule: an error is one clear line and exit code 1; `--json` prints one document and nothing else.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import click

from domain.administration import (
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
from workers.cli.expiry import Expiry
from workers.cli.straight import run

DEFAULT_TENANT = "demo"
_PAGE = 500

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
    tenant = run(lambda database: administration.create_tenant(database, key=key, org=org, name=name))
    _print(tenant_document(tenant), as_json=as_json, text=f"tenant {tenant.key} created (id {tenant.id})")


@tenants.command("list")
@_as_json
def list_tenants(*, as_json: bool) -> None:
    """List the tenants, by key."""
    found = run(_all_tenants)
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
    issued = run(
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
    found = run(lambda database: _all_tokens(database, owner))
    text = "\n".join(_token_line(token) for token in found)
    _print([token_document(token) for token in found], as_json=as_json, text=text)


@tokens.command("revoke")
@click.argument("token_id", metavar="ID", type=click.UUID)
def revoke_token(token_id: UUID) -> None:
    """End a token at once."""
    token = run(lambda database: administration.revoke_token(database, token_id))
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
