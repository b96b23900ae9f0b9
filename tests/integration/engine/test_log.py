"""The log of a tenant: gapless, its own, silent on dry runs, with messages of at most a hundred events of one type."""

import json

from domain.commands import AssignmentOp, DeleteGroups
from infra.cloudevents import EVENTS_PER_MESSAGE, split
from infra.postgres.statements import compile_block
from tests.support.directory_commands import change, delete_groups, delete_users, put_groups, put_roles, put_users
from tests.support.engine import Asked, accept, body_of, events_of, operations, state_of
from tests.support.oracle import assert_sound
from tests.support.sample_events import assert_documented

MESSAGES = compile_block(
    "messages",
    """
    SELECT type, first_sequence, last_sequence, operation_id, routing_key, body, bytes, published_at
      FROM outbox WHERE tenant_id = CAST(:tenant_id AS bigint) ORDER BY id
    """,
)
LOG = compile_block("log", "SELECT event_seq, type_seq FROM tenant_log WHERE tenant_id = CAST(:tenant_id AS bigint)")


async def people_in_a_group(engine, tenant, count):
    for command in (put_users(count), put_groups(1), put_roles(1), change(AssignmentOp.CREATE, count)):
        [operation] = await engine.run(Asked(tenant_id=tenant.id, command=command))
        assert operation.status.value == "succeeded"


async def test_messages_hold_a_run_of_one_type_and_at_most_a_hundred_events(database, tenant, engine):
    await people_in_a_group(engine, tenant, 250)
    messages = await database.fetch(MESSAGES, tenant_id=tenant.id)
    following = 1
    for message in messages:
        events = [json.loads(event) for event in split(body_of(message))]
        assert 1 <= len(events) <= EVENTS_PER_MESSAGE
        assert message["first_sequence"] == following
        following = message["last_sequence"] + 1
        assert [int(event["sequence"]) for event in events] == list(range(message["first_sequence"], following))
        assert {event["type"] for event in events} == {f"seatline.{message['type']}.v1"}
        assert message["routing_key"] == f"{tenant.key}.{message['type']}"
        assert {event["operationid"] for event in events} == {str(message["operation_id"])}
        assert message["published_at"] is None
    assert [row["type"] for row in messages].count("group_assignment.created") == 3


async def test_the_operations_of_a_pass_tell_what_they_did_and_then_how_they_ended(database, tenant, engine):
    asked = [Asked(tenant_id=tenant.id, command=put_groups(1, name=f"G{n}")) for n in range(150)]
    ids = [str(number) for number in await accept(database, asked)]
    await engine.drain(tenant.id)
    assert engine.delivery.passes == 1
    messages = await database.fetch(MESSAGES, tenant_id=tenant.id)
    assert [(row["type"], row["first_sequence"], row["last_sequence"]) for row in messages] == [
        ("group.updated", 1, 100), ("group.updated", 101, 150),
        ("operation.finished", 151, 250), ("operation.finished", 251, 300),
    ]  # fmt: skip
    events = [json.loads(event) for message in messages for event in split(body_of(message))]
    assert [event["operationid"] for event in events] == [*ids, *ids]
    assert [event["subject"] for event in events[150:]] == [f"operations/{number}" for number in ids]


async def test_every_event_is_as_its_schema_says(database, tenant, engine):
    await people_in_a_group(engine, tenant, 3)
    for command in (delete_users(1), delete_groups(1)):
        await engine.run(Asked(tenant_id=tenant.id, command=command))
    events = [
        json.loads(event)
        for message in await database.fetch(MESSAGES, tenant_id=tenant.id)
        for event in split(body_of(message))
    ]
    assert {event["type"].split(".")[1] for event in events} == {"user", "group", "group_assignment", "operation"}
    for event in events:
        assert_documented(event)


async def test_two_tenants_logs_know_nothing_of_each_other(database, tenant, stranger, engine):
    asked = [
        Asked(tenant_id=who.id, command=command)
        for command in (put_users(3), put_groups(2), put_roles(1), change(AssignmentOp.CREATE, 3))
        for who in (tenant, stranger)
    ]
    await accept(database, asked)
    await engine.drain(tenant.id, stranger.id)
    await engine.run(Asked(tenant_id=tenant.id, command=delete_groups(2)))
    logs = {who.id: await events_of(database, who.id) for who in (tenant, stranger)}
    assert [len(log) for log in logs.values()] == [18, 12]
    for who in (tenant, stranger):
        assert_sound(await state_of(database, who.id), logs[who.id])
        [log] = await database.fetch(LOG, tenant_id=who.id)
        assert log["event_seq"] == len(logs[who.id])
        assert log["type_seq"] == {event["type"]: event["sequence"] for event in logs[who.id]}
    mine, theirs = ({event["operation"] for event in log} for log in logs.values())
    assert mine.isdisjoint(theirs)


async def test_a_dry_run_answers_as_the_real_one_would_and_leaves_nothing(database, tenant, engine):
    await people_in_a_group(engine, tenant, 3)
    before = await state_of(database, tenant.id), await events_of(database, tenant.id)
    for command in (
        put_users(5, name="x", primary_group="g0"),
        delete_groups(1),
        change(AssignmentOp.DELETE, 4),
        delete_users(4),
    ):
        [dry] = await engine.run(Asked(tenant_id=tenant.id, command=command, dry_run=True))
        assert dry.status.value in {"succeeded", "partially_succeeded"}
        assert (await state_of(database, tenant.id), await events_of(database, tenant.id)) == before
    [real] = await engine.run(Asked(tenant_id=tenant.id, command=delete_users(4)))
    assert real.response == dry.response


async def test_a_dry_run_stands_on_what_was_applied_before_it_in_the_same_pass(database, tenant, engine):
    asked = [
        Asked(tenant_id=tenant.id, command=put_groups(1)),
        Asked(tenant_id=tenant.id, command=DeleteGroups(keys=("g0",)), dry_run=True),
        Asked(tenant_id=tenant.id, command=put_groups(1)),
    ]
    ids = await accept(database, asked)
    await engine.drain(tenant.id)
    outcomes = [view.response["items"][0]["outcome"] for view in await operations(database, tenant.id, ids)]
    assert outcomes == ["created", "deleted", "replaced"]
    assert engine.delivery.passes == 1
