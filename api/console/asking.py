"""Asks /v1/ops for a page: the same routes, checks and answers that a script gets, without a socket between.

One rule: a page knows nothing that /v1/ops does not tell, and does nothing that /v1/ops does not do.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from fastapi import Request
from starlette.types import Message, Scope

from api.authentication import Caller
from api.http.context import AUTHENTICATED

Parameters = Mapping[str, str | int | Sequence[str] | None]
# A stream whose reader is slow holds this many pieces, no more.
_MOST_PIECES = 64


class RefusedError(Exception):
    """/v1/ops has refused; the parts of its problem document."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        super().__init__(f"{status} {problem.get('code')}")
        self.status = status
        self.code = str(problem.get("code", ""))
        self.title = str(problem.get("title", ""))
        self.detail = str(problem.get("detail", self.title))


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamMessage:
    """One server-sent message."""

    event: str = ""
    data: str = ""
    id: str = ""


@dataclass(slots=True)
class _Exchange:
    """One request to the application and what comes back, piece by piece; an empty piece is the end."""

    body: bytes
    status: asyncio.Future[int]
    pieces: asyncio.Queue[bytes] = field(default_factory=lambda: asyncio.Queue(_MOST_PIECES))
    is_sent: bool = False

    async def receive(self) -> Message:
        """The request's body, once; a client that asks in the same process does not disconnect."""
        if self.is_sent:
            await asyncio.Event().wait()
        self.is_sent = True
        return {"type": "http.request", "body": self.body, "more_body": False}

    async def send(self, message: Message) -> None:
        """Take one message of the answer."""
        if message["type"] == "http.response.start":
            self.status.set_result(message["status"])
            return
        if message.get("body"):
            await self.pieces.put(message["body"])
        if not message.get("more_body", False):
            await self.pieces.put(b"")


class Ops:
    """/v1/ops as one caller, whom the console has authenticated, sees it."""

    def __init__(self, request: Request, caller: Caller) -> None:
        self._request = request
        self._caller = caller

    async def get(self, path: str, parameters: Parameters | None = None) -> Any:
        """The JSON of a read.

        Raises:
            RefusedError: as /v1/ops says.
        """
        return await self._answer("GET", path, parameters, b"", ())

    async def post(
        self, path: str, document: Any = None, *, parameters: Parameters | None = None, key: str | None = None
    ) -> Any:
        """The JSON of a write, final or accepted; `key` is its Idempotency-Key.

        Raises:
            RefusedError: as /v1/ops says.
        """
        headers = [(b"prefer", b"wait=2")]
        if document is not None:
            headers.append((b"content-type", b"application/json"))
        if key is not None:
            headers.append((b"idempotency-key", key.encode()))
        body = b"" if document is None else json.dumps(document).encode()
        return await self._answer("POST", path, parameters, body, headers)

    @asynccontextmanager
    async def follow(
        self, path: str, parameters: Parameters | None = None, *, after: str | None = None
    ) -> AsyncIterator[AsyncIterator[StreamMessage]]:
        """The messages of a stream, from behind the one with the id `after`.

        Raises:
            RefusedError: before the first message.
        """
        headers = [(b"accept", b"text/event-stream")]
        if after:
            headers.append((b"last-event-id", after.encode("latin-1", "replace")))
        async with self._exchange("GET", path, parameters, b"", headers) as exchange:
            status = await exchange.status
            if status >= 400:  # noqa: PLR2004 - where refusals begin
                raise RefusedError(status, json.loads(await _whole(exchange)))
            yield _messages(exchange)

    async def _answer(
        self,
        method: str,
        path: str,
        parameters: Parameters | None,
        body: bytes,
        headers: Sequence[tuple[bytes, bytes]],
    ) -> Any:
        async with self._exchange(method, path, parameters, body, headers) as exchange:
            status = await exchange.status
            document = json.loads(await _whole(exchange) or b"null")
        if status >= 400:  # noqa: PLR2004 - where refusals begin
            raise RefusedError(status, document or {})
        return document

    @asynccontextmanager
    async def _exchange(
        self,
        method: str,
        path: str,
        parameters: Parameters | None,
        body: bytes,
        headers: Sequence[tuple[bytes, bytes]],
    ) -> AsyncIterator[_Exchange]:
        exchange = _Exchange(body, asyncio.get_running_loop().create_future())
        scope = self._scope(method, path, parameters, headers)
        # A task has a context of its own: what the inner request notes for the log is not the outer one's.
        task = asyncio.create_task(self._request.app(scope, exchange.receive, exchange.send), name="console-ask")
        task.add_done_callback(lambda done: _settle(exchange, done))
        try:
            yield exchange
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def _scope(
        self, method: str, path: str, parameters: Parameters | None, headers: Sequence[tuple[bytes, bytes]]
    ) -> Scope:
        outer = self._request.scope
        pairs = {name: value for name, value in (parameters or {}).items() if value is not None and value != ""}
        return {
            "type": "http",
            "asgi": outer["asgi"],
            "http_version": "1.1",
            "method": method,
            "scheme": outer["scheme"],
            "path": path,
            "raw_path": quote(path).encode(),
            "root_path": "",
            "query_string": urlencode(pairs, doseq=True).encode(),
            "headers": [
                (b"host", b"console"),
                (b"accept-language", b"en"),
                (b"x-request-id", str(outer["request_id"]).encode()),
                *headers,
            ],
            "client": outer.get("client"),
            "server": outer.get("server"),
            AUTHENTICATED: self._caller,
        }


def _settle(exchange: _Exchange, task: asyncio.Task[None]) -> None:
    """Whoever waits for the answer's beginning must not wait for ever where there will be none."""
    if exchange.status.done():
        return
    error = None if task.cancelled() else task.exception()
    exchange.status.set_exception(error or ConnectionAbortedError("there was no answer"))
    exchange.status.exception()  # marks it as seen: whoever asked may have gone away


async def _whole(exchange: _Exchange) -> bytes:
    pieces = []
    while piece := await exchange.pieces.get():
        pieces.append(piece)
    return b"".join(pieces)


async def _messages(exchange: _Exchange) -> AsyncIterator[StreamMessage]:
    """The messages as they come; comments, which keep a connection alive, come as messages without anything."""
    rest = ""
    while piece := await exchange.pieces.get():
        *blocks, rest = (rest + piece.decode()).split("\n\n")
        for block in blocks:
            yield _message(block)


def _message(block: str) -> StreamMessage:
    fields: dict[str, list[str]] = {}
    for line in block.split("\n"):
        name, _, value = line.partition(":")
        fields.setdefault(name, []).append(value.removeprefix(" "))
    return StreamMessage(
        event="".join(fields.get("event", ())), data="\n".join(fields.get("data", ())), id="".join(fields.get("id", ()))
    )
