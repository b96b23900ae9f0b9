"""What the parts reach alone, beside the service, in turns: set-based SQL, the broker's client, and the web server.

One rule: each part does what the service has it do, on the same servers and as durable, and nothing else.
"""

import asyncio
import json
import sys
from contextlib import ExitStack
from dataclasses import replace
from itertools import count

from infra.local.place import ROOT
from infra.local.ports import HOST, free_port
from tests.benchmarks import raw_sql
from tests.benchmarks.figures import Figure, Sheet, at_least, under
from tests.benchmarks.load import SCENARIOS
from tests.benchmarks.runs import Plan, Servers
from tests.benchmarks.service import Service, new_tenant, service
from tests.benchmarks.workload import Load

SECTION = "limits"
SHARE = 0.5
API_MILLISECONDS = 2
MANY_ROWS = 5_000
_TRANSACTIONS = {raw_sql.ROWS: 500, MANY_ROWS: 20}
_QUICK_TRANSACTIONS = {raw_sql.ROWS: 30, MANY_ROWS: 1}
_MESSAGES = 5_000
_SERVER = "bare-api"


async def measure(plan: Plan) -> list[Figure]:
    """The service and every part alone, once a round.

    Raises:
        RuntimeError: there is no broker.
    """
    if plan.servers.amqp_url is None:
        raise RuntimeError("one of the limits is the broker's")
    rounds = count()
    with ExitStack() as stack:
        started = stack.enter_context(service(plan.servers))
        started.start("worker", "worker")
        await started.ready()
        bare = _bare(plan.servers)
        stack.callback(bare.stop)
        await bare.ready()

        async def step(sheet: Sheet) -> None:
            raw = await _note_sql(sheet, plan)
            token = await new_tenant(started, f"limits-{next(rounds)}")
            await _note_service(sheet, started, token, raw=raw, quick=plan.quick)
            await _note_server(sheet, bare, quick=plan.quick)
            await _note_broker(sheet, plan)

        return await plan.measure(SECTION, step, settle=started.analyze)


def _bare(servers: Servers) -> Service:
    """uvicorn with one process, as the service has one."""
    bare = Service(
        servers=servers, database_url=servers.database_url, port=free_port(), prefix=_SERVER, module="uvicorn"
    )
    bare.start(
        _SERVER, "tests.benchmarks.bare_api:app", "--host", HOST, "--port", str(bare.port), "--no-access-log",
        "--log-level", "warning",
    )  # fmt: skip
    return bare


async def _note_sql(sheet: Sheet, plan: Plan) -> float:
    """The rate with 100 rows a transaction, which the service's is measured by."""
    rates: dict[int, float] = {}
    for rows, transactions in (_QUICK_TRANSACTIONS if plan.quick else _TRANSACTIONS).items():
        rates[rows] = await raw_sql.rate(plan.servers.database_url, transactions=transactions, rows=rows)
        sheet.note(f"set-based SQL alone, {rows:,} rows a transaction", rates[rows], "rows/s")
    return rates[raw_sql.ROWS]


async def _note_service(sheet: Sheet, started: Service, token: str, *, raw: float, quick: bool) -> None:
    played = await started.play(token, load=_load("batches", quick=quick))
    rate = played.load.requests * played.load.items / played.seconds
    sheet.note("Seatline: batches of 100, 16 callers", rate, "items/s")
    sheet.note("  that is, of set-based SQL with 100 rows a transaction", rate / raw, "times", at_least(SHARE))
    played = await started.play(token, load=_load("callers", quick=quick))
    calls = played.load.requests + played.load.warm_up
    sheet.note("Seatline: single calls, 64 callers", played.load.requests / played.seconds, "calls/s")
    used = played.used["api"] / calls * 1_000
    sheet.note("Seatline: processor time of the API for a single call", used, "ms", under(API_MILLISECONDS))


async def _note_server(sheet: Sheet, bare: Service, *, quick: bool) -> None:
    played = await bare.play("none", load=_times(_load("batches", quick=quick)))
    items = (played.load.requests + played.load.warm_up) * played.load.items
    name = "uvicorn and FastAPI alone"
    sheet.note(f"{name}: batches of 100, 16 callers", played.load.requests * 100 / played.seconds, "items/s")
    sheet.note(f"{name}: processor time of an item", played.used[_SERVER] / items * 1_000_000, "µs")
    played = await bare.play("none", load=_times(_load("callers", quick=quick)))
    calls = played.load.requests + played.load.warm_up
    sheet.note(f"{name}: single calls, 64 callers", played.load.requests / played.seconds, "calls/s")
    sheet.note(f"{name}: processor time of a single call", played.used[_SERVER] / calls * 1_000, "ms")


async def _note_broker(sheet: Sheet, plan: Plan) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-P", "-m", "tests.benchmarks.broker_rates",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, cwd=ROOT,
    )  # fmt: skip
    order = {"url": plan.servers.amqp_url, "messages": _MESSAGES // 10 if plan.quick else _MESSAGES}
    output, _ = await process.communicate(json.dumps(order).encode())
    if process.returncode:
        raise RuntimeError(f"the measurement of the broker ended with {process.returncode}")
    for events, rates in json.loads(output).items():
        size = f"{rates['bytes'] / 1_000:.1f} kB"
        what = f"aio-pika alone, {events} {'event' if events == '1' else 'events'} to a message of {size}"
        sheet.note(f"{what}: published and confirmed", rates["published"], "messages/s")
        sheet.note(f"{what}: consumed and acknowledged", rates["consumed"], "messages/s")


def _load(name: str, *, quick: bool) -> Load:
    load = SCENARIOS[name].load
    return replace(load, requests=SCENARIOS[name].quick // 2, warm_up=load.callers) if quick else load


def _times(load: Load) -> Load:
    """So much more that it lasts as long; what is given twice is nothing to who stores nothing."""
    return replace(load, requests=load.requests * 5)
