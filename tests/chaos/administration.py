"""What a person does on the broker by hand, past every proxy: like that person, it looks again when nothing is there.

A queue that somebody deleted, or that a killed broker had not written yet, is declared anew by the service. Whoever
comes in between is told NOT_FOUND, and INTERNAL_ERROR by RabbitMQ 3.10 while the queue is known and not yet started
(`case_clause, {error, noproc}` in its log). What is published to it then is refused by a nack.
"""

import asyncio
from collections.abc import Awaitable, Callable

import aio_pika
from aio_pika.abc import AbstractChannel
from aio_pika.exceptions import ChannelNotFoundEntity
from aiormq.exceptions import ConnectionInternalError, DeliveryError

CONNECT_SECONDS = 5.0
_APPEARS_SECONDS = 20.0
_GLANCE = 0.1


async def on_broker(url: str, work: Callable[[AbstractChannel], Awaitable[None]]) -> None:
    """Do something on a channel of our own, from its beginning again while what it asks for is not there yet.

    Raises:
        ChannelNotFoundEntity, ConnectionInternalError: it was not there within twenty seconds.
        DeliveryError: it was there, and took no message in that time.
    """
    clock = asyncio.get_running_loop()
    until = clock.time() + _APPEARS_SECONDS
    while True:
        try:
            async with await aio_pika.connect(url, timeout=CONNECT_SECONDS) as connection:
                return await work(await connection.channel(on_return_raises=False))
        except (ChannelNotFoundEntity, ConnectionInternalError, DeliveryError):
            if clock.time() >= until:
                raise
        await asyncio.sleep(_GLANCE)
