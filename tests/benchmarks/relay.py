"""The relay's own benchmark, run as it stands and read into figures."""

import asyncio
import os
import re
import sys
from functools import partial

from infra.local.place import ROOT
from tests.benchmarks.figures import Figure, Sheet
from tests.benchmarks.runs import Plan, Servers

SECTION = "relay"


async def measure(plan: Plan) -> list[Figure]:
    """Events a second from the outbox to one bound queue.

    Raises:
        RuntimeError: there is no broker, or the benchmark failed.
    """
    if plan.servers.amqp_url is None:
        raise RuntimeError("the relay needs a broker")

    async def run(sheet: Sheet, events: int) -> None:
        output = await _run(plan.servers, messages=300 if plan.quick else 3_000, events=events)
        found = re.search(r"([\d,]+) events/s, ([\d,]+) messages/s, relay CPU (\d+)%", output)
        if found is None:
            raise RuntimeError(f"the relay's benchmark said: {output}")
        name = f"{events} to a message" if events > 1 else "one to a message"
        sheet.note(f"events, {name}", float(found[1].replace(",", "")), "events/s")
        sheet.note(f"messages, {name}", float(found[2].replace(",", "")), "messages/s")
        sheet.note(f"the relay's processor, {name}", float(found[3]), "% of a core")

    return await plan.measure(SECTION, partial(run, events=100), partial(run, events=1))


async def _run(servers: Servers, *, messages: int, events: int) -> str:
    variables = {"SEATLINE_TEST_DATABASE_URL": servers.database_url, "SEATLINE_TEST_AMQP_URL": str(servers.amqp_url)}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-P", "-m", "tests.benchmarks.relay_rate",
        "--messages", str(messages), "--events", str(events),
        stdout=asyncio.subprocess.PIPE, cwd=ROOT, env={**os.environ, **variables},
    )  # fmt: skip
    output, _ = await process.communicate()
    return output.decode()
