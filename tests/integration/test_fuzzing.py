"""Schemathesis against a running service: every operation of the document, well-formed and malformed, and in chains.

Whatever it sends, nothing is answered 5xx, every status is documented, and every body is as the document describes it.
`SEATLINE_TEST_EXAMPLES=100` (cases of each operation and phase) makes a run longer, `SEATLINE_TEST_SEED=…` repeats one.
"""

import asyncio
import os
import re
import sys

import uvicorn

from infra.postgres.administration import create_token
from tests.support.api import serving
from tests.support.servers import ROOT
from tests.support.worlds import fill

EXAMPLES = os.environ.get("SEATLINE_TEST_EXAMPLES", "4")
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
# A stream never ends; its own tests read from it.
TENANTS, OPERATORS = "^/(?!v1/ops)", "^/v1/ops/(?!overview/stream)"


async def test_whatever_a_tenant_sends_the_document_is_true(database_url):
    async with serving(database_url, database_pool_size=16) as api:
        await fill(api, "own")
        api.is_filled_by_hand = True  # what has been sent is arbitrary, and verified where its meaning is known
        async with served(api.app) as url:
            assert await fuzzed(url, api.headers["Authorization"], TENANTS) == how_many(api, TENANTS)


async def test_whatever_an_operator_sends_the_document_is_true(database_url):
    async with serving(database_url, database_pool_size=16) as api:
        issued = await create_token(api.services.database, tenant_key=None, scopes=["ops:write", "tenants:admin"])
        async with served(api.app) as url:
            assert await fuzzed(url, f"Bearer {issued.token}", OPERATORS) == how_many(api, OPERATORS)


def how_many(api, paths):
    """How many operations of the document these are."""
    return sum(len(methods) for path, methods in api.app.openapi()["paths"].items() if re.match(paths, path))


class served:  # noqa: N801 - reads as what it does
    """The application behind a real socket."""

    def __init__(self, app):
        config = uvicorn.Config(app, host="127.0.0.1", port=0, lifespan="off", log_config=None)
        self._server = uvicorn.Server(config)

    async def __aenter__(self):
        self._task = asyncio.create_task(self._server.serve())
        while not self._server.started:  # noqa: ASYNC110 - uvicorn offers no event
            await asyncio.sleep(0)
        return f"http://127.0.0.1:{self._server.servers[0].sockets[0].getsockname()[1]}"

    async def __aexit__(self, *_):
        self._server.should_exit = True
        await self._task


async def fuzzed(url, authorization, paths):
    seed = os.environ.get("SEATLINE_TEST_SEED", "1")
    words = [
        *("run", f"{url}/openapi.json", "--include-path-regex", paths, "--header", f"Authorization: {authorization}"),
        *("--header", "Prefer: wait=5", "--checks", CHECKS, "--mode", "all", "--max-examples", EXAMPLES),
        *("--phases", "examples,fuzzing,stateful", "--seed", seed, "--no-shrink", "--workers", "2"),
        *("--suppress-health-check", "all", "--warnings", "off", "--continue-on-failure", "--no-color"),
    ]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SEATLINE_")}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "schemathesis.cli", *words),
        cwd=ROOT / ".dev",
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    told, _ = await process.communicate()
    print(told.decode()[-20_000:])  # noqa: T201 - the seed, and what repeats a failure
    assert process.returncode == 0
    tested = re.search(r"Operations:\s+.*?(\d+) selected", told.decode())
    return int(tested[1]) if tested else 0
