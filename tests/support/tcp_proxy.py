"""A TCP proxy between a client and a server that can be made to fail: cut, black-holed, reset at a chosen place."""

import asyncio
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit, urlunsplit

_CHUNK = 65536


class TcpProxy:
    """Listens on a free port of 127.0.0.1 and passes everything on to the server of `url`, until told otherwise."""

    def __init__(self, url: str) -> None:
        self._parts = urlsplit(url)
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._clients: set[asyncio.StreamWriter] = set()
        self._refusing = False
        self._budget: int | None = None
        self._period: int | None = None
        self._fatal: bytes | None = None
        self._swallowing = False
        self._withholding = False
        self.accepted = 0
        self.resets = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    @property
    def url(self) -> str:
        """The server's URL with the proxy's address in it."""
        assert self._server is not None
        port = self._server.sockets[0].getsockname()[1]
        credentials, at, _ = self._parts.netloc.rpartition("@")
        return urlunsplit(self._parts._replace(netloc=f"{credentials}{at}127.0.0.1:{port}"))

    def cut(self, *, refuse: bool = False) -> None:
        """Reset every connection; with `refuse`, every new one as well, until `heal`."""
        self._refusing = refuse
        self._withholding = False
        for writer in self._writers:
            writer.transport.abort()

    def black_hole(self) -> None:
        """Keep the connections, accept new ones, and pass nothing on in either direction."""
        self._flowing.clear()

    def reset_after(self, sent_by_client: int) -> None:
        """Reset all connections once clients have sent that many bytes more; this happens once."""
        self._budget = sent_by_client

    def reset_every(self, sent_by_client: int) -> None:
        """Reset all connections again and again, whenever clients have sent that many bytes more."""
        self._budget = self._period = sent_by_client

    def reset_never(self) -> None:
        """Forget what `reset_after` and `reset_every` have asked for."""
        self._budget = self._period = None

    def swallow_answer_to(self, words: bytes) -> None:
        """Reset all connections instead of passing on what the server answers to the next message with these words.

        The server has then done what it was asked, and the client cannot know; this happens once.
        """
        self._fatal = words

    def withhold_answers(self) -> None:
        """Pass nothing on that the server says, until its connections are cut: what it did nobody can know."""
        self._withholding = True

    def heal(self) -> None:
        """Accept and pass on again, what was held back first."""
        self._refusing = False
        self._flowing.set()

    @property
    def has_reset(self) -> bool:
        """Whether the reset that was asked for has happened."""
        return self._budget is None

    @property
    def server_side_ports(self) -> set[int]:
        """The ports from which the server sees this proxy's connections come."""
        pairs = [writer.get_extra_info("sockname") for writer in self._writers - self._clients]
        return {pair[1] for pair in pairs if pair}

    def say_to_clients(self, data: bytes) -> None:
        """Send bytes to every client as if the server had."""
        for writer in self._clients:
            writer.write(data)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        if self._refusing:
            writer.transport.abort()
            return
        try:
            upstream_reader, upstream = await asyncio.open_connection(self._parts.hostname, self._parts.port)
        except OSError:  # nobody listens there just now: say so, instead of keeping the client waiting
            writer.transport.abort()
            return
        self._writers |= {writer, upstream}
        self._clients.add(writer)
        for pump in (
            self._pump(reader, upstream, counted=True),
            self._pump(upstream_reader, writer, counted=False),
        ):
            task = asyncio.ensure_future(pump)
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _pump(self, source: asyncio.StreamReader, target: asyncio.StreamWriter, *, counted: bool) -> None:
        try:
            while data := await source.read(_CHUNK):
                await self._flowing.wait()
                if self._exhausted(len(data)) if counted else self._swallowing:
                    self._reset()
                    return
                if counted and self._fatal is not None and self._fatal in data:
                    self._fatal, self._swallowing = None, True
                if counted or not self._withholding:
                    target.write(data)
                    await target.drain()
        except OSError:
            pass
        finally:
            self._clients.discard(target)
            self._writers.discard(target)
            target.transport.abort()

    def _exhausted(self, size: int) -> bool:
        if self._budget is None:
            return False
        self._budget -= size
        if self._budget > 0:
            return False
        self._budget = self._period
        return True

    def _reset(self) -> None:
        self._swallowing = False
        self.resets += 1
        self.cut()
