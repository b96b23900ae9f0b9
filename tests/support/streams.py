"""An event stream read over ASGI as a client would: chunk by chunk, until either side ends it."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI

_PATIENCE_SECONDS = 60.0


class Stream:
    """One open response. `status` is known when it is entered."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.ended = False
        self._messages: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._gone = asyncio.Event()
        self._asked = False
        self._text = ""

    def leave(self) -> None:
        """Go away, as a client that closes its connection."""
        self._gone.set()

    async def block(self) -> dict[str, str]:
        """The next block, as its fields; comments are under the empty name. EOFError when the response has ended."""
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while "\n\n" not in self._text:
                await self._read()
        block, _, self._text = self._text.partition("\n\n")
        return {name: value.removeprefix(" ") for name, _, value in (line.partition(":") for line in block.split("\n"))}

    async def event(self) -> dict[str, str]:
        """The next event, past comments."""
        while "data" not in (block := await self.block()):
            pass
        return block

    async def end(self) -> None:
        """Wait for the response's proper end."""
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while not self.ended:
                await self._read()

    async def receive(self) -> dict[str, Any]:
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        self._messages.put_nowait(message)

    async def begin(self) -> None:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            start = await self._messages.get()
        self.status = start["status"]
        self.headers = {name.decode(): value.decode() for name, value in start["headers"]}

    async def _read(self) -> None:
        if self.ended:
            raise EOFError
        message = await self._messages.get()
        self._text += message["body"].decode()
        self.ended = not message.get("more_body", False)


@asynccontextmanager
async def streaming(app: FastAPI, target: str, headers: Mapping[str, str]) -> AsyncIterator[Stream]:
    """GET the target, which is a path with its query, and leave at the end of the block."""
    path, _, query = target.partition("?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 50000),
        "server": ("api.test", 80),
    }
    stream = Stream()
    serving = asyncio.create_task(app(scope, stream.receive, stream.send))
    try:
        await stream.begin()
        yield stream
    finally:
        stream.leave()
        async with asyncio.timeout(_PATIENCE_SECONDS):
            await serving
