"""A real worker process with one planned fault: `python -m tests.support.faulty_worker FAULT`.

The fault strikes at groups whose key begins with `poison`; everything else is the worker as it is shipped.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from domain.commands import Kind
from domain.planning import Decision, Order
from infra import logging, settings
from infra.postgres.database import Transaction
from infra.postgres.statements import compile_block
from workers import main
from workers.handlers import HANDLERS, Handler


async def _die(_tx: Transaction) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


async def _stop(_tx: Transaction) -> None:
    os.kill(os.getpid(), signal.SIGSTOP)


async def _raise(_tx: Transaction) -> None:
    raise RuntimeError("poisoned")


async def _crash_the_server(tx: Transaction) -> None:
    """As the kernel does where memory ends: the backend is killed, and Postgres starts again from its log."""
    [row] = await tx.fetch(_BACKEND)
    os.kill(row["pid"], signal.SIGKILL)
    await tx.fetch(_WRITTEN)


_BACKEND = compile_block("backend", "SELECT pg_backend_pid() AS pid")
_WRITTEN = compile_block("written", "SELECT key FROM user_group LIMIT 1")
FAULTS = {"dies": _die, "stops": _stop, "raises": _raise, "crashes-the-server": _crash_the_server}


def struck_by(
    fault: str, handlers: Mapping[str, Handler] = HANDLERS, *, beginning: str = "poison"
) -> Mapping[str, Handler]:
    """These handlers, with a fault in the middle of groups.put, after its rows are written."""

    async def put_groups(tx: Transaction, orders: Sequence[Order[Any]], at: datetime) -> list[Decision]:
        decisions = await handlers[Kind.PUT_GROUPS](tx, orders, at)
        if any(item.key.startswith(beginning) for order in orders for item in order.command.items):
            await tx.fetch(_WRITTEN)  # what was sent before is done when this is answered
            await FAULTS[fault](tx)
        return decisions

    return {**handlers, Kind.PUT_GROUPS: put_groups}


async def run(fault: str, values: settings.Settings) -> None:
    """Run until killed or asked to stop."""
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    process = main.Worker(values, handlers=struck_by(fault))
    await process.start()
    await ended.wait()
    await process.stop()


if __name__ == "__main__":
    loaded = settings.load()
    logging.configure(loaded, process="worker")
    asyncio.run(run(sys.argv[1], loaded))
