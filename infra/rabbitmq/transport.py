"""Opens one AMQP connection that can also be cut off from this side.

One rule: closing is bounded. A hung broker answers no close handshake, so the socket is aborted when it takes too long.
"""

import asyncio
import contextlib
from typing import Any

import aio_pika
from aiormq.connection import TCPTransportFactory, TLSTransportFactory, TransportFactory
from typing_extensions import override
from yarl import URL

# A hung broker is noticed after 3 x (heartbeat + 1) s.
HEARTBEAT_SECONDS = 5
CONNECT_SECONDS = 5.0
CLOSE_SECONDS = 1.0


class _Socket(TransportFactory):
    """Keeps hold of the socket, which aiormq would flush before it lets go of it."""

    def __init__(self) -> None:
        self._writer: asyncio.StreamWriter | None = None

    @override
    async def create(self, url: URL, **kwargs: Any) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        factory = TLSTransportFactory() if url.scheme == "amqps" else TCPTransportFactory()
        reader, self._writer = await factory.create(url, **kwargs)
        return reader, self._writer

    def abort(self) -> None:
        if self._writer is not None:
            self._writer.transport.abort()


class Transport:
    """One open connection. It is never opened again: whoever needs another opens another."""

    def __init__(self, connection: aio_pika.Connection, socket: _Socket) -> None:
        self.connection = connection
        self._socket = socket

    @classmethod
    async def open(cls, url: str, *, name: str) -> "Transport":
        """Connect and finish the AMQP handshake; a TCP connect alone proves nothing.

        Raises:
            Exception: whatever the network or the broker had against it, a TimeoutError among others.
        """
        target = URL(url)
        if "heartbeat" not in target.query:
            target = target.update_query(heartbeat=HEARTBEAT_SECONDS)
        socket = _Socket()
        connection = aio_pika.Connection(target, client_properties={"connection_name": name})
        connection.kwargs["transport_factory"] = socket
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await connection.connect()
        except BaseException:
            socket.abort()
            await connection.close()
            raise
        return cls(connection, socket)

    @property
    def blocked(self) -> bool:
        """Whether the broker has stopped reading from this connection, as it does under an alarm."""
        underlay = self.connection.transport
        if underlay is None:
            return True
        # ready() returns without suspending unless the connection is blocked: one step of it tells.
        step = underlay.connection.ready()
        try:
            step.send(None)
        except StopIteration:
            return False
        step.close()
        return True

    async def close(self) -> None:
        """Close by handshake when the broker answers soon, else by force."""
        closing = asyncio.ensure_future(self.connection.close())
        try:
            await asyncio.wait([closing], timeout=CLOSE_SECONDS)
        finally:
            self._socket.abort()
        with contextlib.suppress(Exception):
            await asyncio.wait([closing], timeout=CLOSE_SECONDS)
