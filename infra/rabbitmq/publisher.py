"""Publishes many messages at once on one channel with publisher confirms.

One rule: the time is bounded, and what is not confirmed by then is unknown, never failed.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from aio_pika import Message
from aio_pika.abc import AbstractExchange
from aio_pika.exceptions import PublishError

from infra.rabbitmq.faults import BrokerLostError, guarded


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """One message and the routing key it takes."""

    message: Message
    routing_key: str


class Publisher:
    """One confirm channel and one exchange. `on_doubt` hears why the channel should not be trusted any longer."""

    def __init__(
        self,
        *,
        exchange: AbstractExchange,
        mandatory: bool,
        on_doubt: Callable[[str], None],
    ) -> None:
        self._exchange = exchange
        self._mandatory = mandatory
        self._on_doubt = on_doubt

    async def publish(self, messages: Sequence[Outgoing], *, seconds: float) -> list[bool]:
        """Send in order, without waiting for one confirm before the next, and say which were confirmed in time.

        Sending is in order because aiormq's channel lock is first come, first served; the messages that were sent
        when the time ran out are a prefix of those given.
        """
        tasks = [asyncio.ensure_future(self._publish_one(outgoing)) for outgoing in messages]
        if not tasks:
            return []
        try:
            done, pending = await asyncio.wait(tasks, timeout=seconds)
        except asyncio.CancelledError:
            for task in tasks:
                task.cancel()
            raise
        for task in pending:
            task.cancel()
        if pending:
            await asyncio.wait(pending)
            if not done:
                self._on_doubt("no confirm in time")
        return [task in done and task.result() for task in tasks]

    async def _publish_one(self, outgoing: Outgoing) -> bool:
        try:
            await guarded(
                self._exchange.publish(outgoing.message, routing_key=outgoing.routing_key, mandatory=self._mandatory)
            )
        except PublishError:
            self._on_doubt("returned as unroutable")
            return False
        except BrokerLostError:
            return False
        except Exception as error:  # noqa: BLE001 - a closed channel, a nack, a broken socket: all mean unconfirmed
            self._on_doubt(repr(error))
            return False
        return True
