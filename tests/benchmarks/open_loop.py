"""The open load generator: a process of its own whose calls begin at instants fixed before, whatever became of others.

One rule: a call is as old as its instant. One for which no connection is free waits here, and that wait counts; a load
that waits for answers before it goes on would leave out just the calls that a stall makes slow.
"""

import asyncio
import json
import sys
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import uvloop
from typing_extensions import override

from tests.benchmarks.arithmetic import arrivals
from tests.benchmarks.generator import END_OF_HEAD, answer_length
from tests.benchmarks.workload import Load, messages

_CREATED = 201
_OPERATION = b"seatline-operation: "


@dataclass(slots=True)
class Call:
    """One call: its instants by the monotonic clock, which all processes of a machine share, and what came of it."""

    due: float
    sent: float = 0.0
    answered: float = 0.0
    operation: str = ""
    created: bool = False


class Callers:
    """So many connections, each with one call at a time; what is due while all are busy queues for the next."""

    def __init__(self, expected: int) -> None:
        self._expected = expected
        self._idle: deque[Connection] = deque()
        self._queue: deque[tuple[Call, bytes]] = deque()
        self.calls: list[Call] = []
        self.finished: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def due(self, call: Call, request: bytes) -> None:
        """Send it now if a connection is free, else as soon as one is."""
        if self._idle:
            self._idle.popleft().send(call, request)
        else:
            self._queue.append((call, request))

    def free(self, connection: "Connection") -> None:
        """A connection has nothing to do."""
        if self._queue:
            connection.send(*self._queue.popleft())
        else:
            self._idle.append(connection)

    def answered(self, call: Call) -> None:
        """One more is done."""
        self.calls.append(call)
        if len(self.calls) == self._expected and not self.finished.done():
            self.finished.set_result(None)

    def lost(self, error: Exception) -> None:
        """The API closed a connection: then the figure would not mean what it says."""
        if not self.finished.done():
            self.finished.set_exception(error)


class Connection(asyncio.Protocol):
    """One keep-alive connection."""

    def __init__(self, callers: Callers) -> None:
        self._callers = callers
        self._received = b""
        self._call: Call | None = None
        self._transport: asyncio.Transport | None = None

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._callers.free(self)

    def send(self, call: Call, request: bytes) -> None:
        """Write the request of this call."""
        self._call = call
        call.sent = time.perf_counter()
        cast("asyncio.Transport", self._transport).write(request)

    @override
    def data_received(self, data: bytes) -> None:
        self._received += data
        needed = answer_length(self._received)
        if self._call is None or not needed or len(self._received) < needed:
            return
        call, self._call = self._call, None
        call.answered = time.perf_counter()
        call.created = int(self._received[9:12]) == _CREATED
        call.operation = _operation(self._received)
        self._received = b""
        self._callers.answered(call)
        self._callers.free(self)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._callers.lost(exc or ConnectionError("the API closed the connection"))


def _operation(received: bytes) -> str:
    head = received[: received.index(END_OF_HEAD)].lower()
    _, _, rest = head.partition(_OPERATION)
    return rest[:36].decode()


async def _play(host: str, port: int, tokens: list[str], load: Load, rate: float) -> dict[str, object]:
    total = load.warm_up + load.requests
    loop, callers = asyncio.get_running_loop(), Callers(total)
    for _ in range(load.callers):
        await loop.create_connection(lambda: Connection(callers), host, port)
    requests = messages(load, host=f"{host}:{port}", tokens=tokens)
    pacing = asyncio.create_task(_pace(callers, requests, arrivals(rate, total / rate)))
    await callers.finished
    await pacing
    ordered = sorted(callers.calls, key=lambda call: call.due)[load.warm_up :]
    return {
        "due": [call.due for call in ordered],
        "sent": [call.sent for call in ordered],
        "answered": [call.answered for call in ordered],
        "operations": [call.operation for call in ordered],
        "refused": sum(not call.created for call in callers.calls),
    }


async def _pace(callers: Callers, requests: Iterator[bytes], instants: list[float]) -> None:
    began = time.perf_counter()
    for instant, request in zip(instants, requests, strict=True):
        early = began + instant - time.perf_counter()
        if early > 0:
            await asyncio.sleep(early)
        callers.due(Call(due=began + instant), request)


def main() -> None:
    """Play the load that stands on standard input."""
    order = json.load(sys.stdin)
    load = Load(**order.pop("load"))
    json.dump(uvloop.run(_play(load=load, **order)), sys.stdout)


if __name__ == "__main__":
    main()
