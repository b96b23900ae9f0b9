"""The broker as the rest of the service sees it: reachable or not, and never raising for its own faults."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from uuid import UUID

from infra.rabbitmq.claims import Claim, DeliveredClaim
from infra.rabbitmq.consuming import Consuming
from infra.rabbitmq.events import EventMessage
from infra.rabbitmq.publishing import Depths, Publishing
from infra.rabbitmq.topology import Topology
from infra.rabbitmq.unreadable import UnreadableQueue


class Broker:
    """One per process, with a connection to publish on and, once something is consumed, one to consume on."""

    def __init__(self, *, url: str, prefix: str = "seatline", connection_name: str) -> None:
        topology = Topology(prefix=prefix)
        self.unreadable = UnreadableQueue(url=url, topology=topology)
        self._publishing = Publishing(url=url, topology=topology, name=f"{connection_name} publishing")
        self._consuming = Consuming(
            url=url,
            topology=topology,
            name=f"{connection_name} consuming",
            keep_unreadable=self._publishing.unreadable,
        )

    async def start(self) -> None:
        """Connect in the background; returns at once, also where there is no broker."""
        self._publishing.start()
        self._consuming.start()

    async def stop(self) -> None:
        """Send the acks that are due and close both connections; a second call changes nothing."""
        await asyncio.gather(self._consuming.stop(), self._publishing.stop())

    @property
    def reachable(self) -> bool:
        """Whether claims and replies can be relied upon as wake-ups just now; the poll is slow only while they can.

        Connected, declared, consuming what was asked for, and not blocked by an alarm.
        """
        return self._publishing.usable and self._consuming.usable

    @property
    def takes_events(self) -> bool:
        """Whether it is worth trying to publish events; claims may be out of order at the same time."""
        return self._publishing.takes_events

    async def depths(self) -> Depths | None:
        """How many messages lie in the queues of the service; None where that cannot be told within a second."""
        return await self._publishing.depths()

    async def publish_claims(self, claims: Sequence[Claim]) -> int:
        """Publish claims within two seconds; the number confirmed. The others may or may not arrive."""
        return await self._publishing.claims(claims)

    async def publish_replies(self, replies: Mapping[str, Sequence[UUID]]) -> None:
        """Tell the owners of these reply queues which operations are finished; best effort, within a second."""
        await self._publishing.replies(replies)

    async def publish_events(self, messages: Sequence[EventMessage]) -> list[bool]:
        """Publish in the given order; for each whether it was confirmed. An unconfirmed one may still arrive."""
        return await self._publishing.events(messages)

    async def consume_claims(self, on_claim: Callable[[DeliveredClaim], None], *, prefetch: int) -> None:
        """Hand every claim to `on_claim`, which must only take it over: no waiting, no work.

        `prefetch` is how many messages, of up to `TOGETHER` claims each, may be unacked.
        """
        self._consuming.consume_claims(on_claim, prefetch=prefetch)

    async def consume_replies(self, on_reply: Callable[[Sequence[UUID]], None]) -> str:
        """Hand the ids of every reply to `on_reply`; the name of this process's reply queue, the same for good."""
        return self._consuming.consume_replies(on_reply)

    async def stop_consuming(self) -> None:
        """Take no further claims. Those delivered can still be acked until `stop`."""
        await self._consuming.stop_claims()
