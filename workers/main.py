"""A worker process: claims and the poll make tenants ready, passes apply their operations, the relay announces.

One rule: SIGTERM ends it within ten seconds: stop consuming, finish the pass, ack, close.
"""

import asyncio
import os
import signal
import socket
from collections.abc import Coroutine, Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog

from infra import garbage
from infra.failpoints import reached
from infra.measures import Measures
from infra.postgres.database import Database
from infra.postgres.workers import Doing
from infra.rabbitmq.broker import Broker
from infra.rabbitmq.claims import DeliveredClaim
from infra.recording import Recorder
from infra.settings import Settings
from infra.tracing.setup import close_tracer, tracer_of
from infra.tracing.work import Tracer
from infra.version import VERSION
from workers.chunk_sizes import ChunkSizes
from workers.handlers import Handler, handlers_with
from workers.liveness import Liveness
from workers.poll import Poll
from workers.ready import ReadySet
from workers.retention import Retention
from workers.spans import traced_ack
from workers.statistics import Statistics
from workers.supervisor import Supervisor
from workers.traced import Kinds, kinds
from workers.verification import Verification
from workers.waves import Budget

log = structlog.get_logger(__name__)

# Tenants in one pass. More would only lengthen the transaction: a pass of 1,000 single calls takes 50 ms.
_TENANTS = 1_000
# Messages of claims that may wait in memory: two passes of full ones, of which one runs; the rest is for other workers.
_PREFETCH = 32
_FINISH_SECONDS = 8.0


class Worker:
    """All services of one worker process, put together."""

    def __init__(
        self,
        settings: Settings,
        *,
        handlers: Mapping[str, Handler] | None = None,
        sizes: ChunkSizes | None = None,
        measures: Measures | None = None,
        tracer: Tracer | None = None,
    ) -> None:
        chunk_sizes = sizes or ChunkSizes()
        name = f"{socket.gethostname()}-{os.getpid()}"
        self.measures = measures or Measures("worker")
        reach, alone = reached(settings.failpoint), asyncio.Lock()
        self._tracer = tracer or tracer_of(settings, service="seatline-worker")
        of = kinds(self._tracer, prefix=settings.name_prefix)
        self._database = _database(of, settings, self.measures)
        self._broker = _broker(settings, name)
        self._ready = ReadySet(share=settings.tenant_share, tenants=_TENANTS)
        self._liveness = Liveness(database=self._database, name=name, version=VERSION, doing=self._doing)
        self._relay = (
            None if self._broker is None else of.relay(database=self._database, broker=self._broker, reached=reach)
        )
        self._chunks = of.chunks(
            database=self._database,
            ready=self._ready,
            sizes=chunk_sizes,
            inflight=self._liveness,
            committed=self._chunk_committed,
            reached=reach,
            alone=alone,
        )
        self._delivery = of.delivery(
            database=self._database,
            ready=self._ready,
            inflight=self._liveness,
            budget=Budget(operations=settings.pass_operations, items=settings.pass_items, bytes=settings.pass_bytes),
            handlers=handlers or handlers_with(chunk_sizes),
            committed=self._committed,
            continues=self._chunks.add,
            reached=reach,
            alone=alone,
        )
        self._poll = self._new_poll(settings)
        self._retention = Retention(database=self._database, keep=timedelta(days=settings.retention_days))
        self._statistics = Statistics(database=self._database)
        self._verification = None
        if settings.verify_hour is not None:
            self._verification = Verification(database=self._database, hour=settings.verify_hour)
        self._recorder = Recorder(
            database=self._database, broker_up=lambda: self._broker is not None and self._broker.reachable
        )
        self.measures.applying.ready.follow(lambda: {(): len(self._ready)})
        self._supervisor = Supervisor()
        self._turns: dict[str, asyncio.Task[None]] = {}

    async def start(self) -> None:
        """Start every service; returns when claims are being asked for."""
        self._supervisor.keep("liveness", self._liveness.run)
        self._supervisor.keep("poll", self._poll.run)
        self._supervisor.keep("delivery", self._deliver)
        self._supervisor.keep("chunks", self._continue)
        self._supervisor.keep("retention", self._retention.run)
        self._supervisor.keep("statistics", self._statistics.run)
        self._supervisor.keep("recorder", self._recorder.run)
        if self._verification is not None:
            self._supervisor.keep("verification", self._verification.run)
        if self._broker is not None:
            await self._broker.start()
            await self._broker.consume_claims(self._claimed, prefetch=_PREFETCH)
        if self._relay is not None:
            await self._relay.start()

    async def stop(self) -> None:
        """Stop consuming, finish the pass and the chunk that run, ack, close."""
        if self._broker is not None:
            await self._broker.stop_consuming()
        await self._supervisor.end("poll")
        await self._supervisor.end("delivery")
        await self._supervisor.end("chunks")
        if self._turns:
            await asyncio.wait(self._turns.values(), timeout=_FINISH_SECONDS)
        if self._relay is not None:
            await self._relay.stop()
        await self._supervisor.end_all()
        try:
            await self._liveness.leave()
        except Exception as error:  # noqa: BLE001 - the database is gone: the row will be reaped
            log.info("the worker's row stays behind", error=repr(error))
        if self._broker is not None:
            await self._broker.stop()
        await self._database.close()
        if self._tracer is not None:
            await close_tracer(self._tracer)

    async def _deliver(self) -> None:
        """One turn after the other, each in a task of its own, so that cancelling this loop lets the turn finish."""
        while True:
            batch = await self._ready.next()
            await self._whole("turn", self._delivery.turn(batch))

    async def _continue(self) -> None:
        """One chunk after the other, beside the passes: their tenants do not wait for it."""
        while True:
            tenant_id = await self._chunks.next()
            await self._whole("chunk", self._chunks.turn(tenant_id))

    async def _whole(self, name: str, turn: Coroutine[Any, Any, None]) -> None:
        self._turns[name] = asyncio.create_task(turn, name=name)
        await asyncio.shield(self._turns[name])

    def _new_poll(self, settings: Settings) -> Poll:
        return Poll(
            database=self._database,
            ready=self._ready,
            worker_id=lambda: self._liveness.worker_id,
            broker_reachable=lambda: self._broker is not None and self._broker.reachable,
            interval=timedelta(seconds=settings.poll_seconds),
            interval_without_broker=timedelta(seconds=settings.poll_seconds_without_broker),
        )

    def _doing(self) -> Doing:
        return Doing(leads_relay=self._relay is not None and self._relay.leads, chunk=self._chunks.take_latest())

    def _claimed(self, claim: DeliveredClaim) -> None:
        self._ready.add(claim.claim.tenant_id, claim.ack if self._tracer is None else traced_ack(claim))

    async def _chunk_committed(self) -> None:
        await self._committed({})

    async def _committed(self, replies: Mapping[str, Sequence[UUID]]) -> None:
        # Callers wait for the replies, nobody in particular for the events.
        if self._broker is not None and replies:
            await self._broker.publish_replies(replies)
        if self._relay is not None:
            self._relay.wake()


async def run(settings: Settings, measures: Measures) -> None:
    """Run a worker until SIGTERM or SIGINT."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    worker = Worker(settings, measures=measures)
    await worker.start()
    garbage.look_rarely()
    log.info("the worker is up", broker=settings.amqp_url is not None)
    await ended.wait()
    log.info("the worker is stopping")
    await worker.stop()


def _database(of: Kinds, settings: Settings, measures: Measures) -> Database:
    return of.database(
        settings.database_url.get_secret_value(),
        name="seatline worker",
        size=settings.database_pool_size,
        measures=measures,
        plans_once=True,
    )


def _broker(settings: Settings, name: str) -> Broker | None:
    if settings.amqp_url is None:
        return None
    return Broker(
        url=settings.amqp_url.get_secret_value(), prefix=settings.name_prefix, connection_name=f"worker {name}"
    )
