"""The processes of a run, each behind proxies of its own, started again whenever they end.

One rule: an end that the run did not cause is noted, and a run with such an end has failed.
"""

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

from infra.local import probes
from infra.local.ports import HOST, free_port
from infra.local.running import Child
from tests.benchmarks.service import Service
from tests.support.tcp_proxy import TcpProxy

APIS, WORKERS = ("api-1", "api-2"), ("worker-1", "worker-2", "worker-3")
DATABASE, BROKER, CALLERS = "database", "broker", "callers"
_GLANCE = 0.1
_SERVING_SECONDS = 30.0


@dataclass(slots=True, kw_only=True)
class Member:
    """One process: where it listens, the proxies between it and others, and why it may end."""

    name: str
    port: int
    links: dict[str, TcpProxy]
    variables: dict[str, str] = field(default_factory=dict)
    child: Child | None = None
    may_end: bool = False
    """Set before the run ends it, or has it end itself; cleared when it has been started again."""
    held: bool = False
    """Whoever holds it starts it again themselves."""
    is_armed: bool = False
    """Started with a failpoint, so that it may end while it is asked to."""

    @property
    def is_api(self) -> bool:
        """Else it is a worker."""
        return self.name in APIS

    @property
    def is_serving(self) -> bool:
        """Whether its page of health answers."""
        page = "readyz" if self.is_api else "healthz"
        return probes.http_status(f"http://{HOST}:{self.port}/{page}") == 200


class Restarted(NamedTuple):
    """How long the end took, and the process that has taken its place."""

    took: float
    child: Child


class Fleet:
    """Two API processes and three workers."""

    def __init__(self, service: Service, members: Mapping[str, Member]) -> None:
        self._service = service
        self.members = dict(members)
        self.ended_by_themselves: list[str] = []
        self.restarts = 0
        self.workers_may_die = False
        """While something that kills workers is being applied."""

    @property
    def addresses(self) -> list[str]:
        """Where callers reach the API, through proxies."""
        return [self.members[name].links[CALLERS].url for name in APIS]

    def links(self, kind: str) -> list[TcpProxy]:
        """All proxies of that kind of link."""
        return [member.links[kind] for member in self.members.values() if kind in member.links]

    def start(self, member: Member, **variables: str) -> Child:
        """Start it; `variables` hold until its next start."""
        if member.child is not None:
            self._service.children.remove(member.child)
        arguments = ("api", "--port", str(member.port)) if member.is_api else ("worker",)
        member.child = self._service.start(member.name, *arguments, **{**member.variables, **variables})
        member.may_end = member.is_armed = "failpoint" in variables
        member.held = False
        return member.child

    def kill(self, member: Member) -> None:
        """As a power failure would."""
        member.may_end = True
        assert member.child is not None
        if not member.child.has_ended():
            member.child.kill()

    async def restart(self, member: Member, **variables: str) -> "Restarted":
        """SIGTERM, its orderly end, a new start until it serves.

        An end that is out of order is noted as one by itself.
        """
        member.may_end = member.held = True
        assert member.child is not None
        began = time.monotonic()
        await asyncio.to_thread(member.child.stop)
        took, code = time.monotonic() - began, member.child.process.returncode
        if code not in {0, -signal.SIGTERM} and not member.is_armed:
            self.ended_by_themselves.append(
                f"{member.name} was asked to stop and ended with {code}, {took:.1f} s later"
            )
        child = self.start(member, **variables)
        await self.serving(member)
        return Restarted(took=took, child=child)

    async def serving(self, member: Member) -> None:
        """Wait until it serves.

        Raises:
            TimeoutError: it does not.
        """
        async with asyncio.timeout(_SERVING_SECONDS):
            while not await asyncio.to_thread(lambda: member.is_serving):  # noqa: ASYNC110 - another process
                await asyncio.sleep(_GLANCE)

    async def watch(self) -> None:
        """Start whatever ended again, until cancelled."""
        while True:
            for member in self.members.values():
                if member.child is not None and member.child.has_ended() and not member.held:
                    if not (member.may_end or (self.workers_may_die and not member.is_api)):
                        code = member.child.process.returncode
                        self.ended_by_themselves.append(f"{member.name} ended by itself with {code}")
                    self.restarts += 1
                    self.start(member)
            await asyncio.sleep(_GLANCE)

    def heal(self) -> None:
        """Every proxy passes on again."""
        for member in self.members.values():
            for proxy in member.links.values():
                proxy.reset_never()
                proxy.heal()


@asynccontextmanager
async def running_fleet(service: Service, *, database_url: str, amqp_url: str) -> AsyncIterator[Fleet]:
    """All processes, watched; they and their proxies are gone at the block's end."""
    async with AsyncExitStack() as stack:
        members: dict[str, Member] = {}
        for name in (*APIS, *WORKERS):
            links = {
                DATABASE: await stack.enter_async_context(TcpProxy(database_url)),
                BROKER: await stack.enter_async_context(TcpProxy(amqp_url)),
            }
            port = free_port()
            if name in APIS:
                links[CALLERS] = await stack.enter_async_context(TcpProxy(f"http://{HOST}:{port}"))
            variables = {"database_url": links[DATABASE].url, "amqp_url": links[BROKER].url, "log_level": "info"}
            if name in WORKERS:
                variables["worker_health_port"] = str(port)
            members[name] = Member(name=name, port=port, links=links, variables=variables)
        fleet = Fleet(service, members)
        stack.callback(lambda: [child.kill() for child in service.children])
        for member in members.values():
            fleet.start(member)
        await asyncio.gather(*map(fleet.serving, members.values()))
        watching = asyncio.create_task(fleet.watch())
        try:
            yield fleet
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
