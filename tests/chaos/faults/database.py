"""What Postgres can do to the service."""

import asyncio
import signal
import time

from tests.chaos.scene import Scene
from tests.chaos.servers import freeze, thaw

_STOPPED_SECONDS = 10.0
# Not our own, which asks, and none of another database.
_TERMINATE = """
SELECT count(pg_terminate_backend(pid)) AS ended
  FROM pg_stat_activity
 WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


async def restarted(scene: Scene) -> str:
    """`pg_ctl restart -m immediate`: no checkpoint, no farewell, recovery from the log."""
    began, server = time.monotonic(), scene.servers.postgres
    server.children[-1].send(signal.SIGQUIT)
    await asyncio.to_thread(server.children[-1].process.wait)
    await asyncio.to_thread(server.stop)
    await asyncio.to_thread(server.start)
    return f"immediate, serving again after {time.monotonic() - began:.1f} s"


async def stopped(scene: Scene) -> str:
    """SIGSTOP of the server and of every session."""
    freeze(scene.servers.postgres)
    try:
        await asyncio.sleep(_STOPPED_SECONDS)
    finally:
        thaw(scene.servers.postgres)
    return f"{_STOPPED_SECONDS:.0f} s"


async def connections_terminated(scene: Scene) -> str:
    """Every session is ended, three times."""
    ended = 0
    for _ in range(3):
        ended += (await scene.ask(_TERMINATE))[0]["ended"]
        await asyncio.sleep(0.5)
    return f"{ended} sessions in 1.5 s"
