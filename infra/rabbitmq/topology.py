"""Every name and argument on the broker, derived from one value: the prefix.

Declaring is idempotent: a second declaration with the same arguments changes nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

import structlog
from aio_pika import ExchangeType
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractQueue
from aio_pika.exceptions import ChannelPreconditionFailed

_log = structlog.get_logger(__name__)

DECLARE_SECONDS = 5.0

# A claim is a wake-up, and the poll covers whichever is lost. One that is redelivered more than 20 times is
# therefore dropped instead of dead-lettered, and the oldest go first when nobody has consumed for very long:
# a queue that nobody reads must not fill the broker's disk and stop the events as well.
CLAIM_ARGUMENTS: Mapping[str, str | int] = {
    "x-queue-type": "quorum",
    "x-delivery-limit": 20,
    "x-max-length": 200_000,
    "x-overflow": "drop-head",
}
# Whoever looks at an unreadable message gives it back, which counts as a delivery: it may be looked at very often.
UNREADABLE_ARGUMENTS: Mapping[str, str | int] = {
    "x-queue-type": "quorum",
    "x-delivery-limit": 1_000_000,
    "x-max-length": 10_000,
    "x-overflow": "drop-head",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Topology:
    """The names under one prefix; test runs that share a broker differ in the prefix alone."""

    prefix: str = "seatline"

    @property
    def commands_exchange(self) -> str:
        """The direct exchange that takes claims."""
        return f"{self.prefix}.commands"

    @property
    def commands_queue(self) -> str:
        """The quorum queue from which workers take claims."""
        return f"{self.prefix}.commands"

    @property
    def unreadable_queue(self) -> str:
        """The quorum queue that keeps what could not be decoded."""
        return f"{self.prefix}.unreadable"

    @property
    def events_exchange(self) -> str:
        """The topic exchange that subscribers bind their own queues to."""
        return f"{self.prefix}.events"

    @property
    def claim_key(self) -> str:
        """The routing key that takes a claim from the commands exchange to its queue."""
        return "claim"

    def reply_queue(self, process: UUID) -> str:
        """The exclusive queue on which one API process hears which operations are finished."""
        return f"{self.prefix}.replies.{process}"


async def declare_commands(channel: AbstractChannel, topology: Topology) -> AbstractQueue:
    """Declare what claims travel through, and return the queue of the claims."""
    exchange = await channel.declare_exchange(
        topology.commands_exchange, ExchangeType.DIRECT, durable=True, timeout=DECLARE_SECONDS
    )
    queue = await channel.declare_queue(
        topology.commands_queue, durable=True, arguments=dict(CLAIM_ARGUMENTS), timeout=DECLARE_SECONDS
    )
    await queue.bind(exchange, routing_key=topology.claim_key, timeout=DECLARE_SECONDS)
    return queue


async def declare_unreadable(connection: AbstractConnection, topology: Topology) -> None:
    """Declare what keeps unreadable messages; one that stands there with other arguments, from before, does as well."""
    channel = connection.channel(publisher_confirms=False)
    await channel.initialize()
    try:
        await channel.declare_queue(
            topology.unreadable_queue, durable=True, arguments=dict(UNREADABLE_ARGUMENTS), timeout=DECLARE_SECONDS
        )
    except ChannelPreconditionFailed as error:
        _log.info("broker.unreadable_queue_kept", queue=topology.unreadable_queue, error=repr(error))
        return
    await channel.close()


async def declare_events(channel: AbstractChannel, topology: Topology) -> None:
    """Declare the exchange that subscribers bind their own queues to."""
    await channel.declare_exchange(topology.events_exchange, ExchangeType.TOPIC, durable=True, timeout=DECLARE_SECONDS)


async def declare_replies(channel: AbstractChannel, name: str) -> AbstractQueue:
    """Declare the reply queue of this process; it goes away with the connection that declared it."""
    return await channel.declare_queue(name, exclusive=True, auto_delete=True, timeout=DECLARE_SECONDS)


async def declare_subscription(channel: AbstractChannel, topology: Topology, keys: list[str]) -> AbstractQueue:
    """Declare an exclusive queue, named by the broker, that hears the events with these binding keys."""
    await declare_events(channel, topology)
    queue = await channel.declare_queue(exclusive=True, auto_delete=True, timeout=DECLARE_SECONDS)
    for key in keys:
        await queue.bind(topology.events_exchange, routing_key=key, timeout=DECLARE_SECONDS)
    return queue
