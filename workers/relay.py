"""Publishes the outbox: one leader among all workers reads what is pending, publishes it in order, then marks it.

One rule: within a tenant nothing is marked that comes after an unconfirmed message; it is all published again.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import structlog

from infra.cloudevents import wire_sequence
from infra.failpoints import Failpoint, Reached, unarmed
from infra.postgres.database import Database, Session
from infra.postgres.outbox_relay import (
    PendingMessage,
    lead_relay,
    leader_session,
    mark_published,
    pending_messages,
    ping_relay,
)
from infra.rabbitmq import Broker, EventMessage
from workers.measuring import messages_relayed

_log = structlog.get_logger(__name__)

BATCH_ROWS = 500
BATCH_BYTES = 8 * 1024 * 1024
# Other workers' commits are seen by this poll; those of this process wake the relay at once.
POLL_SECONDS = 0.1
ELECTION_SECONDS = 1.0
PING_SECONDS = 1.0
PING_TIMEOUT_SECONDS = 2.0
STOP_SECONDS = 3.0
BACKOFF_FIRST_SECONDS = 0.2
BACKOFF_MOST_SECONDS = 5.0


@dataclass(slots=True)
class Backoff:
    """A delay that doubles with every failure in a row."""

    _next: float = BACKOFF_FIRST_SECONDS

    def failed(self) -> float:
        """The seconds to wait now, with jitter."""
        delay, self._next = self._next, min(self._next * 2, BACKOFF_MOST_SECONDS)
        return delay * random.uniform(0.5, 1.0)  # noqa: S311 - jitter


@dataclass(slots=True)
class HeldTenants:
    """Tenants whose next message was refused, left aside for a while so that they do not hold up the others."""

    _until: dict[int, float] = field(default_factory=dict)
    _backoffs: dict[int, Backoff] = field(default_factory=dict)

    def hold(self, tenant_id: int, *, now: float) -> None:
        """Leave the tenant aside, longer with every time in a row."""
        self._until[tenant_id] = now + self._backoffs.setdefault(tenant_id, Backoff()).failed()

    def release(self, tenant_id: int) -> None:
        """Forget that the tenant ever failed."""
        self._until.pop(tenant_id, None)
        self._backoffs.pop(tenant_id, None)

    def at(self, now: float) -> list[int]:
        """The tenants to leave aside now."""
        return [tenant_id for tenant_id, until in self._until.items() if until > now]


def published(messages: Sequence[PendingMessage], confirmed: Sequence[bool]) -> tuple[list[int], set[int]]:
    """The ids that may be marked, and the tenants that have to be published again from their first unconfirmed on."""
    ids: list[int] = []
    stalled: set[int] = set()
    for message, is_confirmed in zip(messages, confirmed, strict=True):
        if not is_confirmed:
            stalled.add(message.tenant_id)
        elif message.tenant_id not in stalled:
            ids.append(message.id)
    return ids, stalled


def event_message(message: PendingMessage) -> EventMessage:
    """The message as it goes out, the same each time: everything in it comes from the stored row."""
    tenant_key, _, _ = message.routing_key.partition(".")
    first, last = wire_sequence(message.first_sequence), wire_sequence(message.last_sequence)
    return EventMessage(
        message_id=f"{tenant_key}-{first}",
        routing_key=message.routing_key,
        body=message.body,
        headers={"first_sequence": first, "last_sequence": last},
    )


class Relay:
    """A service of every worker; only the leader's publishes, the others stand by."""

    def __init__(self, *, database: Database, broker: Broker, reached: Reached = unarmed) -> None:
        self._reached = reached
        self._database = database
        self._broker = broker
        self._held = HeldTenants()
        self._woken = asyncio.Event()
        self._stopping = asyncio.Event()
        self._leads = False
        self._task: asyncio.Task[None] | None = None

    @property
    def leads(self) -> bool:
        """Whether this process is the one that publishes."""
        return self._leads

    def wake(self) -> None:
        """Something was committed: look at once instead of at the next poll."""
        self._woken.set()

    async def start(self) -> None:
        """Stand for leadership in the background; a second call changes nothing."""
        if self._task is None:
            self._stopping.clear()
            self._task = asyncio.create_task(self._run(), name="relay")

    async def stop(self) -> None:
        """Finish the batch at hand and give up leadership; what remains pending is the next leader's."""
        task, self._task = self._task, None
        if task is None:
            return
        self._stopping.set()
        self._woken.set()
        await asyncio.wait({task}, timeout=STOP_SECONDS)
        task.cancel()
        await asyncio.wait({task})

    async def _run(self) -> None:
        backoff = Backoff()
        while not self._stopping.is_set():
            try:
                async with await leader_session(self._database) as session:
                    await self._stand_and_lead(session)
                    backoff = Backoff()
            except Exception as error:  # noqa: BLE001 - the loop outlives every fault of either server
                delay = backoff.failed()
                _log.warning("relay.interrupted", error=repr(error), retry_in=round(delay, 2))
                await self._pause(delay)

    async def _stand_and_lead(self, session: Session) -> None:
        while not self._stopping.is_set() and not await lead_relay(session):
            await self._pause(ELECTION_SECONDS * random.uniform(0.5, 1.0))  # noqa: S311 - jitter
        if self._stopping.is_set():
            return
        _log.info("relay.leads")
        self._lead(leads=True)
        try:
            async with asyncio.TaskGroup() as group:
                pinging = group.create_task(self._keep_session(session))
                await self._pump()
                pinging.cancel()
        finally:
            self._lead(leads=False)
            _log.info("relay.no_longer_leads")

    def _lead(self, *, leads: bool) -> None:
        self._leads = leads
        self._database.measures.relaying.leader.set(leads)

    async def _keep_session(self, session: Session) -> None:
        while True:
            await asyncio.sleep(PING_SECONDS)
            async with asyncio.timeout(PING_TIMEOUT_SECONDS):
                await ping_relay(session)

    async def _pump(self) -> None:
        backoff = Backoff()
        while not self._stopping.is_set():
            self._woken.clear()
            found, relayed = await self._relay_batch()
            if relayed:
                backoff = Backoff()
            elif found:
                await self._pause(backoff.failed())
            else:
                await self._wait_for_work()

    async def _relay_batch(self) -> tuple[int, int]:
        """Publish one batch; how many messages were found, and how many are now known to be published."""
        if not self._broker.takes_events:
            return 0, 0
        async with self._database.transaction() as tx:
            messages = await pending_messages(
                tx,
                held_tenant_ids=self._held.at(time.monotonic()),
                most_rows=BATCH_ROWS,
                most_bytes=BATCH_BYTES,
            )
        if not messages:
            return 0, 0
        read_at = time.perf_counter()
        self._reached(Failpoint.RELAY_BEFORE_PUBLISH)
        confirmed = await self._publish(messages)
        self._reached(Failpoint.RELAY_AFTER_PUBLISH)
        ids, stalled = published(messages, confirmed)
        messages_relayed(self._database.measures, messages, frozenset(ids), seconds=time.perf_counter() - read_at)
        if ids:
            async with self._database.transaction() as tx:
                await mark_published(tx, ids=ids)
            self._reached(Failpoint.RELAY_AFTER_MARK)
        self._judge(messages, stalled, relayed=len(ids))
        return len(messages), len(ids)

    async def _publish(self, messages: Sequence[PendingMessage]) -> list[bool]:
        return await self._broker.publish_events([event_message(message) for message in messages])

    def _judge(self, messages: Sequence[PendingMessage], stalled: set[int], *, relayed: int) -> None:
        """Hold a tenant whose messages are refused while others' are not; when all are, the broker is the fault."""
        if stalled:
            _log.warning("relay.unconfirmed", tenant_ids=sorted(stalled), found=len(messages), relayed=relayed)
        for tenant_id in {message.tenant_id for message in messages} - stalled:
            self._held.release(tenant_id)
        if relayed:
            for tenant_id in stalled:
                self._held.hold(tenant_id, now=time.monotonic())

    async def _wait_for_work(self) -> None:
        await _within(self._woken.wait(), POLL_SECONDS)

    async def _pause(self, seconds: float) -> None:
        """Wait, but not past the order to stop."""
        await _within(self._stopping.wait(), seconds)


async def _within(wait: Awaitable[object], seconds: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(wait, seconds)
