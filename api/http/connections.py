"""Connections that ask nothing, or never finish asking: uvicorn's HTTP/1.1 protocol, with a bound on every head.

One rule: between a connection's opening, or the end of an answer, and the last line of a head, only so many seconds and
bytes may pass. What comes behind the head, `receiving` bounds.
"""

import asyncio
from typing import Any

from typing_extensions import override
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_SECONDS = 10.0
HEAD_BYTES = 64 * 1024

_TOO_SLOW = b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


class BoundedHttpProtocol(HttpToolsProtocol):
    """Answers 408 to a head that does not end in time and 431 to one that is too long; closes what stays silent."""

    head_seconds = HEAD_SECONDS
    head_bytes = HEAD_BYTES

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._timer: asyncio.TimerHandle | None = None
        self._head_begun = False
        self._head_size = 0

    @override
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._expect_head()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        super().connection_lost(exc)

    @override
    def data_received(self, data: bytes) -> None:
        if self._head_begun:  # a line that does not end is seen by nobody else
            self._head_size += len(data)
        if self._head_size > self.head_bytes:
            self._refuse(_TOO_LARGE)
            return
        super().data_received(data)
        if self._is_waiting and self._timer is None and not self.transport.is_closing():
            self._expect_head()  # an empty line, say, which ends a keep-alive and begins nothing

    @override
    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._head_begun, self._head_size = True, 0
        if self._timer is None:
            self._expect_head()

    @override
    def on_headers_complete(self) -> None:
        self._head_begun, self._head_size = False, 0
        self._stop_timer()
        if sum(len(name) + len(value) for name, value in self.headers) + len(self.url) > self.head_bytes:
            self._refuse(_TOO_LARGE)
            return
        super().on_headers_complete()

    @property
    def _is_waiting(self) -> bool:
        """Nothing is being answered, and nobody else will end the connection."""
        answered = self.cycle is None or self.cycle.response_complete
        return answered and self.timeout_keep_alive_task is None

    def _expect_head(self) -> None:
        self._timer = self.loop.call_later(self.head_seconds, self._too_slow)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _too_slow(self) -> None:
        self._timer = None
        if not self._head_begun and not self._is_waiting:
            return
        self._refuse(_TOO_SLOW if self._head_begun and self._is_waiting else b"")

    def _refuse(self, answer: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(answer)
            self.transport.close()
