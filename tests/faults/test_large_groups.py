"""A group of 100,000 members: given its licence while workers are killed, asked in between, and deleted again."""

import asyncio
import signal
import time
from pathlib import Path

import pytest

from domain.commands import DeleteGroups
from domain.license_commands import SetGroupLicense
from infra.postgres.statements import compile_block
from tests.support.callers import calling
from tests.support.crowds import fill
from tests.support.processes import worker_process
from tests.support.running import assert_running_sound
from tests.support.waiting import found

MEMBERS = 100_000
MOST_MEGABYTES = 200


@pytest.fixture
async def caller(database_url):
    async with calling(database_url) as caller:
        yield caller


def megabytes(process):
    """The most memory that the process has ever had."""
    status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
    [line] = [line for line in status.splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) // 1024


async def ended(caller, number):
    """The operation, once nothing of it goes on."""
    ask = "SELECT status, done, total FROM operation WHERE id = :id AND finished_at IS NOT NULL"
    return (await found(lambda: caller.ask(ask, id=number), seconds=120))[0]


async def test_a_fan_out_goes_on_where_a_killed_worker_left_it_and_a_cascade_takes_all_of_it_back(
    caller, database_url, tmp_path
):
    settings = {"database_url": database_url, "poll_seconds_without_broker": "0.05"}
    with worker_process(tmp_path / "first.log", **settings) as first:
        license_id, [group_id] = await fill(caller, database_url, members=MEMBERS)
        began = time.perf_counter()
        answer = (await caller.post(SetGroupLicense(license_id=license_id, group_id=group_id))).operation
        assert time.perf_counter() - began < 5.0  # 1 s on a quiet machine: the benchmark measures it
        assert answer.response["items"][0]["requested"] == MEMBERS
        progress = compile_block("progress", "SELECT 1 FROM operation WHERE id = :id AND done > total / 10")
        await found(lambda: caller.database.fetch(progress, id=answer.id))
        first.send_signal(signal.SIGKILL)
        await asyncio.to_thread(first.wait, 10)
    await assert_running_sound(caller.database, caller)
    with worker_process(tmp_path / "second.log", **settings) as second:
        await caller.put_group("in-between")  # the new worker is up
        began = time.perf_counter()
        await caller.put_group("between-two-chunks")
        assert time.perf_counter() - began < 5.0
        row = await ended(caller, answer.id)
        assert (row["status"], row["done"], row["total"]) == ("succeeded", MEMBERS, MEMBERS)
        assert await caller.ask("SELECT used, reserved FROM license") == [{"used": MEMBERS, "reserved": 0}]
        await assert_running_sound(caller.database, caller)
        cascade = (await caller.post(DeleteGroups(keys=("everybody",), cascade=True))).operation
        row = await ended(caller, cascade.id)
        assert (row["status"], row["done"]) == ("succeeded", row["total"])
        assert await caller.ask("SELECT used, reserved FROM license") == [{"used": 0, "reserved": 0}]
        assert await caller.ask("SELECT count(*) AS left FROM group_assignment") == [{"left": 0}]
        assert megabytes(second) < MOST_MEGABYTES
