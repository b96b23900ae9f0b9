"""The broker and the database are killed, restarted, purged and absent; what was accepted is applied and announced."""

import asyncio
from datetime import timedelta
from types import SimpleNamespace

import aio_pika
import pytest

from api.acceptance import AcceptanceUnknownError, DatabaseUnavailableError
from domain.commands import GroupPut, PutGroups
from infra.postgres import migrate
from infra.postgres.faults import is_transient
from infra.postgres.workers import reap_workers
from infra.rabbitmq.claims import Claim
from infra.rabbitmq.topology import Topology
from tests.faults.test_worker_deaths import numbered, settled
from tests.support.callers import calling
from tests.support.processes import worker_process
from tests.support.servers import private_postgres, private_rabbitmq
from tests.support.waiting import eventually, found
from workers.liveness import Liveness
from workers.pulse import Pulse

NO_WAIT = timedelta(0)


async def published(caller) -> None:
    """Return when the outbox has nothing pending."""

    async def look():
        return not await caller.ask("SELECT 1 FROM outbox WHERE published_at IS NULL LIMIT 1")

    await found(look)


async def test_without_a_broker_everything_is_applied_by_polling(database_url, tmp_path):
    async with calling(database_url) as caller:
        with worker_process(tmp_path / "log", database_url=database_url):
            answered = await caller.put_group("one")
        assert answered.status == "succeeded"
        assert await caller.ask("SELECT count(*) AS pending FROM outbox WHERE published_at IS NULL") == [{"pending": 2}]


@pytest.fixture
def rabbitmq():
    with private_rabbitmq() as server:
        yield server


@pytest.fixture
def postgres():
    # The defaults: what a commit has promised must survive the kill.
    with private_postgres({}) as server:
        yield server


async def test_a_broker_that_is_killed_and_comes_back_gets_every_event(database_url, rabbitmq, tmp_path):
    url = rabbitmq.server.url
    async with calling(database_url, amqp_url=url) as caller:
        with worker_process(tmp_path / "log", database_url=database_url, amqp_url=url):
            assert (await caller.put_group("before")).status == "succeeded"
            await asyncio.to_thread(rabbitmq.kill)
            assert (await caller.put_group("during")).status == "succeeded"
            await asyncio.to_thread(rabbitmq.start)
            assert (await caller.put_group("after")).status == "succeeded"
            await published(caller)
            await eventually(lambda: caller.broker.reachable)
        rows = await settled(caller, 3)
        assert {row["status"] for row in rows} == {"succeeded"}
        assert await numbered(caller) == list(range(1, 7))


async def test_purged_and_deleted_queues_lose_nothing_and_come_back(database_url, amqp_url, broker_prefix, tmp_path):
    topology = Topology(prefix=broker_prefix)
    settings = {"database_url": database_url, "amqp_url": amqp_url, "name_prefix": broker_prefix}
    connection = await aio_pika.connect(amqp_url)
    async with connection, calling(database_url, amqp_url=amqp_url, prefix=broker_prefix) as caller:
        channel = await connection.channel()
        for number in range(20):
            await caller.put_group(f"purged-{number}", wait=NO_WAIT)
            if number == 9:
                await (await channel.get_queue(topology.commands_queue)).purge()
        await channel.queue_delete(topology.commands_queue)
        with worker_process(tmp_path / "log", **settings):
            await settled(caller, 20)
            await channel.queue_delete(topology.commands_queue)
            answers = await asyncio.gather(*(caller.put_group(f"deleted-{number}") for number in range(20)))
            assert {answer.status for answer in answers} == {"succeeded"}
            await eventually(lambda: caller.broker.reachable)
            queue = await declared(connection, topology.commands_queue)
            await queue.purge()
            assert (await caller.put_group("last")).status == "succeeded"
        rows = await settled(caller, 41)
        assert {row["status"] for row in rows} == {"succeeded"}


async def declared(connection, name: str):
    """The queue, once somebody has declared it again."""

    async def look():
        channel = await connection.channel()
        try:
            return await channel.declare_queue(name, passive=True)
        except aio_pika.exceptions.ChannelClosed:
            return None

    return await found(look)


NO_CLAIMS = (
    b"",
    b"garbage",
    b"x" * 1_000_000,
    b'{"v":2,"tenant_id":1,"operation_id":"0190f3d2-7c1e-7a55-9c3b-5d2f6a1e8b40"}',
    b'{"v":1,"tenant_id":99999999999999999999,"operation_id":"0190f3d2-7c1e-7a55-9c3b-5d2f6a1e8b40"}',
)


async def test_messages_that_are_no_claims_are_set_aside_and_calls_are_answered(
    database_url, amqp_url, broker_prefix, tmp_path
):
    topology = Topology(prefix=broker_prefix)
    settings = {"database_url": database_url, "amqp_url": amqp_url, "name_prefix": broker_prefix}
    connection = await aio_pika.connect(amqp_url)
    async with connection, calling(database_url, amqp_url=amqp_url, prefix=broker_prefix) as caller:
        channel = await connection.channel()
        exchange = await channel.get_exchange(topology.commands_exchange)
        for body in NO_CLAIMS:
            await exchange.publish(aio_pika.Message(body), routing_key=topology.claim_key)
        with worker_process(tmp_path / "log", **settings):
            unreadable = await channel.get_queue(topology.unreadable_queue)
            kept = [await found(lambda: unreadable.get(no_ack=True, fail=False)) for _ in NO_CLAIMS]
            assert {message.body for message in kept} == set(NO_CLAIMS)
            assert (await caller.put_group("next")).status == "succeeded"


async def test_a_claim_delivered_three_times_changes_nothing(database_url, amqp_url, broker_prefix, tmp_path):
    settings = {"database_url": database_url, "amqp_url": amqp_url, "name_prefix": broker_prefix}
    async with calling(database_url, amqp_url=amqp_url, prefix=broker_prefix) as caller:
        with worker_process(tmp_path / "one.log", **settings), worker_process(tmp_path / "two.log", **settings):
            for number in range(10):
                answered = await caller.put_group(f"group-{number}", wait=NO_WAIT)
                claim = Claim(tenant_id=caller.tenant_id, operation_id=answered.id)
                for _ in range(3):
                    assert await caller.broker.publish_claims([claim]) == 1
            rows = await settled(caller, 10)
        assert {row["status"] for row in rows} == {"succeeded"}
        assert await numbered(caller) == list(range(1, 21))


async def test_a_postgres_that_restarts_immediately_loses_no_accepted_command(postgres, tmp_path):
    url = postgres.server.url
    await migrate.upgrade(url)
    async with calling(url) as caller:
        with (
            worker_process(tmp_path / "one.log", database_url=url),
            worker_process(tmp_path / "two.log", database_url=url),
        ):
            accepted = [(await caller.put_group(f"before-{number}", wait=NO_WAIT)).id for number in range(30)]
            await asyncio.to_thread(postgres.kill)
            await asyncio.to_thread(postgres.start)
            answered = await answered_again(caller)
            accepted.append(answered.id)
            rows = await settled(caller, len(accepted))
        assert {row["id"] for row in rows} == set(accepted)
        assert {row["status"] for row in rows} == {"succeeded"}
        groups = await caller.ask("SELECT count(*) AS groups FROM user_group")
        assert groups == [{"groups": len(accepted)}]


async def test_a_postgres_that_crashes_forgets_which_workers_it_knew_and_their_deaths_count(postgres):
    """Else an operation that crashes the server again and again would never be found."""
    url = postgres.server.url
    await migrate.upgrade(url)
    async with calling(url) as caller:
        first = (await caller.put_group("first", wait=NO_WAIT)).id
        worker = Liveness(database=caller.database, name="a worker", version="test", pulse=NeverAway())
        await worker.name([SimpleNamespace(tenant_id=caller.tenant_id, id=first, attempts=0, deaths_alone=0)])
        # Names are written down a little later; this commit takes them along.
        await caller.put_group("second", wait=NO_WAIT)
        await asyncio.to_thread(postgres.kill)
        await asyncio.to_thread(postgres.start)
        await found(lambda: registered_again(worker))
        async with calling(url, tenant="other") as again:
            assert await again.ask("SELECT worker_id FROM worker_session") == [{"worker_id": worker.worker_id}]
            async with again.database.transaction() as tx:
                assert (await reap_workers(tx, worker.worker_id)).operations == 1
            deaths = await again.ask("SELECT deaths_alone FROM operation ORDER BY seq")
        assert [row["deaths_alone"] for row in deaths] == [1, 0]
        await worker.leave()


async def test_an_operation_that_crashes_the_server_fails_after_three_crashes_and_spares_its_neighbours(
    postgres, tmp_path
):
    """Its worker lives, but cannot say so: the server has forgotten whom it knew.

    It does so at once; what the worker has named is not on the disk by then, until it takes care of that. That suspects
    take turns is held elsewhere (tests/integration/engine/test_lost_sessions.py).
    """
    url = postgres.server.url
    await migrate.upgrade(url)
    settings = {"fault": "crashes-the-server", "database_url": url, "poll_seconds": "0.1"}
    async with calling(url) as caller, calling(url, tenant="one") as one, calling(url, tenant="two") as two:
        for key in ("before", "poison", "after"):
            await caller.put_group(key, wait=NO_WAIT)
        for neighbour in (one, two):
            for number in range(5):
                await neighbour.put_group(f"group-{number}", wait=NO_WAIT)
        with worker_process(tmp_path / "a.log", **settings), worker_process(tmp_path / "b.log", **settings):
            rows = await found(lambda: settled_by_now(caller, 13))
        assert [row["status"] for row in rows] == ["succeeded", "failed", *["succeeded"] * 11]
        assert (rows[1]["error"]["code"], rows[1]["deaths_alone"]) == ("OPERATION_KILLED_WORKER", 3)


async def settled_by_now(caller, count):
    """As `settled`, of a server that is away now and then."""
    try:
        rows = await caller.ask("SELECT status, deaths_alone, error FROM operation ORDER BY seq")
    except Exception as error:
        if not is_transient(error):
            raise
        return []
    return rows if len(rows) == count and all(row["status"] not in {"queued", "running"} for row in rows) else []


class NeverAway(Pulse):
    """However long the server takes to start."""

    longest_absence = 0.0


async def registered_again(worker):
    try:
        return not await worker.name([])
    except Exception as error:
        if not is_transient(error):
            raise
        return False


async def answered_again(caller):
    """The first answer after the restart; a refusal for want of a database is retried with the same key."""
    command = PutGroups(items=(GroupPut(key="after", name="after"),))

    async def look():
        try:
            return (await caller.post(command, key="again")).operation
        except (DatabaseUnavailableError, AcceptanceUnknownError):
            return None

    return await found(look)
