"""`seatline explain USER`: every licence that a person has or waits for, and why, straight from the database.

One rule: it shows what `/v1/entitlements` shows, nothing less and nothing else.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import click

from domain.administration import Tenant
from domain.errors import JSON
from domain.explanations import Explanation, Reason
from infra.postgres.administration import tenant_by_key
from infra.postgres.database import Database
from infra.postgres.reads.directory import UserFilter, UserRow, find_user, page_of_users
from infra.postgres.reads.entitlements import (
    FIRST_PLACE,
    EntitlementFilter,
    page_of_address,
    page_of_entitlements,
)
from infra.postgres.reads.pages import Page, Place
from workers.cli.administration import DEFAULT_TENANT
from workers.cli.straight import run
from workers.cli.suggesting import tenant_keys, user_keys

_PAGE = 500
_MISSING = {
    "seat": "a seat",
    "quota": "a place in the group's quota",
    "user": "the person to be active again",
    "license": "the licence to be active or renewed",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Person:
    """Somebody, or (None) an address under which nobody is known."""

    user: UserRow | None
    email: str
    licenses: list[Explanation]

    @property
    def document(self) -> dict[str, JSON]:
        user = self.user
        shown: JSON = None if user is None else {"id": user.id, "key": user.key, "active": user.active}
        return {"user": shown, "licenses": [explanation.document for explanation in self.licenses]}


@click.command()
@click.argument("user", shell_complete=user_keys)
@click.option(
    "--tenant",
    metavar="KEY",
    default=DEFAULT_TENANT,
    show_default=True,
    shell_complete=tenant_keys,
    help="Whose person it is.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document and nothing else.")
def explain(user: str, tenant: str, *, as_json: bool) -> None:
    """Say which licences USER has or waits for, and why.

    USER is a key, a username or an e-mail address, looked for in this order; an address may be one that licences are
    held for before anybody of that address is known.
    """
    person = run(lambda database: _explained(database, tenant, user), name="seatline explain")
    if as_json:
        click.echo(json.dumps(person.document, ensure_ascii=False))
    else:
        click.echo("\n".join(_lines(person)))


async def _explained(database: Database, tenant_key: str, named: str) -> _Person:
    tenant = await tenant_by_key(database, tenant_key)
    if tenant is None:
        raise click.ClickException(f"there is no tenant {tenant_key!r}; `seatline tenants list` shows them")
    user = await _find(database, tenant, named)
    person = _Person(user=user, email=named, licenses=await _all(database, tenant, user, named))
    if user is None and not person.licenses:
        raise click.ClickException(
            f"tenant {tenant.key} has nobody with the key, username or e-mail address {named!r}, "
            "and no licence is held for such an address"
        )
    return person


async def _find(database: Database, tenant: Tenant, named: str) -> UserRow | None:
    found = await find_user(database, tenant.id, named)
    for wanted in (UserFilter(username=named), UserFilter(email=named)):
        if found is None:
            page = await page_of_users(database, tenant.id, wanted=wanted, after=0, limit=1)
            found = page.items[0] if page is not None and page.items else None
    return found


async def _all(database: Database, tenant: Tenant, user: UserRow | None, email: str) -> list[Explanation]:
    found: list[Explanation] = []
    place: Place | None = FIRST_PLACE
    while place is not None:
        page = await _page(database, tenant, user, email, place)
        found += page.items
        place = page.next
    return found


async def _page(
    database: Database, tenant: Tenant, user: UserRow | None, email: str, after: Place
) -> Page[Explanation]:
    if user is None:
        return await page_of_address(database, tenant.id, email=email, after=after, limit=_PAGE)
    wanted = EntitlementFilter(user=user.key)
    return await page_of_entitlements(database, tenant.id, wanted=wanted, after=after, limit=_PAGE)


def _lines(person: _Person) -> Iterator[str]:
    yield _who(person)
    if not person.licenses:
        yield "no licence, and waits for none"
    for explanation in person.licenses:
        yield ""
        yield f"{explanation.license.key}: {_state(explanation)}"
        yield from (f"    {_reason(reason)}" for reason in explanation.reasons)


def _who(person: _Person) -> str:
    user = person.user
    if user is None:
        return f"{person.email}: nobody of this address is known yet"
    name = " ".join(filter(None, (user.first_name, user.last_name))) or user.username
    return f"{name} (key {user.key}, id {user.id}), {'active' if user.active else 'not active'}"


def _state(explanation: Explanation) -> str:
    said = [explanation.state.shown]
    if explanation.waiting_for is not None:
        said = [f"waiting for {_MISSING[explanation.waiting_for]}"]
    if explanation.waiting_for == "seat":
        beyond = f"behind {explanation.position_beyond or 0:,}"
        place = f"{explanation.position:,}" if explanation.position is not None else beyond
        said.append(f"place {place} in the waiting list")
    said.append(f"since {_instant(explanation.since)}")
    if explanation.until is not None:
        said.append(f"{'expired' if explanation.until <= datetime.now(UTC) else 'until'} {_instant(explanation.until)}")
    return ", ".join(said)


def _reason(reason: Reason) -> str:
    source = "given directly" if reason.group is None else f"through group {reason.group.key or reason.group.id}"
    return f"{source}, since {_instant(reason.since)}, by operation {reason.operation_id}"


def _instant(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z"
