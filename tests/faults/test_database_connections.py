"""Connections to the database end at the worst place: when it has committed and cannot say so any more."""

from datetime import timedelta

import pytest

from api import acceptance
from api.acceptance import Acceptance, AcceptanceUnknownError, DatabaseUnavailableError
from domain.commands import GroupPut, PutGroups
from domain.outcomes import OperationStatus
from infra.postgres import database as postgres
from infra.postgres.database import Database
from infra.postgres.statements import compile_block
from tests.support.callers import calling
from tests.support.engine import Asked, Engine, accept, add_tenant, events_of, operations, state_of
from tests.support.tcp_proxy import TcpProxy
from tests.support.waiting import found

NO_WAIT = timedelta(0)
COMMAND = PutGroups(items=(GroupPut(key="one", name="One"),))


@pytest.fixture
async def proxy(database_url):
    async with TcpProxy(database_url) as proxy:
        yield proxy


async def test_an_acceptance_whose_commit_is_not_answered_is_unknown_and_its_key_finds_it_again(proxy):
    async with calling(proxy.url) as caller:
        proxy.swallow_answer_to(b"COMMIT")
        with pytest.raises(AcceptanceUnknownError) as unknown:
            await caller.post(COMMAND, key="k", wait=NO_WAIT)
        again = await caller.post(COMMAND, key="k", wait=NO_WAIT)
        assert again.replayed
        assert again.operation.id == unknown.value.operation_id
        assert await caller.ask("SELECT count(*) AS operations FROM operation") == [{"operations": 1}]


async def test_an_acceptance_that_is_cut_off_before_its_commit_is_refused_and_its_key_is_free(proxy):
    async with calling(proxy.url) as caller:
        proxy.swallow_answer_to(b"operation")
        with pytest.raises(DatabaseUnavailableError):
            await caller.post(COMMAND, key="k", wait=NO_WAIT)
        assert not (await caller.post(COMMAND, key="k", wait=NO_WAIT)).replayed
        assert await caller.ask("SELECT count(*) AS operations FROM operation") == [{"operations": 1}]


async def test_a_key_whose_holder_is_removed_at_that_moment_is_refused_for_now(database_url, monkeypatch):
    async def nobody(*_: object) -> dict[tuple[int, str], object]:
        return {}

    async with calling(database_url) as caller:
        await caller.post(COMMAND, key="k", wait=NO_WAIT)
        monkeypatch.setattr(acceptance, "accepted_by_key", nobody)
        with pytest.raises(DatabaseUnavailableError):
            await caller.post(COMMAND, key="k", wait=NO_WAIT)
        monkeypatch.undo()
        assert (await caller.post(COMMAND, key="k", wait=NO_WAIT)).replayed


@pytest.mark.parametrize("words", [b"COMMIT", b"outbox", b"user_group", b"tenant_log"])
async def test_a_pass_that_is_cut_off_is_repeated_and_nothing_happens_twice(proxy, words):
    database = Database(proxy.url, size=4)
    try:
        tenant = await add_tenant(database)
        ids = await accept(database, [Asked(tenant_id=tenant.id, command=COMMAND)])
        proxy.swallow_answer_to(words)
        await Engine(database).drain(tenant.id)
        assert proxy.resets == 1
        assert [view.status for view in await operations(database, tenant.id, ids)] == [OperationStatus.SUCCEEDED]
        assert list((await state_of(database, tenant.id))["groups"]) == ["one"]
        assert [event["sequence"] for event in await events_of(database, tenant.id)] == [1, 2]
    finally:
        await database.close()


async def test_a_flush_that_fails_in_a_way_nobody_foresaw_spares_those_that_follow(database_url, monkeypatch):
    async def fail(*_: object) -> None:
        raise KeyError

    async with calling(database_url) as caller:
        monkeypatch.setattr(Acceptance, "_flush", fail)
        with pytest.raises(KeyError):
            await caller.post(COMMAND, wait=NO_WAIT)
        monkeypatch.undo()
        assert (await caller.post(COMMAND, wait=NO_WAIT)).operation.status is OperationStatus.QUEUED


async def test_a_server_that_has_vanished_is_given_up_and_another_is_found_at_its_address(proxy, monkeypatch):
    monkeypatch.setattr(postgres, "_SILENCE_SECONDS", 0.5)
    database = Database(proxy.url, size=1)
    try:
        asked = compile_block("asked", "SELECT 1 AS one")
        await database.fetch(asked)
        proxy.black_hole()
        with pytest.raises(TimeoutError):
            await database.fetch(asked)
        proxy.heal()
        async with database.transaction() as tx:
            assert [row["one"] for row in await tx.fetch(asked)] == [1]
        proxy.black_hole()
        with pytest.raises(TimeoutError):
            async with database.transaction() as tx:
                await tx.fetch(asked)
        proxy.heal()
        assert [row["one"] for row in await database.fetch(asked)] == [1]
    finally:
        await database.close()


FATAL = b"SFATAL\0C57P01\0Mterminating connection due to administrator command\0\0"
FAREWELL = b"E" + (len(FATAL) + 4).to_bytes(4) + FATAL


async def test_connections_on_which_the_server_has_said_farewell_cost_refusals_and_are_not_used_again(
    database_url, proxy
):
    async with calling(database_url) as bystander, calling(proxy.url, tenant="other") as caller:
        await caller.post(COMMAND, wait=NO_WAIT)
        proxy.say_to_clients(FAREWELL)
        await bystander.ask("SELECT 1")  # meanwhile the farewell is read, and the connections still stand
        with pytest.raises(DatabaseUnavailableError):
            await caller.post(COMMAND, wait=NO_WAIT)

        async def accepted():
            try:
                return await caller.post(COMMAND, wait=NO_WAIT)
            except DatabaseUnavailableError:
                return None

        assert (await found(accepted)).operation.status is OperationStatus.QUEUED
