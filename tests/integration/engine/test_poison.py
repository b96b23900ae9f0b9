"""An operation that cannot be applied fails alone: what stands before it and after it succeeds, in order."""

from collections import Counter

import pytest

from domain.outcomes import OperationStatus
from infra.postgres.statements import compile_block
from tests.support.bad_handlers import BAD_HANDLERS, RAISES, TIMES_OUT, VIOLATES, named
from tests.support.directory_commands import put_users
from tests.support.engine import Asked, Engine, accept, add_tenant, events_of, operations, state_of
from tests.support.oracle import assert_sound

UNKNOWN_KIND = compile_block("unknown", "UPDATE operation SET kind = 'nonsense' WHERE id = CAST(:id AS uuid)")
BLAME = compile_block("blame", "UPDATE operation SET attempts = 2 WHERE id = CAST(:id AS uuid)")
UNREADABLE = compile_block(
    "unreadable", "UPDATE operation SET request = '{\"things\": 1}' WHERE id = CAST(:id AS uuid)"
)


@pytest.fixture
def engine(database):
    return Engine(database, handlers=BAD_HANDLERS)


async def run_names(engine, tenant, *names, dry_run=False):
    ids = await accept(
        engine.database, [Asked(tenant_id=tenant.id, command=named(name), dry_run=dry_run) for name in names]
    )
    await engine.drain(tenant.id)
    return await operations(engine.database, tenant.id, ids)


@pytest.mark.parametrize(
    ("poison", "told"),
    [(RAISES, "ByDesignError at "), (VIOLATES, "UniqueViolationError 23505 in the statement violation at ")],
)
@pytest.mark.parametrize("place", [0, 6, 12])
async def test_an_operation_that_raises_fails_alone_and_the_others_succeed_in_order(
    engine, tenant, poison, told, place
):
    names = [f"Name {n}" for n in range(12)]
    names.insert(place, poison)
    views = await run_names(engine, tenant, *names)
    assert [view.status for view in views] == [
        OperationStatus.FAILED if name == poison else OperationStatus.SUCCEEDED for name in names
    ]
    failed = views[place]
    assert failed.error["code"] == "OPERATION_RAISED"
    assert failed.error["message"].startswith(told)
    assert "secret" not in failed.error["message"]
    # A statement that goes out while what follows is made is told by its name alone.
    assert ("bad_handlers._put_groups" in failed.error["message"]) == (poison == RAISES)
    assert "sessions." not in failed.error["message"]
    assert failed.response is None
    assert failed.finished_at is not None
    events = await events_of(engine.database, tenant.id)
    finished = [event["data"]["operation"] for event in events if event["type"] == "operation.finished"]
    assert [(one["id"], one["status"]) for one in finished] == [(str(view.id), view.status.value) for view in views]
    state = await state_of(engine.database, tenant.id)
    assert_sound(state, events)
    assert state["groups"]["g"]["name"] == [name for name in names if name != poison][-1]


async def test_several_poisonous_operations_fail_each_for_itself(engine, tenant):
    views = await run_names(engine, tenant, RAISES, "One", RAISES, VIOLATES, "Two")
    assert [view.status.value for view in views] == ["failed", "succeeded", "failed", "failed", "succeeded"]


async def test_the_neighbours_of_a_poisoned_tenant_lose_nothing(engine, database, tenant):
    others = [(await add_tenant(database)).id for _ in range(5)]
    ids = {
        other: await accept(database, [Asked(tenant_id=other, command=named(f"Name {n}")) for n in range(3)])
        for other in others
    }
    await accept(database, [Asked(tenant_id=tenant.id, command=named(name)) for name in ("One", RAISES, "Two")])
    await engine.drain(tenant.id, *others)
    for other in others:
        assert {view.status.value for view in await operations(database, other, ids[other])} == {"succeeded"}
        assert_sound(await state_of(database, other), await events_of(database, other))


async def test_after_the_poison_the_tenant_soon_has_passes_as_large_as_before(engine, database, tenant):
    await run_names(engine, tenant, *["Name"] * 4, RAISES, *["Name"] * 40)
    sizes = [len(named_) for named_ in engine.witness.named]
    assert sizes[:5] == [45, 22, 11, 5, 2]
    assert max(sizes[5:]) >= 8
    await run_names(engine, tenant, *["Name"] * 60)
    assert len(engine.witness.named) <= len(sizes) + 5


async def test_a_claim_is_acked_though_its_pass_fails(engine, database, tenant):
    acked = []
    await accept(database, [Asked(tenant_id=tenant.id, command=named(RAISES))])
    engine.ready.add(tenant.id, lambda: acked.append(1))
    await engine.turn()
    assert acked == [1]


async def test_whoever_waits_for_a_failed_operation_is_told(engine, database, tenant):
    asked = [Asked(tenant_id=tenant.id, command=named(name)) for name in ("One", RAISES)]
    ids = await accept(database, asked, reply_to="a queue")
    await engine.drain(tenant.id)
    told = [number for replies in engine.replies for numbers in replies.values() for number in numbers]
    assert Counter(told) == Counter(ids)


async def test_what_fails_while_another_worker_holds_its_tenant_is_left_to_that_worker(
    engine, database, tenant, monkeypatch
):
    [number] = await accept(database, [Asked(tenant_id=tenant.id, command=named(RAISES))])

    async def held_elsewhere(_tx, _tenant_ids):
        return {}

    with monkeypatch.context() as context:
        context.setattr("workers.delivery.lock_tenants", held_elsewhere)
        await engine.drain(tenant.id)
    assert [view.status.value for view in await operations(database, tenant.id, [number])] == ["queued"]
    await engine.drain(tenant.id)
    assert [view.status.value for view in await operations(database, tenant.id, [number])] == ["failed"]


async def test_a_poisonous_dry_run_fails_and_announces_nothing(engine, database, tenant):
    [view] = await run_names(engine, tenant, RAISES, dry_run=True)
    assert view.status is OperationStatus.FAILED
    assert await events_of(database, tenant.id) == []


@pytest.mark.parametrize("spoil", [UNKNOWN_KIND, UNREADABLE])
async def test_what_no_longer_reads_as_a_command_fails_without_a_pass_of_its_own(engine, database, tenant, spoil):
    ids = await accept(database, [Asked(tenant_id=tenant.id, command=named(f"Name {n}")) for n in range(3)])
    async with database.transaction() as tx:
        await tx.execute(spoil, id=ids[1])
    await engine.drain(tenant.id)
    views = await operations(database, tenant.id, ids)
    assert [view.status.value for view in views] == ["succeeded", "failed", "succeeded"]
    assert views[1].error["code"] == "OPERATION_UNREADABLE"
    assert len(engine.witness.named) == 1
    assert (await events_of(database, tenant.id))[-1]["data"]["operation"]["status"] == "succeeded"


async def test_a_statement_timeout_counts_as_an_attempt_when_alone_and_the_third_fails(engine, database, tenant):
    ids = await accept(database, [Asked(tenant_id=tenant.id, command=named(n)) for n in ("One", TIMES_OUT, "Two")])
    engine.ready.add(tenant.id)
    attempts = []
    while len(engine.ready):
        await engine.turn()
        attempts.append((await operations(database, tenant.id, ids))[1].attempts)
    views = await operations(database, tenant.id, ids)
    assert [view.status.value for view in views] == ["succeeded", "failed", "succeeded"]
    assert views[1].error["code"] == "OPERATION_TIMED_OUT"
    assert sorted(set(attempts)) == [0, 1, 2]
    assert engine.witness.named.count([ids[1]]) == 3


async def test_what_workers_died_over_still_has_its_three_timeouts(engine, database, tenant):
    """They may have died for somebody else, and after a crash of the server statements are slow."""
    ids = await accept(database, [Asked(tenant_id=tenant.id, command=named(TIMES_OUT))])
    async with database.transaction() as tx:
        await tx.execute(BLAME, id=ids[0])
    await engine.drain(tenant.id)
    [view] = await operations(database, tenant.id, ids)
    assert (view.status.value, view.error["code"], view.attempts) == ("failed", "OPERATION_TIMED_OUT", 4)
    assert engine.witness.named.count([ids[0]]) == 3


async def test_an_operation_that_was_suspected_wrongly_succeeds_alone_and_the_rest_follow(engine, database, tenant):
    ids = await accept(database, [Asked(tenant_id=tenant.id, command=put_users(n)) for n in (1, 2, 3)])
    async with database.transaction() as tx:
        await tx.execute(BLAME, id=ids[1])
    other = await add_tenant(database)
    await accept(database, [Asked(tenant_id=other.id, command=put_users(1))])
    await engine.drain(tenant.id, other.id)
    assert [view.status.value for view in await operations(database, tenant.id, ids)] == ["succeeded"] * 3
    assert [ids[1]] in engine.witness.named
