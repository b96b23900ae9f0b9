"""The service under measurement: real `seatline api` and `seatline worker` processes on the servers of the run."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from http import HTTPStatus
from urllib.parse import urlsplit

import asyncpg
import httpx

from domain.scopes import TENANT_SCOPES
from infra.local import databases
from infra.local.place import ROOT
from infra.local.ports import HOST, free_port
from infra.local.processes import Command
from infra.local.running import Child
from infra.postgres import administration
from infra.postgres.database import Database
from tests.benchmarks import processor
from tests.benchmarks.runs import Servers
from tests.benchmarks.workload import GROUPS, PEOPLE, ROLE, Load

DIRECTORY_BATCH = 1_000
_LAST_SEQUENCE = "SELECT event_seq FROM tenant_log JOIN tenant ON tenant.id = tenant_id WHERE key = $1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """What the load generator measured, and the processor seconds by process, its warm-up included."""

    load: Load
    seconds: float
    latencies: list[float]
    used: Mapping[str, float]


@dataclass(slots=True, kw_only=True)
class Service:
    """One API process and some workers on a database of their own."""

    servers: Servers
    database_url: str
    port: int
    prefix: str
    module: str = "workers.cli"
    children: list[Child] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Where the API listens."""
        return f"http://{HOST}:{self.port}"

    def start(self, name: str, *arguments: str, **variables: str) -> Child:
        """Start one `seatline` process; `variables` are settings without their prefix."""
        clean = {key: value for key, value in os.environ.items() if not key.startswith("SEATLINE_")}
        settings = {
            "DATABASE_URL": self.database_url,
            "AMQP_URL": self.servers.amqp_url or "",
            "MANAGEMENT_URL": "",
            "NAME_PREFIX": self.prefix,
            "LOG_LEVEL": "warning",
            "VERIFY_HOUR": "off",  # a benchmark that is run at that hour would be measured beside a recount
            **{key.upper(): value for key, value in variables.items()},
        }
        environment = {**clean, **{f"SEATLINE_{key}": value for key, value in settings.items()}}
        command = Command(
            name=name,
            argv=(sys.executable, "-P", "-m", self.module, *arguments),
            environment={**environment, "PYTHONPATH": str(ROOT)},
            log=self.servers.place.logs / f"{name}.log",
        )
        child = Child.start(command, self.servers.place.records)
        self.children.append(child)
        return child

    def verify(self) -> None:
        """Recount everything: a figure that was reached by miscounting is none.

        Raises:
            RuntimeError: there is drift.
        """
        variables = {**os.environ, "SEATLINE_DATABASE_URL": self.database_url, "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-P", "-m", "workers.cli", "verify"]
        told = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
        if told.returncode:
            raise RuntimeError(f"{told.stdout}{told.stderr}")

    def stop(self, name: str | None = None) -> None:
        """Stop one process, or all of them, the API last."""
        for child in reversed([child for child in self.children if name in {None, child.command.name}]):
            child.stop()
            self.children.remove(child)

    async def ready(self, path: str = "/readyz", *, seconds: float = 30) -> None:
        """Wait until the API answers at this path.

        Raises:
            RuntimeError: one of the processes has ended; with what it has said.
            TimeoutError: it does not answer in time.
        """
        async with httpx.AsyncClient(base_url=self.url, trust_env=False) as client:
            async with asyncio.timeout(seconds):
                while not await _answers(client, path):
                    for child in self.children:
                        if child.has_ended():
                            raise RuntimeError(child.command.log.read_text(encoding="utf-8"))
                    await asyncio.sleep(0.1)

    async def last_sequence(self, tenant: str) -> int:
        """How many events the tenant's log has numbered."""
        connection = await asyncpg.connect(self.database_url)
        try:
            return int(await connection.fetchval(_LAST_SEQUENCE, tenant))
        finally:
            await connection.close()

    async def analyze(self) -> None:
        """Have Postgres look at its tables, as autovacuum does within a minute where a service has run for longer.

        Without statistics it may take an index for as good as another that is far better.
        """
        connection = await asyncpg.connect(self.database_url)
        try:
            await connection.execute("ANALYZE")
        finally:
            await connection.close()

    async def play(self, *tokens: str, load: Load, refusals: int = 0) -> Played:
        """Play a load by a generator of its own, for the tenants of these tokens in turns, and return what it saw.

        `refusals` is how many items must be refused.

        Raises:
            RuntimeError: another number of items was refused: then the figure would not mean what it says.
        """
        order = {"host": HOST, "port": self.port, "tokens": tokens, "load": asdict(load)}
        before = processor.read(self.servers.processes())
        generator = await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-m", "tests.benchmarks.generator",
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, cwd=ROOT,
        )  # fmt: skip
        output, _ = await generator.communicate(json.dumps(order).encode())
        if generator.returncode:
            raise RuntimeError(f"the load generator ended with {generator.returncode}")
        after, result = processor.read(self.servers.processes()), json.loads(output)
        if result["refused"] != refusals:
            raise RuntimeError(f"{result['refused']} items were refused where {refusals} should have been")
        used = {**processor.between(before, after).ours, processor.GENERATOR: result["cpu"]}
        return Played(load=load, seconds=result["seconds"], latencies=sorted(result["latencies"]), used=used)


@contextmanager
def on_database(servers: Servers, name: str) -> Iterator[Service]:
    """A service without processes yet, on a database of its own that is empty, and gone at the block's end."""
    url = databases.create(servers.database_url)
    started = Service(servers=servers, database_url=url, port=free_port(), prefix=f"{name}-{urlsplit(url).path[-6:]}")
    try:
        yield started
    finally:
        started.stop()
        databases.drop(url)


@contextmanager
def service(servers: Servers, *, name: str = "bench") -> Iterator[Service]:
    """An API process on a fresh database, without a worker yet; recounted at the block's end."""
    with on_database(servers, name) as started:
        started.start("api", "api", "--port", str(started.port))
        yield started
        started.verify()


async def new_tenant(started: Service, key: str) -> str:
    """Create a tenant with its people, groups and role, the people through the API; returns a token."""
    database = Database(started.database_url, size=1)
    try:
        await administration.create_tenant(database, key=key, org=f"{key}-org", name=key)
        issued = await administration.create_token(database, tenant_key=key, scopes=TENANT_SCOPES)
    finally:
        await database.close()
    people = [
        {"key": f"p{number:04}", "username": f"p{number:04}", "first_name": "Ada", "last_name": f"Lovelace {number}",
         "email": f"p{number:04}@{key}.example", "department": f"Department {number % 20}"}
        for number in range(PEOPLE)
    ]  # fmt: skip
    groups = [{"key": f"g{number:02}", "name": f"Group {number}"} for number in range(GROUPS)]
    role: Mapping[str, object] = {
        "key": ROLE,
        "permission_scope": "USER_GROUPS",
        "titles": {"en": "Learner", "de": "Teilnahme"},
    }
    headers = {"Authorization": f"Bearer {issued.token}"}
    async with httpx.AsyncClient(base_url=started.url, headers=headers, timeout=60, trust_env=False) as client:
        await _put(client, "/v1/roles:batch", [role])
        await _put(client, "/v1/groups:batch", groups)
        for begin in range(0, PEOPLE, DIRECTORY_BATCH):
            await _put(client, "/v1/users:batch", people[begin : begin + DIRECTORY_BATCH])
    return issued.token


async def _put(client: httpx.AsyncClient, path: str, items: Sequence[Mapping[str, object]]) -> None:
    answer = await client.post(path, json={"items": list(items)}, headers={"Prefer": "wait=60"})
    if answer.status_code != HTTPStatus.OK:
        raise RuntimeError(f"POST {path}: {answer.status_code} {answer.text[:300]}")


async def _answers(client: httpx.AsyncClient, path: str) -> bool:
    try:
        return (await client.get(path)).status_code == HTTPStatus.OK
    except httpx.TransportError:
        return False
