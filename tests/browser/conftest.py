"""One server and one browser for all tests of a process, and a person who is signed in."""

from collections.abc import AsyncIterator
from functools import partial

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page

from infra.local import databases
from tests.support.browsing import Watch, chromium, looking, sign_in
from tests.support.room import Room, room


@pytest.fixture(scope="session")
def shared_database_url(database_server_url):
    url = databases.create(database_server_url)
    yield url
    databases.drop(url)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def service(shared_database_url) -> AsyncIterator[Room]:
    async with room(shared_database_url) as made:
        yield made


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as started:
        yield started


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def signed_in(service: Room, browser: Browser) -> dict[str, dict[str, object]]:
    """What a browser holds of somebody who may act, and of somebody who may only look."""
    held = {}
    for name, scope in (("acts", "ops:write"), ("looks", "ops:read")):
        async with looking(browser, service.url) as (page, _):
            await sign_in(page, await service.operator(scope, name=f"{name} on call"))
            held[name] = await page.context.storage_state()
    return held


@pytest.fixture(scope="session")
def window(service: Room, browser: Browser, signed_in):
    """Opens a window, of whatever size, of somebody who may act."""
    return partial(looking, browser, service.url, storage_state=signed_in["acts"])


@pytest_asyncio.fixture(loop_scope="session")
async def page(window) -> AsyncIterator[Page]:
    """A page of somebody who may act."""
    async with window() as (opened, _):
        yield opened


@pytest_asyncio.fixture(loop_scope="session")
async def looker(service: Room, browser: Browser, signed_in) -> AsyncIterator[tuple[Page, Watch]]:
    """A page of somebody who may only look."""
    async with looking(browser, service.url, storage_state=signed_in["looks"]) as opened:
        yield opened
