"""The users API over HTTP, with a worker behind it: two groups, five people, three roles."""

from collections.abc import AsyncIterator

import pytest

from domain.commands import PutUsers, UserPut
from tests.support.api import Api, groups, people, roles, serving, without_worker


@pytest.fixture
async def api(database_url: str) -> AsyncIterator[Api]:
    """The application as the tenant `acme` sees it, with a directory.

    `ada`, `bo`, `cy`, `di` are active, `ed` is not; `trainer` and `mentor` can be given in groups, `admin` cannot.
    """
    async with serving(database_url) as api:
        await fill(api)
        yield api


async def fill(api: Api) -> None:
    """The directory of these tests."""
    await api.arrange_together(
        groups("sales", "support"),
        roles("trainer", en="Trainer", de="Ausbilder"),
        roles("mentor", en="Mentor", de="Begleiter"),
        roles("admin", scope="ADMIN"),
        PutUsers(
            items=(
                UserPut(key="ada", username="ada", first_name="Ada", last_name="Young", department="Research"),
                UserPut(key="bo", username="bo", first_name="Bo", last_name="Xander", department="Sales"),
                UserPut(key="cy", username="cy", first_name="Cy", last_name="Young", department="50%_off\\"),
                UserPut(key="di", username="di", first_name="Ägidia", last_name="Zorn", department=""),
            )
        ),
        people("ed", active=False),
    )


@pytest.fixture
async def idle(database_url: str) -> AsyncIterator[Api]:
    """The application alone, without a worker and with an empty directory: enough for refusals of form."""
    async with without_worker(database_url) as api:
        yield api
