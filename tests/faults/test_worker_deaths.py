"""Workers are killed and stopped at the worst moments; nothing accepted is lost, nothing is done twice."""

import asyncio
import signal
from datetime import timedelta

import pytest

from infra.failpoints import Failpoint
from tests.support.callers import calling
from tests.support.processes import worker_process
from tests.support.waiting import found

NO_WAIT = timedelta(0)


async def settled(caller, count: int) -> list[dict]:
    """All operations, once `count` of them are there and none is open."""

    async def look():
        rows = await caller.ask("SELECT id, kind, status, attempts, deaths_alone, error FROM operation ORDER BY seq")
        return len(rows) == count and all(row["status"] not in {"queued", "running"} for row in rows) and rows

    return await found(look)


async def groups(caller) -> list[str]:
    return [row["key"] for row in await caller.ask("SELECT key FROM user_group ORDER BY key")]


async def numbered(caller) -> list[int]:
    """The place of every event in the outbox, however many a message holds."""
    rows = await caller.ask("SELECT first_sequence, last_sequence FROM outbox ORDER BY first_sequence")
    return [place for row in rows for place in range(row["first_sequence"], row["last_sequence"] + 1)]


@pytest.mark.parametrize(
    "point", [Failpoint.PASS_BEFORE_COMMIT, Failpoint.PASS_AFTER_COMMIT, Failpoint.PASS_BEFORE_ACK]
)
async def test_a_worker_killed_around_commit_and_ack_leaves_nothing_undone_and_nothing_done_twice(
    database_url, amqp_url, broker_prefix, tmp_path, point
):
    settings = {"database_url": database_url, "amqp_url": amqp_url, "name_prefix": broker_prefix}
    async with calling(database_url, amqp_url=amqp_url, prefix=broker_prefix) as caller:
        armed = {"failpoint": f"{point}:1", "allow_failpoints": "yes"}
        with worker_process(tmp_path / "first.log", **settings, **armed) as doomed:
            await caller.put_group("one", wait=NO_WAIT)
            await asyncio.to_thread(doomed.wait, 30)
        assert doomed.returncode == -signal.SIGKILL
        with worker_process(tmp_path / "second.log", **settings):
            answered = await caller.put_group("two")
            rows = await settled(caller, 2)
        assert answered.response["items"][0]["outcome"] == "created"
        assert [row["status"] for row in rows] == ["succeeded", "succeeded"]
        # Only a pass that had not committed leaves its operation to be counted.
        assert [row["attempts"] for row in rows] == [1 if point is Failpoint.PASS_BEFORE_COMMIT else 0, 0]
        assert await groups(caller) == ["one", "two"]
        assert await numbered(caller) == [1, 2, 3, 4]


async def test_a_worker_that_is_asked_to_stop_under_load_ends_in_time_and_nothing_counts_as_a_death(
    database_url, amqp_url, broker_prefix, tmp_path
):
    settings = {"database_url": database_url, "amqp_url": amqp_url, "name_prefix": broker_prefix}
    async with calling(database_url, amqp_url=amqp_url, prefix=broker_prefix) as caller:
        with worker_process(tmp_path / "one.log", **settings) as one, worker_process(tmp_path / "two.log", **settings):
            await found(lambda: caller.ask("SELECT 1 FROM worker HAVING count(*) = 2"))
            calls = [asyncio.create_task(caller.put_group(f"group-{number}")) for number in range(200)]
            one.terminate()
            assert await asyncio.to_thread(one.wait, 10) == 0
            answers = await asyncio.gather(*calls)
        rows = await settled(caller, 200)
        assert {answer.status for answer in answers} == {"succeeded"}
        assert {row["attempts"] for row in rows} == {0}
        assert await numbered(caller) == list(range(1, 401))


async def test_an_operation_that_kills_its_worker_fails_after_three_deaths_alone_and_spares_its_neighbours(
    database_url, tmp_path
):
    async with calling(database_url) as caller:
        for key in ("before", "poison", "after"):
            await caller.put_group(key, wait=NO_WAIT)
        deaths = 0
        for turn in range(8):
            log = tmp_path / f"{turn}.log"
            with worker_process(log, fault="dies", database_url=database_url, poll_seconds="0.1") as process:
                done, pending = await asyncio.wait(
                    [
                        asyncio.create_task(asyncio.to_thread(process.wait)),
                        asyncio.create_task(settled(caller, 3)),
                    ],
                    return_when=asyncio.FIRST_COMPLETED,
                )
                if process.poll() is None:
                    process.kill()
                    await asyncio.gather(*done, *pending)
                    break
                deaths += 1
                for task in pending:
                    task.cancel()
        rows = await settled(caller, 3)
        assert [row["status"] for row in rows] == ["succeeded", "failed", "succeeded"]
        assert rows[1]["error"]["code"] == "OPERATION_KILLED_WORKER"
        assert rows[1]["deaths_alone"] == 3
        assert 3 <= deaths <= 5
        assert [row["key"] for row in await caller.ask("SELECT key FROM user_group ORDER BY key")] == [
            "after",
            "before",
        ]


async def test_an_operation_that_raises_fails_alone_and_is_answered(database_url, tmp_path):
    async with calling(database_url) as caller:
        for key in ("before", "poison", "after"):
            await caller.put_group(key, wait=NO_WAIT)
        with worker_process(tmp_path / "log", fault="raises", database_url=database_url):
            rows = await settled(caller, 3)
            answered = await caller.put_group("poison-again")
        assert [row["status"] for row in rows] == ["succeeded", "failed", "succeeded"]
        assert rows[1]["error"]["code"] == "OPERATION_RAISED"
        assert answered.status == "failed"
        assert answered.error["code"] == "OPERATION_RAISED"
        assert [row["key"] for row in await caller.ask("SELECT key FROM user_group ORDER BY key")] == [
            "after",
            "before",
        ]


async def test_a_worker_stopped_while_it_holds_a_tenant_loses_it_to_another(database_url, tmp_path):
    async with calling(database_url) as caller:
        stopped = worker_process(tmp_path / "stopped.log", fault="stops", database_url=database_url)
        with stopped as ghost:
            await caller.put_group("poison", wait=NO_WAIT)
            await stopped_in_transaction(caller)
            with worker_process(tmp_path / "other.log", database_url=database_url):
                answered = await caller.put_group("next")
                rows = await settled(caller, 2)
            ghost.send_signal(signal.SIGCONT)
            assert answered.response["items"][0]["outcome"] == "created"
            assert [row["status"] for row in rows] == ["succeeded", "succeeded"]
            await asyncio.to_thread(no_longer_there, ghost)
        assert await groups(caller) == ["next", "poison"]
        assert await numbered(caller) == [1, 2, 3, 4]


async def stopped_in_transaction(caller) -> None:
    """Return when a session of a worker sleeps inside a transaction: the ghost holds its tenant."""
    await found(
        lambda: caller.ask(
            "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle in transaction'"
            " AND application_name = 'seatline worker' AND query LIKE '%user_group%'"
        )
    )


def no_longer_there(process) -> None:
    """The woken ghost finds its session gone and goes on as a worker; it ends when asked to."""
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=20) == 0
