"""Waiting for answers: replies are hints, and whoever they leave out is found by polling."""

import asyncio
from datetime import timedelta

import pytest

from api.answers import Answers
from domain.commands import GroupPut, PutGroups
from domain.outcomes import OperationStatus
from infra.postgres.database import Database
from infra.postgres.operations import read_operations
from tests.support.engine import Asked, Engine, accept, add_tenant
from tests.support.waiting import eventually

LONG = timedelta(minutes=1)


class TalkativeBroker:
    """A broker whose replies are said by the test."""

    reachable = True

    async def consume_replies(self, on_reply):
        self.reply = on_reply
        return "replies"


class Hesitant(Database):
    """Answers what has finished only when it is let."""

    def __init__(self, url):
        super().__init__(url, size=4)
        self.asked, self.go = asyncio.Event(), asyncio.Event()

    async def fetch(self, statement, **binds):
        rows = await super().fetch(statement, **binds)
        if statement.name == "read_finished":
            self.asked.set()
            await self.go.wait()
        return rows


@pytest.fixture
async def database(database_url):
    database = Database(database_url, size=4)
    yield database
    await database.close()


async def test_a_lost_reply_is_made_up_for_while_replies_to_others_keep_coming(database):
    tenant = await add_tenant(database)
    command = PutGroups(items=(GroupPut(key="one", name="One"),))
    [forgotten] = await accept(database, [Asked(tenant_id=tenant.id, command=command)])
    await Engine(database).drain(tenant.id)
    [open_one] = await accept(database, [Asked(tenant_id=tenant.id, command=command)])
    broker = TalkativeBroker()
    answers = Answers(database=database, broker=broker)
    await answers.start()
    with answers.expected(tenant.id, forgotten), answers.expected(tenant.id, open_one):
        waiting = asyncio.create_task(answers.wait(tenant.id, forgotten, LONG))

        def answered_between_two_replies() -> bool:
            broker.reply([open_one])
            return waiting.done()

        await eventually(answered_between_two_replies)
    await answers.stop()
    assert (await waiting).status is OperationStatus.SUCCEEDED


async def test_who_comes_while_another_leaves_is_told_the_request_that_the_other_had_kept(database_url, database):
    tenant = await add_tenant(database)
    command = PutGroups(items=(GroupPut(key="one", name="One"),))
    [finished] = await accept(database, [Asked(tenant_id=tenant.id, command=command)])
    await Engine(database).drain(tenant.id)
    [stored] = await read_operations(database, [(tenant.id, finished)])
    hesitant = Hesitant(database_url)
    answers = Answers(database=hesitant, broker=None)
    await answers.start()
    with answers.expected(tenant.id, finished):
        leaving = asyncio.create_task(answers.wait(tenant.id, finished, LONG, request=stored.request))
        await hesitant.asked.wait()
        leaving.cancel()
    with answers.expected(tenant.id, finished):
        coming = asyncio.create_task(answers.wait(tenant.id, finished, LONG))
        await asyncio.sleep(0)
        hesitant.go.set()
        view = await coming
    await answers.stop()
    await hesitant.close()
    assert view == stored
