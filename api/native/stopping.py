"""Hears the signal that ends the process before the server acts on it.

One rule: the server's own handler always runs too. It waits for open responses, and a stream would never end by itself.
"""

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def on_stop_signal(act: Callable[[], None]) -> Iterator[None]:
    """Call `act` on the event loop at the first SIGTERM or SIGINT, for the length of the block.

    Outside the main thread, and where nobody else handles the signal, nothing is done.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    installed = {number: handler for number in _SIGNALS if (handler := _chained(number, loop, act)) is not None}
    previous = {number: signal.signal(number, handler) for number, handler in installed.items()}
    try:
        yield
    finally:
        for number, handler in installed.items():
            if signal.getsignal(number) is handler:
                signal.signal(number, previous[number])


def _chained(
    number: int, loop: asyncio.AbstractEventLoop, act: Callable[[], None]
) -> Callable[[int, FrameType | None], None] | None:
    server = signal.getsignal(number)
    if not callable(server):
        return None

    def handle(received: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(act)
        server(received, frame)

    return handle
