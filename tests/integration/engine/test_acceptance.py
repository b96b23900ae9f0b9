"""Acceptance: shared inserts, idempotency keys, refused rows, the cap on open operations, the wait for the answer."""

import asyncio
from collections import Counter
from datetime import timedelta

import pytest

from api.acceptance import RefusedByDatabaseError, TooManyOpenOperationsError
from api.intake import IdempotencyKeyReusedError, Submission
from domain.commands import GroupPut, PutGroups, PutUsers, UserPut
from domain.outcomes import OperationStatus
from infra.postgres.database import Transaction
from tests.support.directory_commands import put_groups, put_users
from tests.support.engine import PRESENTATION, Engine, open_operations

NO_WAIT, WAIT = timedelta(0), timedelta(seconds=30)


def submission(tenant, command=None, **fields):
    """A submission of one group, if no other command is given."""
    return Submission(
        **{
            "tenant_id": tenant.id,
            "command": command or put_groups(1),
            "presentation": PRESENTATION,
            "fingerprint": b"a request",
            **fields,
        }
    )


async def together(intake, *submissions, wait=NO_WAIT):
    """What becomes of submissions that are made at the same moment: answers or errors."""
    return await asyncio.gather(*(intake.submit(one, wait=wait) for one in submissions), return_exceptions=True)


@pytest.fixture
def statements(monkeypatch):
    """How often each statement ran in a transaction."""
    ran, fetch = Counter(), Transaction.fetch

    async def counting(self, statement, **binds):
        ran[statement.name] += 1
        return await fetch(self, statement, **binds)

    monkeypatch.setattr(Transaction, "fetch", counting)
    return ran


async def test_what_comes_at_the_same_moment_shares_an_insert(intake, tenant, stranger, statements):
    answers = await together(intake, *(submission(who) for who in (tenant, stranger) for _ in range(50)))
    assert {answer.operation.status for answer in answers} == {OperationStatus.QUEUED}
    assert len({answer.operation.id for answer in answers}) == 100
    assert statements["accept_operations"] == 1


async def test_what_comes_while_an_insert_runs_shares_the_next(intake, tenant, statements):
    first = asyncio.create_task(intake.submit(submission(tenant), wait=NO_WAIT))
    async with asyncio.timeout(30):
        while not statements["accept_operations"]:
            await asyncio.wait([first], timeout=0)
    await together(intake, *(submission(tenant) for _ in range(20)))
    await first
    assert statements["accept_operations"] == 2


async def test_one_tenants_commands_are_in_its_log_in_the_order_of_their_submission(intake, tenant):
    answers = await together(intake, *(submission(tenant, put_groups(n)) for n in range(1, 30)))
    in_log = sorted(answers, key=lambda answer: answer.operation.seq)
    assert [answer.operation.total for answer in in_log] == list(range(1, 30))


async def test_an_answer_is_waited_for(intake, tenant, engine):
    waiting = asyncio.create_task(intake.submit(submission(tenant), wait=WAIT))
    async with asyncio.timeout(30):
        while not waiting.done():
            await engine.drain(tenant.id)
            await asyncio.wait([waiting], timeout=0)
    operation = waiting.result().operation
    assert operation.status is OperationStatus.SUCCEEDED
    assert operation.response["items"][0]["outcome"] == "created"


async def test_when_the_wait_runs_out_the_operation_is_shown_as_it_stands(intake, tenant):
    answer = await intake.submit(submission(tenant), wait=timedelta(milliseconds=1))
    assert answer.operation.status is OperationStatus.QUEUED
    assert not answer.replayed


async def test_a_key_that_comes_again_with_the_same_request_is_the_same_operation(intake, tenant, engine):
    asked = submission(tenant, idempotency_key="a key")
    first = await intake.submit(asked, wait=NO_WAIT)
    await engine.drain(tenant.id)
    again = await intake.submit(asked, wait=WAIT)
    third = await intake.submit(asked, wait=WAIT)
    assert again.operation.id == first.operation.id
    assert (first.replayed, again.replayed) == (False, True)
    assert again == third
    assert again.operation.response["items"][0]["outcome"] == "created"


async def test_a_replay_of_an_open_operation_waits_as_the_first_call_does(intake, tenant, engine):
    asked = submission(tenant, idempotency_key="a key")
    both = [asyncio.create_task(intake.submit(asked, wait=WAIT)) for _ in range(2)]
    async with asyncio.timeout(30):
        while not all(task.done() for task in both):
            await engine.drain(tenant.id)
            await asyncio.wait(both, timeout=0)
    answers = [task.result() for task in both]
    assert answers[0].operation == answers[1].operation
    assert sorted(answer.replayed for answer in answers) == [False, True]


async def test_a_key_that_comes_again_with_another_request_is_refused(intake, tenant):
    await intake.submit(submission(tenant, idempotency_key="a key"), wait=NO_WAIT)
    with pytest.raises(IdempotencyKeyReusedError):
        await intake.submit(submission(tenant, idempotency_key="a key", fingerprint=b"another"), wait=NO_WAIT)


async def test_keys_belong_to_their_tenants(intake, tenant, stranger):
    answers = await together(intake, *(submission(who, idempotency_key="a key") for who in (tenant, stranger)))
    assert [answer.replayed for answer in answers] == [False, False]


async def test_a_key_sent_by_many_at_once_makes_one_operation(intake_with, database, tenant):
    intakes = [await intake_with(), await intake_with()]
    asked = submission(tenant, idempotency_key="a key")
    answers = [
        answer
        for batch in await asyncio.gather(*(together(intake, *[asked] * 10) for intake in intakes))
        for answer in batch
    ]
    assert len({answer.operation.id for answer in answers}) == 1
    assert sum(not answer.replayed for answer in answers) == 1
    assert await open_operations(database) == 1


async def test_rows_go_in_by_tenant_and_key_whatever_order_they_come_in(intake, tenant, stranger):
    keys = ["c", "a", "b"]
    asked = [submission(who, idempotency_key=key) for key in keys for who in (stranger, tenant)]
    answers = await together(intake, *asked)
    placed = zip(answers, asked, strict=True)
    inserted = [
        (one.tenant_id, one.idempotency_key) for _, one in sorted(placed, key=lambda place: place[0].operation.seq)
    ]
    assert inserted == sorted(inserted)


async def test_two_processes_that_insert_the_same_keys_in_different_orders_do_not_deadlock(
    intake_with, database, tenant
):
    intakes = [await intake_with(), await intake_with()]
    keys = [f"key {n}" for n in range(40)]
    orders = [keys, keys[::-1]]
    batches = await asyncio.gather(
        *(
            together(intake, *(submission(tenant, idempotency_key=key) for key in order))
            for intake, order in zip(intakes, orders, strict=True)
        )
    )
    assert not [answer for batch in batches for answer in batch if isinstance(answer, Exception)]
    assert await open_operations(database) == 40


@pytest.mark.parametrize(
    "bad",
    [
        {"request_id": "a \0"},
        {"command": PutUsers(items=(UserPut(key="u", username="u", attributes={"a": float("inf")}),))},
        {"command": PutGroups(items=(GroupPut(key="g", name="\ud800"),))},
    ],
    ids=["NUL", "Infinity", "an unpaired surrogate"],
)
async def test_a_row_that_the_database_refuses_is_refused_alone(intake, database, tenant, bad):
    answers = await together(intake, submission(tenant), submission(tenant, **bad), submission(tenant))
    assert isinstance(answers[1], RefusedByDatabaseError)
    assert [answers[place].operation.status for place in (0, 2)] == ["queued", "queued"]
    assert await open_operations(database) == 2


async def test_a_tenant_has_no_more_open_operations_than_it_may(intake_with, tenant, stranger, engine):
    intake = await intake_with(open_operations_limit=3)
    answers = await together(intake, *(submission(tenant) for _ in range(5)), submission(stranger))
    refused = [isinstance(answer, TooManyOpenOperationsError) for answer in answers]
    assert refused == [False, False, False, True, True, False]
    with pytest.raises(TooManyOpenOperationsError):
        await intake.submit(submission(tenant), wait=NO_WAIT)
    await engine.drain(tenant.id)
    await intake.submit(submission(tenant), wait=NO_WAIT)


async def test_a_replay_is_answered_whatever_room_there_is(intake_with, tenant):
    intake = await intake_with(open_operations_limit=1)
    asked = submission(tenant, idempotency_key="a key")
    await intake.submit(asked, wait=NO_WAIT)
    assert (await intake.submit(asked, wait=NO_WAIT)).replayed


async def test_a_stopped_flush_leaves_what_was_accepted_for_the_workers(intake_with, database, tenant):
    intake = await intake_with()
    await together(intake, *(submission(tenant, put_users(2)) for _ in range(3)))
    await intake.stop()
    engine = Engine(database)
    await engine.drain(tenant.id)
    assert await open_operations(database) == 0
