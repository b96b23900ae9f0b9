"""Publishes many messages at once on one channel with publisher confirms.

One rule: the time is bounded, and what is not confirmed by then is unknown, never failed.
"""

import asyncio
from collections.abc import Callable, Sequence

from aio_pika.abc import AbstractChannel
from aio_pika.exceptions import PublishError

from infra.rabbitmq.burst import Burst, Confirm, Outgoing
from infra.rabbitmq.faults import BrokerLostError, guarded


class Publisher:
    """One confirm channel and one exchange. `on_doubt` hears why the channel should not be trusted any longer."""

    def __init__(
        self,
        *,
        channel: AbstractChannel,
        exchange: str,
        mandatory: bool,
        on_doubt: Callable[[str], None],
    ) -> None:
        self._channel = channel
        self._exchange = exchange
        self._mandatory = mandatory
        self._on_doubt = on_doubt

    async def publish(self, messages: Sequence[Outgoing], *, seconds: float) -> list[bool]:
        """Send in order, without waiting for one confirm before the next, and say which were confirmed in time.

        The messages that were sent when the time ran out are a prefix of those given.
        """
        if not messages:
            return []
        burst = Burst(self._exchange, mandatory=self._mandatory)
        try:
            async with asyncio.timeout(seconds):
                await guarded(burst.write(self._channel, messages))
                await asyncio.wait(burst.confirms)
        except TimeoutError:
            if not any(confirm.done() for confirm in burst.confirms):
                self._on_doubt("no confirm in time")
        except BrokerLostError:
            pass  # whoever holds the connection knows
        except Exception as error:  # noqa: BLE001 - a closed channel, a broken socket: all mean unconfirmed
            self._on_doubt(repr(error))
        finally:
            for confirm in burst.confirms:
                confirm.cancel()
        confirmed = [self._is_certain(confirm) for confirm in burst.confirms]
        return confirmed + [False] * (len(messages) - len(confirmed))

    def _is_certain(self, confirm: Confirm) -> bool:
        error = None if confirm.cancelled() else confirm.exception()
        if isinstance(error, PublishError):
            self._on_doubt("returned as unroutable")
        elif error is not None and not isinstance(error, asyncio.CancelledError):
            self._on_doubt(repr(error))  # a nack, or what closed the channel
        return error is None and not confirm.cancelled()
