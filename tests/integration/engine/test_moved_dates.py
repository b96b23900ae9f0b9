"""What subscribers hear when a licence ends, is renewed, or has its start moved."""

from datetime import UTC, datetime

import pytest

from infra.postgres.due import fire_dates
from tests.support.engine import events_of
from tests.support.running import apply, giving
from tests.support.seats import assign, groups, join, people, program, put, unassign

PAST = datetime(2020, 1, 1, tzinfo=UTC)
LATER = datetime(2999, 1, 1, tzinfo=UTC)


@pytest.fixture
def heard(database, tenant):
    """The types and data of what is told from one call to the next."""
    last = 0

    async def listen():
        nonlocal last
        events = await events_of(database, tenant.id, after=last)
        last = events[-1]["sequence"] if events else last
        return [(event["type"], event["data"]) for event in events]

    return listen


def of_pools(events):
    return [name for name, _ in events if name in {"license.exhausted", "license.available"}]


def fulfilled(events):
    return [(data["group"]["key"], data["fulfilled"]) for name, data in events if name == "group_license.updated"]


async def expires(engine, database, tenant, capacity):
    """The end is put into the past and fires."""
    await apply(engine, tenant, put(program("photo", capacity, expires_at=PAST)))
    await fire_dates(database)
    await engine.drain(tenant.id)


async def test_an_exhausted_licence_that_expires_has_no_seats_to_give_until_it_is_renewed(
    engine, database, tenant, heard
):
    await apply(engine, tenant, people("ann"), put(program("photo", 1)), assign("photo", "ann"))
    assert of_pools(await heard()) == ["license.exhausted"]
    await expires(engine, database, tenant, 1)
    assert of_pools(await heard()) == []
    await apply(engine, tenant, put(program("photo", 2)))
    assert of_pools(await heard()) == ["license.available"]


async def test_a_renewed_licence_whose_holders_have_their_seats_back_is_exhausted(engine, database, tenant, heard):
    await apply(engine, tenant, people("ann"), put(program("photo", 1)), assign("photo", "ann"))
    await expires(engine, database, tenant, 1)
    await heard()
    await apply(engine, tenant, put(program("photo", 1)))
    assert of_pools(await heard()) == ["license.exhausted"]


async def test_a_seat_that_comes_free_while_a_licence_is_inactive_is_available_when_it_is_active_again(
    engine, tenant, heard
):
    await apply(engine, tenant, people("ann"), put(program("photo", 1)), assign("photo", "ann"))
    await heard()
    await apply(engine, tenant, put(program("photo", 1, active=False)), unassign("photo", "ann"))
    assert of_pools(await heard()) == []
    await apply(engine, tenant, put(program("photo", 1)))
    assert of_pools(await heard()) == ["license.available"]


async def test_a_start_that_is_moved_past_now_or_back_is_told_of_the_groups_that_are_served(
    engine, database, tenant, heard
):
    await apply(engine, tenant, people("ann", "bob"), groups("whole", "short", "held"), put(program("photo", 1)))
    await apply(engine, tenant, join("whole", "ann"), join("short", "bob"))
    await apply(engine, tenant, await giving(database, tenant, "whole", "photo"))
    for group, sent in (("short", {"shortage": "waitlist"}), ("held", {"hold": True})):
        await apply(engine, tenant, await giving(database, tenant, group, "photo", **sent))
    await heard()
    await apply(engine, tenant, put(program("photo", 1, starts_at=LATER)))
    assert fulfilled(await heard()) == [("whole", False)]
    await apply(engine, tenant, put(program("photo", 1, starts_at=LATER, program_name="Later")))
    assert fulfilled(await heard()) == []
    await apply(engine, tenant, put(program("photo", 1, starts_at=PAST)))
    assert fulfilled(await heard()) == [("whole", True)]


async def test_a_start_that_is_moved_and_moved_back_in_one_operation_is_nothing_to_tell_of(
    engine, database, tenant, heard
):
    await apply(engine, tenant, people("ann"), groups("whole"), put(program("photo", 1)), join("whole", "ann"))
    await apply(engine, tenant, await giving(database, tenant, "whole", "photo"))
    await heard()
    await apply(engine, tenant, put(program("photo", 1, starts_at=LATER), program("photo", 1)))
    assert fulfilled(await heard()) == []
