"""A whole run: everything is started, faults strike under load, everything is drained, and then it is counted."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from infra.local import databases
from infra.local.ports import HOST
from infra.rabbitmq.topology import Topology
from tests.benchmarks import machine
from tests.benchmarks.runs import Servers as BenchServers
from tests.benchmarks.service import Service
from tests.chaos import evidence, figures, modelled
from tests.chaos.checks import Findings, check
from tests.chaos.fleet import APIS, running_fleet
from tests.chaos.load import Load, clients
from tests.chaos.report import Report
from tests.chaos.runner import Runner
from tests.chaos.scene import Scene
from tests.chaos.servers import Servers
from tests.chaos.subscriber import Subscriber
from tests.chaos.tenants import PLANS, new_tenant

_WARM_UP_SECONDS = 3.0
_FINISH_SECONDS = 60.0
_DRAIN_SECONDS = 60.0
_REPLAYS, _REPLAYERS = 400, 12
_BOUND_SECONDS = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What to run."""

    seed: int
    seconds: float
    names: Sequence[str]
    command: str
    say: Callable[[str], None]


async def run(servers: Servers, order: Order) -> Report:
    """One run on these servers."""
    described = await machine.describe(servers.database_url, servers.amqp_url)
    url = await asyncio.to_thread(databases.create, servers.database_url)
    prefix = f"chaos-{urlsplit(url).path[-6:]}"
    service = Service(
        servers=BenchServers(database_url=url, amqp_url=servers.amqp_url, place=servers.place),
        database_url=url, port=0, prefix=prefix, module="tests.chaos.process",
    )  # fmt: skip
    order.say(f"starting {len(APIS)} API processes and the workers behind their proxies; seed {order.seed}")
    async with running_fleet(service, database_url=url, amqp_url=servers.amqp_url) as fleet:
        port = fleet.members[APIS[0]].port
        async with _subscribed(servers.amqp_url, prefix) as subscriber:
            order.say(f"creating {len(PLANS)} tenants")
            tenants = [await new_tenant(url, f"http://{HOST}:{port}", plan) for plan in PLANS]
            async with clients(Load(seed=order.seed, addresses=fleet.addresses, tenants=tenants)) as load:
                scene = Scene(
                    servers=servers, database_url=url, topology=Topology(prefix=prefix), fleet=fleet, load=load,
                    subscriber=subscriber, tenants=tenants, rng=random.Random(order.seed),
                )  # fmt: skip
                return await _under_fire(scene, service, order, described)


async def _under_fire(scene: Scene, service: Service, order: Order, described: dict[str, str]) -> Report:
    began, runner = time.monotonic(), Runner(scene=scene, names=order.names, say=order.say)
    scene.load.start()
    await asyncio.sleep(_WARM_UP_SECONDS)
    await runner.run(seconds=order.seconds)
    scene.fleet.heal()
    order.say("the load ends; waiting until nothing is on its way")
    await scene.load.finish(seconds=_FINISH_SECONDS)
    under_load = time.monotonic() - began
    left = await evidence.drained(scene, seconds=_DRAIN_SECONDS)
    findings, found = await _judged(scene, service, runner, order, left)
    order.say("everything is counted")
    return Report(
        command=order.command, seed=order.seed, seconds=under_load, machine=described,
        figures=figures.of(scene, found, findings, runner), struck=runner.struck, violations=findings.all(),
    )  # fmt: skip


async def _judged(
    scene: Scene, service: Service, runner: Runner, order: Order, left: Sequence[str]
) -> tuple[Findings, evidence.Evidence]:
    order.say(f"sending {_REPLAYS} calls again")
    await _replay(scene)
    order.say("counting")
    found = await evidence.gather(scene)
    findings = check(
        scene.load.book, found, scene.subscriber.tenants, poison=scene.poison, unknown_kinds=scene.unknown_kinds
    )
    findings.others += [f"after the run: {one}" for one in left]
    findings.others += scene.failures + scene.fleet.ended_by_themselves
    findings.others += [one.problem for one in runner.struck if one.problem]
    if found.unreadable < scene.bad_envelopes:
        findings.others.append(f"{found.unreadable} of {scene.bad_envelopes} unreadable messages were set aside")
    order.say("asking the model, and the service's own recount")
    small = [tenant.key for tenant in scene.tenants if tenant.plan.is_modelled]
    findings.others += await modelled.disagreements(scene.database_url, small)
    try:
        await asyncio.to_thread(service.verify)
    except RuntimeError as error:
        findings.others.append(f"verify: {error}")
    return findings, found


async def _replay(scene: Scene) -> None:
    """Send calls that are known again: all that were once unknown, and others, up to a number."""
    book, rng = scene.load.book, random.Random(scene.load.seed)
    known = [call for call in book.calls.values() if call.answer is not None and call.was_accepted]
    rng.shuffle(known)
    known.sort(key=lambda call: "unknown" not in call.fates)
    tenants = {tenant.key: tenant for tenant in scene.tenants}
    waiting = iter(known[:_REPLAYS])

    async def replay() -> None:
        for call in waiting:
            await scene.load.attempt(tenants[call.tenant], call, rng)

    await asyncio.gather(*(replay() for _ in range(_REPLAYERS)))


@asynccontextmanager
async def _subscribed(url: str, prefix: str) -> AsyncIterator[Subscriber]:
    subscriber = Subscriber(url, prefix)
    task = asyncio.create_task(subscriber.run())
    try:
        async with asyncio.timeout(_BOUND_SECONDS):
            await subscriber.bound.wait()
        yield subscriber
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
