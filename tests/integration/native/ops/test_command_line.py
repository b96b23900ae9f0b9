"""`seatline operations` and `seatline dead-letters`: what the API shows and does, in words and as JSON."""

import asyncio
import json
from functools import partial

import pytest
import structlog
from click.testing import CliRunner

from tests.support.api import without_worker
from tests.support.bad_handlers import RAISES
from tests.support.operators import drain, fail, operator_token, queue
from tests.support.running_api import served
from workers.cli.dead_letters import dead_letters
from workers.cli.operations import operations


@pytest.fixture(autouse=True)
def quiet():
    """What the API in this process logs would stand in what a command prints."""
    with structlog.testing.capture_logs():
        yield


@pytest.fixture
async def api(database_url):
    async with without_worker(database_url) as api:
        yield api


@pytest.fixture
async def url(api):
    async with served(api.app) as url:
        yield url


@pytest.fixture
async def run(api, url):
    token = (await operator_token(api, "script", "ops:write"))["Authorization"].partition(" ")[2]

    async def invoke(command, *words, applied=False, **options):
        call = partial(CliRunner().invoke, command, [*words, "--url", url, "--token", token], **options)
        running = asyncio.create_task(asyncio.to_thread(call))
        while not running.done():
            if applied:
                await drain(api, api.tenant)
            await asyncio.wait([running], timeout=0.05)
        return running.result()

    return invoke


async def test_operations_are_found_shown_and_cancelled(api, run):
    ids = await queue(api, api.tenant, "One", "Two")
    found = await run(operations, "find", "--tenant", "acme", "--status", "queued", "--json")
    assert found.exit_code == 0, found.output
    assert [item["id"] for item in json.loads(found.stdout)["items"]] == ids[::-1]
    told = await run(operations, "find", "--id", ids[0])
    assert (told.exit_code, ids[0] in told.stdout, "queued" in told.stdout) == (0, True, True)
    shown = await run(operations, "show", ids[0], "--request", "--json")
    assert json.loads(shown.stdout)["request"] == {"items": [{"key": "g", "name": "One"}]}
    assert "accepted" in (await run(operations, "show", ids[0])).stdout
    asked = await run(operations, "cancel", ids[1])
    assert (asked.exit_code, asked.stdout.partition(";")[0]) == (0, f"operation {ids[1]} will not be applied")
    await drain(api, api.tenant)
    cancelled = await run(operations, "show", ids[1], "--json")
    assert json.loads(cancelled.stdout)["status"] == "cancelled"
    again = await run(operations, "cancel", ids[1])
    assert (again.exit_code, "OPERATION_NOT_QUEUED" in again.output) == (1, True)


async def test_dead_letters_are_listed_shown_and_redriven(api, run):
    ids = await fail(api, api.tenant, RAISES, RAISES)
    listed = await run(dead_letters, "list", "--json")
    assert [item["id"] for item in json.loads(listed.stdout)["items"]] == ids[::-1]
    by_error = await run(dead_letters, "list", "--by-error")
    assert "ByDesignError" in by_error.stdout
    assert by_error.stdout.splitlines()[-1] == "2 dead letters"
    assert ids[0] in (await run(dead_letters, "show", ids[0])).stdout
    counted = await run(dead_letters, "redrive", "--code", "OPERATION_RAISED", "--dry-run", "--json")
    assert (counted.exit_code, json.loads(counted.stdout)) == (0, {"matched": 2})
    refused = await run(dead_letters, "redrive", "--all", input="n\n")
    assert (refused.exit_code, "redrive 2 dead letters?" in refused.output) == (1, True)
    assert len(json.loads((await run(dead_letters, "list", "--json")).stdout)["items"]) == 2
    done = await run(dead_letters, "redrive", ids[0], "--json", applied=True)
    assert (done.exit_code, json.loads(done.stdout)["redriven"]) == (0, 1)
    rest = await run(dead_letters, "redrive", "--all", "--yes", applied=True)
    assert (rest.exit_code, rest.stdout.splitlines()[-1]) == (0, "1 of 1 redriven")
    nothing = await run(dead_letters, "redrive", "--all", "--yes")
    assert (nothing.exit_code, nothing.stdout) == (1, "0 dead letters match\n")


async def test_dead_letters_are_discarded_with_a_reason(api, run):
    [number] = await fail(api, api.tenant, RAISES)
    assert (await run(dead_letters, "discard", number)).exit_code == 2
    done = await run(dead_letters, "discard", number, "--reason", "a test", applied=True)
    assert (done.exit_code, done.stdout) == (0, "1 of 1 discarded\n")
    shown = await run(dead_letters, "show", number)
    assert (shown.exit_code, "is no dead letter" in shown.output) == (1, True)
    assert json.loads((await run(operations, "show", number, "--json")).stdout)["discard_reason"] == "a test"


async def test_what_is_not_there_or_not_said_is_one_line(run):
    nobody = "01939f6e-7c2a-7d3e-9b1a-2f6d1c0e4b5a"
    for command, words, code in (
        (operations, ["find"], 1),
        (operations, ["show", nobody], 1),
        (operations, ["cancel", nobody], 1),
        (operations, ["find", "--status", "sung"], 2),
        (operations, ["find", "--user", "ann"], 1),
        (dead_letters, ["show", nobody], 1),
        (dead_letters, ["redrive"], 2),
        (dead_letters, ["redrive", nobody, "--all"], 2),
        (dead_letters, ["list", "--by-error", "--kind", "users.put"], 2),
        (dead_letters, ["list", "--tenant", "nobody"], 1),
    ):
        refused = await run(command, *words)
        assert refused.exit_code == code, (words, refused.output)
    assert (await run(dead_letters, "list")).stdout == "no dead letters\n"
