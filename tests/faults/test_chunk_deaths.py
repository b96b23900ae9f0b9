"""Workers that one chunk kills again and again: its operation fails in the end, and nothing else does."""

import asyncio

from domain.license_commands import SetGroupLicense
from infra.failpoints import Failpoint
from infra.postgres.statements import compile_block
from tests.support.callers import calling
from tests.support.crowds import fill
from tests.support.processes import worker_process
from tests.support.running import assert_running_sound
from tests.support.waiting import found

MEMBERS = 8_000
"""More than a first chunk takes."""
_FAILED = compile_block("failed", "SELECT * FROM operation WHERE id = :id AND status = 'failed'")
_ENDED = """SELECT true WHERE NOT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database()
                                                                    AND application_name = 'seatline worker')"""


async def test_an_operation_whose_chunks_kill_workers_fails_after_three_deaths_and_others_go_on(database_url, tmp_path):
    armed = {"failpoint": f"{Failpoint.CHUNK_BEFORE_COMMIT}:1", "allow_failpoints": "yes"}
    settings = {"database_url": database_url, "poll_seconds_without_broker": "0.05", **armed}
    async with calling(database_url) as caller:
        with worker_process(tmp_path / "first.log", **settings) as first:
            license_id, [group_id] = await fill(caller, database_url, members=MEMBERS)
            answer = (await caller.post(SetGroupLicense(license_id=license_id, group_id=group_id))).operation
            await asyncio.to_thread(first.wait, 60)
        await found(lambda: caller.ask(_ENDED))
        deaths = 1
        while deaths < 8 and await _dies(caller, tmp_path / f"{deaths}.log", settings, answer.id):
            deaths += 1
        [row] = await caller.database.fetch(_FAILED, id=answer.id)
        assert (row["error"]["code"], row["deaths_alone"]) == ("OPERATION_KILLED_WORKER", 3)
        assert 3 <= deaths <= 5
        with worker_process(tmp_path / "last.log", **settings):
            assert (await caller.put_group("afterwards")).status == "succeeded"
        assert await caller.ask("SELECT reserved FROM license") == [{"reserved": 0}]
        assert await caller.ask("SELECT 1 FROM operation WHERE status = 'failed' HAVING count(*) = 1")
        await assert_running_sound(caller.database, caller, given_up=True)


async def _dies(caller, log, settings, number):
    """Whether a worker that is started now dies before it has failed the operation."""
    with worker_process(log, **settings) as process:
        failed = asyncio.create_task(found(lambda: caller.database.fetch(_FAILED, id=number)))
        death = asyncio.create_task(asyncio.to_thread(process.wait))
        await asyncio.wait([failed, death], return_when=asyncio.FIRST_COMPLETED)
        is_dead = process.poll() is not None
        process.kill()
        await death
        failed.cancel()
    # Before the server has ended its sessions, the next one would not count it among the dead.
    await found(lambda: caller.ask(_ENDED))
    return is_dead
