"""A stream to an open page: what /v1/ops streams, turned into parts of the page as it comes.

One rule: a stream ends with the session; what is shown to nobody is not asked for.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AbstractAsyncContextManager

import structlog
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from typing_extensions import override

from api.console.asking import StreamMessage
from api.console.rendering import HEADERS
from api.console.visiting import NotSignedInError, Visitor, visitor_of
from infra.postgres.faults import is_transient

log = structlog.get_logger(__name__)

# How soon a stream notices that its session has ended.
SESSION_SECONDS = 5.0

Followed = AbstractAsyncContextManager[AsyncIterator[StreamMessage]]
Shown = Callable[[StreamMessage], Iterable[StreamMessage]]
"""What the page is sent for one message of /v1/ops."""


class LiveResponse(Response):
    """Server-sent messages for one page."""

    media_type = "text/event-stream"

    def __init__(self, visitor: Visitor, follow: Callable[[], Followed], shown: Shown) -> None:
        super().__init__(headers={**HEADERS, "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._visitor = visitor
        self._follow = follow
        self._shown = shown

    @override
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until the page is left, the session ends, or /v1/ops ends its stream; the page then comes back."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": b": following\n\n", "more_body": True})
        sending = asyncio.create_task(self._send_all(send), name="console-stream")
        gone = asyncio.create_task(_disconnected(receive), name="console-client")
        ended = asyncio.create_task(self._session_ended(), name="console-session")
        tasks = (sending, gone, ended)
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            ends = await asyncio.gather(*tasks, return_exceptions=True)
        for end in ends:
            if isinstance(end, Exception):
                log.warning("a stream of the console ends", error=type(end).__name__)
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _send_all(self, send: Send) -> None:
        async with self._follow() as messages:
            async for message in messages:
                for shown in self._shown(message):
                    await send({"type": "http.response.body", "body": wire(shown), "more_body": True})

    async def _session_ended(self) -> None:
        while True:
            await asyncio.sleep(SESSION_SECONDS)
            try:
                await visitor_of(self._visitor.request)
            except NotSignedInError:
                return
            except Exception as error:
                # A database that does not serve ends no session; the page is about to show that it does not.
                if not is_transient(error):
                    raise


def wire(message: StreamMessage) -> bytes:
    """A message as it goes out; one without data is a sign of life."""
    if not message.data and not message.id:
        return b": still here\n\n"
    lines = [f"id: {message.id}"] if message.id else []
    if message.event:
        lines.append(f"event: {message.event}")
    lines += [f"data: {line}" for line in message.data.replace("\r", "").split("\n")]
    return ("\n".join(lines) + "\n\n").encode()


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
