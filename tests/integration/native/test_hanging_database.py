"""A database that takes connections and answers nothing: callers are told so while they still listen."""

from datetime import timedelta

import pytest

from infra.postgres import administration
from infra.postgres.database import Database
from infra.postgres.faults import is_transient
from infra.postgres.reads.directory import find_user
from tests.support.tcp_proxy import TcpProxy


async def test_a_read_ends_with_the_callers_patience_and_the_next_one_is_served(database_url, tenant):
    async with TcpProxy(database_url) as proxy:
        database = Database(proxy.url, name="test", size=1, patience=timedelta(seconds=0.5))
        try:
            assert await find_user(database, tenant.id, "nobody") is None
            proxy.black_hole()
            for read in (find_user(database, tenant.id, "nobody"), administration.list_tenants(database)):
                with pytest.raises(TimeoutError) as hung:
                    await read
                assert is_transient(hung.value)
            proxy.heal()
            assert await find_user(database, tenant.id, "nobody") is None
        finally:
            await database.close()
