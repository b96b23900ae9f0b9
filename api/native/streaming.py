"""A response that goes on: server-sent events as they come, for every route that is followed live.

One rule: it ends with its client and with its parts; a client that comes back says where it was.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from typing_extensions import override

MEDIA_TYPE = "text/event-stream"
# Below the idle limits of common proxies (60 s), and soon enough to notice a client that is gone.
KEEP_ALIVE_SECONDS = 15.0


class LiveStream(Response):
    """Sends the parts as they come, until they end or the client goes away."""

    media_type = MEDIA_TYPE

    def __init__(self, parts: AsyncGenerator[bytes, None]) -> None:
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._parts = parts

    @override
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until something ends it; the end is a proper one for the client, which then comes back."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        sending = asyncio.create_task(self._send_all(send), name="stream-parts")
        gone = asyncio.create_task(_disconnected(receive), name="stream-client")
        try:
            await asyncio.wait({sending, gone}, return_when=asyncio.FIRST_COMPLETED)
            if sending.done():
                sending.result()
                await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            for task in (sending, gone):
                task.cancel()
            await asyncio.gather(sending, gone, return_exceptions=True)

    async def _send_all(self, send: Send) -> None:
        # A comment at once, so that the client knows that it is connected.
        await send({"type": "http.response.body", "body": b": following\n\n", "more_body": True})
        # Closed at once where a send is cut short, and not whenever it is collected: they count who watches.
        async with aclosing(self._parts) as parts:
            async for part in parts:
                await send({"type": "http.response.body", "body": part, "more_body": True})


def message(event: str, data: bytes, *, identifier: str | None = None) -> bytes:
    """One server-sent event; the data hold no line feed."""
    named = b"" if identifier is None else b"id: %b\n" % identifier.encode()
    return named + b"event: %b\ndata: %b\n\n" % (event.encode(), data)


def wants_stream(request: Request) -> bool:
    """Whether the caller asks for events as they come."""
    accepted = ",".join(request.headers.getlist("accept")).split(",")
    return any(part.partition(";")[0].strip().lower() == MEDIA_TYPE for part in accepted)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
