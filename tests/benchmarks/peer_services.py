"""The peers as running processes: each on a database and a queue of its own, filled with the same people and groups."""

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path

import asyncpg
import httpx

from infra.local import databases
from infra.local.place import ROOT
from infra.local.ports import HOST, free_port
from infra.local.processes import Command
from infra.local.running import Child
from tests.benchmarks.runs import Servers
from tests.benchmarks.service import Service
from tests.benchmarks.workload import GROUPS, PEOPLE, ROLE

_MODULES = "tests.benchmarks.peers"
_START_SECONDS = 60
# As many processes as the machine has cores, where the peer's documentation leaves the number to whoever runs it.
_PROCESSES = str(os.cpu_count() or 1)

_FILL = f"""
INSERT INTO roles (key, permission_scope, title) VALUES ('{ROLE}', 'USER_GROUPS', 'Learner');
INSERT INTO groups (key, name, user_count)
SELECT 'g' || lpad(number::text, 2, '0'), 'Group ' || number, 0 FROM generate_series(0, {GROUPS - 1}) AS number;
INSERT INTO users (key, first_name, last_name, department, active)
SELECT 'p' || lpad(number::text, 4, '0'), 'Ada', 'Lovelace ' || number, 'Department ' || number % 20, true
  FROM generate_series(0, {PEOPLE - 1}) AS number;
ANALYZE;
"""
_EMPTY = "TRUNCATE assignments; UPDATE groups SET user_count = 0; VACUUM ANALYZE groups"
_DRIFT = """
SELECT count(*) FROM groups
 WHERE user_count <> (SELECT count(DISTINCT user_id) FROM assignments WHERE group_id = groups.id)
"""
_GIVEN = "SELECT count(*) FROM assignments"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One peer: the module of its HTTP side, how many processes that has, and its workers' command, if it has any."""

    name: str
    api: str
    api_processes: str = "1"
    worker: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)


_CELERY = (
    "celery", "-A", f"{_MODULES}.celery_app", "worker", "--concurrency", _PROCESSES, "--loglevel", "warning",
    "--without-gossip", "--without-mingle",
)  # fmt: skip
_FASTSTREAM = (
    "faststream",
    "run",
    f"{_MODULES}.faststream_worker:app",
    "--workers",
    _PROCESSES,
    "--log-level",
    "warning",
)
KINDS = {
    kind.name: kind
    for kind in (
        Kind(name="celery", api="celery_api", worker=_CELERY),
        Kind(
            name="celery-each",
            api="celery_api",
            worker=(*_CELERY, "--hostname", "each@%h"),
            variables={"PEER_READS": "each"},
        ),
        Kind(name="faststream", api="faststream_api", worker=_FASTSTREAM),
        Kind(name="direct", api="direct_api", api_processes=_PROCESSES),
    )
}


@asynccontextmanager
async def peer(servers: Servers, kind: Kind, python: Path) -> AsyncIterator[Service]:
    """The peer, filled and answering; everything is gone at the block's end."""
    url = databases.create(servers.database_url)
    started = Service(servers=servers, database_url=url, port=free_port(), prefix=kind.name)
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith("SEATLINE_")},
        "PEER_DATABASE_URL": url,
        "PEER_AMQP_URL": servers.amqp_url or "",
        # Two that share a broker must not take each other's work.
        "PEER_QUEUE": f"peer-{kind.name}",
        "PYTHONPATH": str(ROOT),
        **kind.variables,
    }

    def start(name: str, *command: str) -> None:
        argv = (str(python), "-P", "-m", *command)
        log = servers.place.logs / f"{name}.log"
        started.children.append(
            Child.start(Command(name=name, argv=argv, environment=environment, log=log), servers.place.records)
        )

    try:
        await _fill(url, environment, python)
        start(
            f"{kind.name}-api", "uvicorn", f"{_MODULES}.{kind.api}:app", "--host", HOST, "--port", str(started.port),
            "--workers", kind.api_processes, "--timeout-keep-alive", "120",
            # Its parent ends a process that does not answer in 5 s, and with it connections in the middle of a run.
            "--timeout-worker-healthcheck", "60",
            "--no-access-log", "--log-level", "warning",
        )  # fmt: skip
        if kind.worker:
            start(f"{kind.name}-worker", *kind.worker)
        await started.ready("/openapi.json", seconds=_START_SECONDS)
        try:
            await _working(started)
        except TimeoutError as error:
            logs = (child.command.log.read_text(encoding="utf-8")[-1_500:] for child in started.children)
            raise RuntimeError(f"{kind.name} does not work:\n" + "\n".join(logs)) from error
        yield started
    finally:
        started.stop()
        databases.drop(url)


async def emptied(started: Service) -> None:
    """Take all assignments away, so that a round begins like the first."""
    connection = await asyncpg.connect(started.database_url)
    try:
        for statement in _EMPTY.split(";"):
            await connection.execute(statement)
    finally:
        await connection.close()


async def checked(started: Service, *, given: int) -> None:
    """A figure that was reached by losing or miscounting is none.

    Raises:
        RuntimeError: there are more or fewer assignments, or a group's count is wrong.
    """
    connection = await asyncpg.connect(started.database_url)
    try:
        found, drift = await connection.fetchval(_GIVEN), await connection.fetchval(_DRIFT)
    finally:
        await connection.close()
    if found != given or drift:
        raise RuntimeError(f"{started.prefix}: {found} assignments where {given} were given, {drift} counts are wrong")


async def _fill(url: str, environment: Mapping[str, str], python: Path) -> None:
    making = await asyncio.create_subprocess_exec(
        str(python), "-P", "-m", f"{_MODULES}.make_tables", cwd=ROOT, env=dict(environment)
    )
    if await making.wait():
        raise RuntimeError("the peers' tables could not be made")
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(_FILL)
    finally:
        await connection.close()


async def _working(started: Service) -> None:
    """Wait until a call has been applied: what is sent before a worker has made its queue may be lost."""
    path, body = "/api/admin/users/v4/user-groups/g00/assignments", {"role_id": ROLE, "user_id": "p0000"}
    async with httpx.AsyncClient(base_url=started.url, trust_env=False, timeout=2) as client:
        async with asyncio.timeout(_START_SECONDS):
            while True:
                with suppress(httpx.TimeoutException):
                    answer = await client.post(path, json=body)
                    if answer.status_code in {HTTPStatus.CREATED, HTTPStatus.BAD_REQUEST}:
                        return
