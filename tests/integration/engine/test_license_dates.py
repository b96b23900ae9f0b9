"""Dates of licences: what expires gives its seats back in place, what starts is fulfilled, at the database's time."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from domain.license_commands import CheckLicenses
from infra.postgres.due import fire_dates
from infra.postgres.statements import compile_block
from infra.settings import Settings
from tests.support.engine import Engine, add_tenant, events_of, open_operations
from tests.support.license_state import continuations, ids_of
from tests.support.running import apply, assert_running_sound, begin, giving, view_of
from tests.support.seats import assign, groups, join, outcomes, people, pools_of, program, put, seats_of, unassign
from tests.support.waiting import found
from workers.main import Worker

PAST = datetime(2020, 1, 1, tzinfo=UTC)
LATER = datetime(2999, 1, 1, tzinfo=UTC)
_MOVE = compile_block(
    "move",
    """
WITH moved AS (
    UPDATE license SET starts_at = CASE WHEN :kind = 'start' THEN now() ELSE starts_at END,
                       expires_at = CASE WHEN :kind = 'end' THEN now() ELSE expires_at END
     WHERE tenant_id = :tenant_id AND key = :key
    RETURNING id
)
UPDATE due SET at = now() FROM moved WHERE tenant_id = :tenant_id AND license_id = moved.id AND kind = :kind
""",
)
_DUE = compile_block("due", "SELECT kind FROM due WHERE tenant_id = :tenant_id")
_CHECKS = compile_block(
    "checks",
    "SELECT id, status FROM operation WHERE tenant_id = :tenant_id AND kind = 'licenses.check' ORDER BY seq",
)


async def comes(database, tenant, key, kind="end"):
    """The date of the licence is now."""
    async with database.transaction() as tx:
        await tx.execute(_MOVE, tenant_id=tenant.id, key=key, kind=kind)


async def fire(engine, tenant):
    """What the poll does, and one pass over what it has accepted; returns the last operation of a date."""
    assert await fire_dates(engine.database) > 0
    engine.ready.add(tenant.id)
    while len(engine.ready):
        await engine.turn()
    *_, last = await engine.database.fetch(_CHECKS, tenant_id=tenant.id)
    return await view_of(engine, tenant, last["id"])


def of_type(events, name):
    return [event for event in events if event["type"] == name]


def states(rows):
    return {holder: state for (_, holder), (state, _) in rows.items()}


async def test_whoever_holds_a_seat_of_what_expires_waits_in_place_and_has_it_back_on_renewal(engine, database, tenant):
    ann_waits = assign("photo", "ann", "bob", "cat", wait=True)
    await apply(engine, tenant, people("ann", "bob", "cat"), put(program("photo", 2, expires_at=LATER)), ann_waits)
    before = (await events_of(database, tenant.id))[-1]["sequence"]
    await comes(database, tenant, "photo")
    view = await fire(engine, tenant)
    number = (await ids_of(database, tenant.id))["license", "photo"]
    assert view.response["items"] == [{"outcome": "checked", "licenses": [{"id": number, "key": "photo"}]}]
    assert (view.status.value, view.done, view.total) == ("succeeded", 2, 2)
    assert states(await seats_of(database, tenant)) == dict.fromkeys(("ann", "bob", "cat"), "queued")
    assert await pools_of(database, tenant) == {"photo": (0, 3, 3)}
    told = await events_of(database, tenant.id, after=before)
    assert [event["data"]["user"]["key"] for event in of_type(told, "entitlement.waiting")] == ["ann", "bob"]
    (updated,) = of_type(told, "license.updated")
    assert updated["data"]["counts"] == {"capacity": 2, "used": 0, "reserved": 0, "waiting": 3}
    assert told[-1]["type"] == "operation.finished"
    await apply(engine, tenant, put(program("photo", 2, expires_at=LATER)))
    assert states(await seats_of(database, tenant)) == {"ann": "active", "bob": "active", "cat": "queued"}
    await assert_running_sound(database, tenant)


async def test_an_end_that_is_put_into_the_past_fires_like_any_other(engine, database, tenant):
    await apply(engine, tenant, people("ann"), put(program("photo", 2)), assign("photo", "ann"))
    await apply(engine, tenant, put(program("photo", 2, expires_at=PAST)))
    await fire(engine, tenant)
    assert states(await seats_of(database, tenant)) == {"ann": "queued"}
    assert await database.fetch(_DUE, tenant_id=tenant.id) == []


async def test_a_date_that_was_moved_after_it_fired_finds_nothing_to_do(engine, database, tenant):
    await apply(engine, tenant, people("ann"), put(program("photo", 2, expires_at=LATER)), assign("photo", "ann"))
    await comes(database, tenant, "photo")
    await fire_dates(database)
    await apply(engine, tenant, put(program("photo", 2, expires_at=LATER)))
    assert states(await seats_of(database, tenant)) == {"ann": "active"}
    assert await open_operations(database) == 0


async def test_a_start_makes_groups_fulfilled_whose_members_all_hold_a_seat(engine, database, tenant):
    await apply(
        engine,
        tenant,
        people("ann", "bob", "cat"),
        groups("whole", "short", "held"),
        put(program("photo", 2, starts_at=LATER)),
        join("whole", "ann", "bob"),
        join("short", "cat"),
    )
    for group, sent in (("whole", {}), ("short", {"shortage": "waitlist"}), ("held", {"hold": True})):
        await apply(engine, tenant, await giving(database, tenant, group, "photo", **sent))
    before = await events_of(database, tenant.id)
    assert {event["data"]["fulfilled"] for event in of_type(before, "group_license.updated")} == {False}
    await comes(database, tenant, "photo", "start")
    view = await fire(engine, tenant)
    told = await events_of(database, tenant.id, after=before[-1]["sequence"])
    assert [(event["type"], event["subject"]) for event in told] == [
        ("license.updated", "licenses/photo"),
        ("group_license.updated", "groups/whole/licenses/photo"),
        ("operation.finished", f"operations/{view.id}"),
    ]
    assert told[1]["data"]["fulfilled"] is True
    assert (view.status.value, view.request["started"]) == ("succeeded", view.request["license_ids"])


async def test_many_holders_lose_their_seats_in_chunks_while_others_go_on(database, tenant):
    engine = Engine(database, rows=2)
    names = [f"p{n}" for n in range(9)]
    await apply(engine, tenant, people(*names), groups("g"), put(program("photo", 20, expires_at=LATER)))
    await apply(engine, tenant, join("g", *names[:6]), assign("photo", *names[5:]))
    await begin(engine, tenant, await giving(database, tenant, "g", "photo"))
    await engine.drain(tenant.id)
    await comes(database, tenant, "photo")
    view = await fire(engine, tenant)
    assert (view.status.value, view.done, view.total) == ("running", 2, 9)
    assert await pools_of(database, tenant) == {"photo": (7, 2, 2)}
    await engine.chunk()
    await assert_running_sound(database, tenant)
    await apply(engine, tenant, unassign("photo", names[8]))
    await engine.drain(tenant.id)
    view = await view_of(engine, tenant, view.id)
    assert (view.status.value, view.done) == ("succeeded", view.total)
    assert set(states(await seats_of(database, tenant)).values()) == {"queued"}
    assert await pools_of(database, tenant) == {"photo": (0, 8, 8)}
    await assert_running_sound(database, tenant)


async def test_a_renewal_half_way_gives_everything_back(database, tenant):
    engine = Engine(database, rows=2)
    names = [f"p{n}" for n in range(7)]
    await apply(engine, tenant, people(*names), put(program("photo", 7, expires_at=LATER)), assign("photo", *names))
    await comes(database, tenant, "photo")
    view = await fire(engine, tenant)
    await engine.chunk()
    await apply(engine, tenant, put(program("photo", 7, expires_at=LATER)))
    await engine.drain(tenant.id)
    assert set(states(await seats_of(database, tenant)).values()) == {"active"}
    assert (await view_of(engine, tenant, view.id)).status.value == "succeeded"
    assert await continuations(database, tenant.id) == []


async def test_a_seat_that_merges_into_a_row_already_passed_expires_too(database, tenant):
    engine = Engine(database, rows=2)
    names = [f"p{n}" for n in range(4)]
    await apply(engine, tenant, people(*names, email=False), put(program("photo", 9, expires_at=LATER)))
    await apply(engine, tenant, assign("photo", *names, "p0@example.org"))
    await comes(database, tenant, "photo")
    await fire(engine, tenant)
    assert states(await seats_of(database, tenant))["p0"] == "queued"
    await apply(engine, tenant, people("p0"))
    assert states(await seats_of(database, tenant))["p0"] == "active"
    await engine.drain(tenant.id)
    assert set(states(await seats_of(database, tenant)).values()) == {"queued"}
    assert await continuations(database, tenant.id) == []


async def test_a_licence_that_expires_in_the_middle_of_a_fan_out_ends_with_nobody_holding_a_seat(database, tenant):
    engine = Engine(database, rows=2)
    names = [f"p{n}" for n in range(9)]
    await apply(
        engine, tenant, people(*names), groups("g"), put(program("photo", 20, expires_at=LATER)), join("g", *names)
    )
    await begin(engine, tenant, await giving(database, tenant, "g", "photo"))
    await comes(database, tenant, "photo")
    await fire(engine, tenant)
    await engine.drain(tenant.id)
    assert states(await seats_of(database, tenant)) == dict.fromkeys(names, "queued")
    await assert_running_sound(database, tenant)


async def test_each_date_fires_once_whoever_looks(database, tenant, engine):
    stranger = await add_tenant(database)
    for owner in (tenant, stranger):
        await apply(engine, owner, put(*(program(f"l{n}", expires_at=PAST) for n in range(5))))
    fired = await asyncio.gather(*(fire_dates(database) for _ in range(4)))
    assert sum(fired) == 10
    assert await open_operations(database) == 10
    await engine.drain(tenant.id, stranger.id)
    assert await fire_dates(database) == 0


async def test_both_dates_of_a_licence_are_one_operation(engine, database, tenant):
    await apply(engine, tenant, put(program("photo", starts_at=LATER, expires_at=LATER)))
    for kind in ("start", "end"):
        await comes(database, tenant, "photo", kind)
    view = await fire(engine, tenant)
    assert len(await database.fetch(_CHECKS, tenant_id=tenant.id)) == 1
    assert view.request["started"] == view.request["license_ids"]


async def test_what_does_not_exist_and_what_is_a_strangers_is_passed_over(engine, database, tenant):
    stranger = await add_tenant(database)
    await apply(engine, stranger, put(program("photo", expires_at=PAST)))
    theirs = (await ids_of(database, stranger.id))["license", "photo"]
    (outcome,) = await outcomes(engine, tenant, CheckLicenses(license_ids=(theirs, 2**40), started=(theirs,)))
    assert outcome == {"outcome": "checked", "licenses": []}
    assert [event["type"] for event in await events_of(database, tenant.id)] == ["operation.finished"]


async def test_seats_that_are_free_although_somebody_waits_are_given_on(engine, database, tenant):
    await apply(
        engine, tenant, people("ann", "bob"), put(program("photo", 1)), assign("photo", "ann", "bob", wait=True)
    )
    async with database.transaction() as tx:
        await tx.execute(compile_block("raise", "UPDATE license SET capacity = 2 WHERE tenant_id = :tenant_id"),
                         tenant_id=tenant.id)  # fmt: skip
    number = (await ids_of(database, tenant.id))["license", "photo"]
    await apply(engine, tenant, CheckLicenses(license_ids=(number,)))
    assert states(await seats_of(database, tenant)) == {"ann": "active", "bob": "active"}


_SOON = compile_block("soon", "SELECT now() + CAST(:within AS interval) AS at")
_ENDED = compile_block(
    "ended",
    "SELECT max(updated_at) AS at FROM entitlement WHERE tenant_id = :tenant_id HAVING bool_and(state = 2)",
)


async def soon(database, within):
    (row,) = await database.fetch(_SOON, within=within)
    return row["at"]


async def ended_at(database, tenant):
    """When the last holder lost their seat, by the database's clock."""

    async def look():
        rows = await database.fetch(_ENDED, tenant_id=tenant.id)
        return rows[0]["at"] if rows else None

    return await found(look)


@pytest.fixture
def settings(database_url):
    return Settings(database_url=database_url, poll_seconds_without_broker=1.0)


async def test_a_licence_expires_within_about_a_second_of_its_date(engine, database, tenant, settings):
    at = await soon(database, timedelta(seconds=1))
    await apply(engine, tenant, people("ann"), put(program("photo", expires_at=at)), assign("photo", "ann"))
    worker = Worker(settings)
    await worker.start()
    late = await ended_at(database, tenant) - at
    await worker.stop()
    assert timedelta(0) <= late < timedelta(seconds=3)


async def test_a_date_that_came_while_no_worker_ran_fires_when_one_does(engine, database, tenant, settings):
    first = Worker(settings)
    await first.start()
    at = await soon(database, timedelta(seconds=0.5))
    await apply(engine, tenant, people("ann"), put(program("photo", expires_at=at)), assign("photo", "ann"))
    await first.stop()

    async def has_come():
        return await soon(database, timedelta(0)) > at

    await found(has_come)
    second = Worker(settings)
    await second.start()
    assert await ended_at(database, tenant) >= at
    await second.stop()
