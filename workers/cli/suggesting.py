"""What the shell offers behind Tab for keys: tenants and people, as the database has them.

One rule: whatever goes wrong, nothing is offered; a shell that waits for Tab wants no message.
"""

from collections.abc import Awaitable, Callable
from contextlib import suppress

import click

from infra.local import place
from infra.postgres.administration import list_tenants, tenant_by_key
from infra.postgres.database import Database
from infra.postgres.reads.directory import keys_from
from workers.cli.main import use_running_servers
from workers.cli.straight import run

MOST = 50


def tenant_keys(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Tenants whose key begins like this."""

    async def keys(database: Database) -> list[str]:
        return [tenant.key for tenant in await list_tenants(database)]

    return _offered(keys, incomplete)


def user_keys(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """People of the command's tenant whose key begins like this."""

    async def keys(database: Database) -> list[str]:
        tenant = await tenant_by_key(database, str(ctx.params.get("tenant")))
        return [] if tenant is None else await keys_from(database, tenant.id, first=incomplete, limit=MOST)

    return _offered(keys, incomplete)


def _offered(keys: Callable[[Database], Awaitable[list[str]]], incomplete: str) -> list[str]:
    use_running_servers(place.of_clone().environment)
    with suppress(click.ClickException):
        return [key for key in run(keys, name="seatline completion") if key.startswith(incomplete)]
    return []
