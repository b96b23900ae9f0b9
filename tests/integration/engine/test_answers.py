"""Claims and replies are hints: one claim wakes a tenant, a reply saves a poll, and without either all is answered."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest

from api import answers
from api.intake import Intake, Submission
from domain.outcomes import OperationStatus
from infra.settings import Settings
from tests.support.directory_commands import put_groups
from tests.support.engine import PRESENTATION

WAIT = timedelta(seconds=30)


class StubBroker:
    """Takes claims, and gives the replies that the test gives it."""

    def __init__(self):
        self.claims = []
        self.claimed = asyncio.Event()
        self.reachable = True
        self.reply = None

    async def publish_claims(self, claims):
        self.claims.append(list(claims))
        self.claimed.set()
        return len(claims)

    async def consume_replies(self, on_reply):
        self.reply = on_reply
        return "a reply queue"


@pytest.fixture
async def broker():
    return StubBroker()


@pytest.fixture
async def intake(database, database_url, broker):
    intake = Intake(database=database, broker=broker, settings=Settings(database_url=database_url))
    await intake.start()
    yield intake
    await intake.stop()


def submission(tenant, **fields):
    given = {"command": put_groups(1), "presentation": PRESENTATION, "fingerprint": b"", **fields}
    return Submission(tenant_id=tenant.id, **given)


async def test_what_a_flush_accepted_of_a_tenant_is_one_claim(intake, tenant, stranger, broker):
    together = [submission(who, request_id=f"request {n}") for n in range(5) for who in (tenant, stranger)]
    accepted = await asyncio.gather(*(intake.submit(one, wait=timedelta(0)) for one in together))
    await asyncio.wait_for(broker.claimed.wait(), WAIT.total_seconds())
    [claims] = broker.claims
    assert {claim.tenant_id for claim in claims} == {tenant.id, stranger.id}
    assert len(claims) == 2
    assert {claim.operation_id for claim in claims} <= {answer.operation.id for answer in accepted}


async def test_a_reply_is_answered_without_waiting_for_the_poll(intake, tenant, engine, broker, monkeypatch):
    monkeypatch.setattr(answers, "_LAST_POLL", 3_600.0)
    waiting = asyncio.create_task(intake.submit(submission(tenant), wait=WAIT))
    await asyncio.wait_for(broker.claimed.wait(), WAIT.total_seconds())
    await engine.drain(tenant.id)
    [replies] = engine.replies
    assert list(replies) == ["a reply queue"]
    broker.reply([uuid4(), *replies["a reply queue"]])
    answer = await asyncio.wait_for(waiting, WAIT.total_seconds())
    assert answer.operation.status is OperationStatus.SUCCEEDED


async def test_a_reply_that_comes_before_its_row_is_asked_for_again(intake, tenant, engine, broker):
    waiting = asyncio.create_task(intake.submit(submission(tenant), wait=WAIT))
    await asyncio.wait_for(broker.claimed.wait(), WAIT.total_seconds())
    broker.reply([broker.claims[0][0].operation_id])
    await engine.drain(tenant.id)
    answer = await asyncio.wait_for(waiting, WAIT.total_seconds())
    assert answer.operation.status is OperationStatus.SUCCEEDED


@pytest.mark.parametrize("reachable", [True, False])
async def test_without_a_reply_the_rows_are_asked(intake, tenant, engine, broker, reachable):
    broker.reachable = reachable
    waiting = [asyncio.create_task(intake.submit(submission(tenant), wait=WAIT)) for _ in range(20)]
    await asyncio.wait_for(broker.claimed.wait(), WAIT.total_seconds())
    await engine.drain(tenant.id)
    found = await asyncio.wait_for(asyncio.gather(*waiting), WAIT.total_seconds())
    assert {answer.operation.status for answer in found} == {OperationStatus.SUCCEEDED}


async def test_a_caller_who_went_away_is_forgotten_and_the_operation_goes_on(intake, tenant, engine, broker, database):
    waiting = asyncio.create_task(intake.submit(submission(tenant), wait=WAIT))
    await asyncio.wait_for(broker.claimed.wait(), WAIT.total_seconds())
    waiting.cancel()
    await asyncio.wait([waiting])
    assert intake._answers._futures == {}
    await engine.drain(tenant.id)
    assert engine.delivery.passes == 1
