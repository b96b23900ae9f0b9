"""The load generator: a process of its own that keeps a number of callers busy over keep-alive HTTP/1.1.

One rule: between the first request and the last answer it only moves bytes; requests are made before, answers are
read after. It takes a load as JSON on standard input and prints what it measured as JSON.
"""

import asyncio
import json
import resource
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import cast

import uvloop
from typing_extensions import override

from tests.benchmarks.workload import Load, messages, refused

END_OF_HEAD = b"\r\n\r\n"
_LENGTH = b"content-length:"


@dataclass(slots=True)
class Run:
    """What one run has still to send, and what has come back."""

    to_send: Iterator[bytes]
    latencies: list[float] = field(default_factory=list)
    answers: list[tuple[int, bytes]] = field(default_factory=list)


class Caller(asyncio.Protocol):
    """One connection with one request at a time."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._received = b""
        self._needed = 0
        self._sent_at = 0.0
        self._transport: asyncio.Transport | None = None
        self.finished: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    @property
    def is_open(self) -> bool:
        """The server has not closed the connection."""
        return self._transport is not None and not self._transport.is_closing()

    def go_on(self, run: Run) -> None:
        """Take requests of this run until there are none."""
        self._run = run
        self.finished = asyncio.get_running_loop().create_future()
        self._send()

    @override
    def data_received(self, data: bytes) -> None:
        self._received += data
        if not self._needed:
            self._needed = answer_length(self._received)
        if self._needed and len(self._received) >= self._needed:
            self._run.latencies.append(time.perf_counter() - self._sent_at)
            status = int(self._received[9:12])
            self._run.answers.append((status, self._received[self._received.index(END_OF_HEAD) + 4 :]))
            self._received, self._needed = b"", 0
            self._send()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        if not self.finished.done():
            self.finished.set_exception(exc or ConnectionError("the API closed the connection"))

    def _send(self) -> None:
        request = next(self._run.to_send, None)
        if request is None or self._transport is None:
            self.finished.set_result(None)
            return
        self._sent_at = time.perf_counter()
        self._transport.write(request)


def answer_length(received: bytes) -> int:
    """How long the whole answer is; 0 while its head is incomplete."""
    end = received.find(END_OF_HEAD)
    if end < 0:
        return 0
    head = received[:end].lower()
    place = head.index(_LENGTH) + len(_LENGTH)
    return end + len(END_OF_HEAD) + int(head[place:].split(b"\r\n", 1)[0])


async def _play(host: str, port: int, tokens: list[str], load: Load) -> dict[str, object]:
    requests = list(messages(load, host=f"{host}:{port}", tokens=tokens))
    warm_up = Run(iter(requests[: load.warm_up]))
    loop = asyncio.get_running_loop()

    async def caller() -> Caller:
        return (await loop.create_connection(lambda: Caller(warm_up), host, port))[1]

    callers = [await caller() for _ in range(load.callers)]
    cpu = _cpu()
    await _all(callers, warm_up)
    # Who had warmed up before the slowest may have been let go meanwhile.
    callers = [one if one.is_open else await caller() for one in callers]
    run = Run(iter(requests[load.warm_up :]))
    began = time.perf_counter()
    await _all(callers, run)
    seconds, cpu = time.perf_counter() - began, _cpu() - cpu
    return {
        "seconds": seconds,
        "cpu": cpu,
        "latencies": run.latencies,
        "refused": refused(load, run.answers) + refused(load, warm_up.answers),
    }


async def _all(callers: list[Caller], run: Run) -> None:
    for caller in callers:
        caller.go_on(run)
    await asyncio.gather(*(caller.finished for caller in callers))


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Play the load that stands on standard input."""
    order = json.load(sys.stdin)
    load = Load(**order.pop("load"))
    result = uvloop.run(_play(load=load, **order))
    json.dump(result, sys.stdout)


if __name__ == "__main__":
    main()
