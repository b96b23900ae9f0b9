"""The public API as one tenant's client, for commands that act in a tenant's name.

One rule: where the database is at hand a token for this one run is made and revoked again, so that `--tenant` is
enough; elsewhere the caller's own token is used, and must be that tenant's.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import wraps
from http import HTTPStatus

import click

from domain.administration import TokenIssued
from infra.postgres import administration
from infra.postgres.database import Database
from workers.cli.public_api import PublicApi
from workers.cli.straight import run

LONGEST_RUN = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """How the API is reached. `token` None: one is made."""

    tenant: str
    url: str | None
    token: str | None


def door_options(command: Callable[..., None]) -> Callable[..., None]:
    """`--tenant`, `--url` and `--token`, which the command is given as one value, `door`."""

    @wraps(command)
    def through_door(tenant: str, url: str | None, token: str | None, **others: object) -> None:
        command(door=Door(tenant=tenant, url=url, token=token), **others)

    options = (
        click.option("--tenant", metavar="KEY", default="demo", show_default=True, help="Whose data."),
        click.option("--url", envvar="SEATLINE_URL", help="The API.", show_envvar=True),
        click.option(
            "--token",
            help="The tenant's own. Default: one for this run where SEATLINE_DATABASE_URL is set, else SEATLINE_TOKEN.",
        ),
    )
    for option in reversed(options):
        through_door = option(through_door)
    return through_door


@contextmanager
def tenant_api(door: Door, scopes: Sequence[str]) -> Iterator[PublicApi]:
    """The API with a token of these scopes, for as long as the block lasts.

    Raises:
        click.ClickException: no API or tenant is named that exists, or the token is another tenant's.
    """
    if not door.url:
        raise click.ClickException("which API? Give --url or set SEATLINE_URL; `seatline up` starts one")
    token = door.token
    if token is None and not os.environ.get("SEATLINE_DATABASE_URL"):
        token = os.environ.get("SEATLINE_TOKEN")
    if token is not None:
        with _client(door.url, token) as api:
            _check_tenant(api, door.tenant)
            yield api
        return
    issued = _issue(door.tenant, scopes)
    try:
        with _client(door.url, issued.token) as api:
            yield api
    finally:
        run(lambda database: administration.revoke_token(database, issued.id))


@contextmanager
def _client(url: str, token: str) -> Iterator[PublicApi]:
    api = PublicApi(url=url, token=token, look=lambda: None)
    try:
        yield api
    finally:
        api.close()


def _issue(tenant: str, scopes: Sequence[str]) -> TokenIssued:
    async def create(database: Database) -> TokenIssued:
        return await administration.create_token(
            database,
            tenant_key=tenant,
            scopes=tuple(scopes),
            name="made by seatline for one run",
            expires_at=datetime.now(UTC) + LONGEST_RUN,
        )

    return run(create)


def _check_tenant(api: PublicApi, tenant: str) -> None:
    """Every event names its tenant; a tenant without events, or a token that may not read them, is believed."""
    answer = api.call("GET", "/v1/events?limit=1")
    events = answer.body.get("events") if answer.status == HTTPStatus.OK else None
    if events and events[0]["tenantid"] != tenant:
        raise click.ClickException(f"the token is of tenant {events[0]['tenantid']}, not of {tenant}")
