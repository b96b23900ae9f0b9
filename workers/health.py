"""A worker's two pages: `/healthz` says that its event loop turns, `/metrics` shows its numbers to Prometheus.

Its one rule: a GET, an answer, the end of the connection; whatever else comes is refused or cut off.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus

from infra.measures import Measures, exposition

PATHS = ("/healthz", "/metrics")
# A request of a probe is one short line and a few headers.
_LONGEST_REQUEST = 8 * 1024
_READ_SECONDS = 5.0


@asynccontextmanager
async def health_pages(host: str, port: int, measures: Measures) -> AsyncIterator[None]:
    """Serve the pages for as long as the block lasts; port 0 serves none."""
    if port == 0:
        yield
        return

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _answer(reader, writer, lambda: exposition.text_of(measures))

    server = await asyncio.start_server(answer, host, port, limit=_LONGEST_REQUEST)
    try:
        yield
    finally:
        server.close()
        await server.wait_closed()


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, numbers: Callable[[], bytes]) -> None:
    try:
        async with asyncio.timeout(_READ_SECONDS):
            request = await reader.readuntil(b"\r\n\r\n")
            writer.write(_response(request, numbers))
            await writer.drain()
    except (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        pass  # whoever asked did not finish, or left
    finally:
        writer.close()


def _response(request: bytes, numbers: Callable[[], bytes]) -> bytes:
    method, _, rest = request.partition(b" ")
    path = rest.partition(b" ")[0].partition(b"?")[0].decode("latin-1")
    if path not in PATHS:
        return _page(HTTPStatus.NOT_FOUND, b"")
    if method not in {b"GET", b"HEAD"}:
        return _page(HTTPStatus.METHOD_NOT_ALLOWED, b"")
    if path == "/metrics":
        return _page(HTTPStatus.OK, numbers(), content_type=exposition.CONTENT_TYPE, head=method == b"HEAD")
    return _page(HTTPStatus.OK, b'{"status":"ok"}', content_type="application/json", head=method == b"HEAD")


def _page(status: HTTPStatus, body: bytes, *, content_type: str = "text/plain", head: bool = False) -> bytes:
    lines = (
        f"HTTP/1.1 {status.value} {status.phrase}",
        f"Content-Type: {content_type}",
        f"Content-Length: {len(body)}",
        "Connection: close",
        "",
        "",
    )
    return "\r\n".join(lines).encode() + (b"" if head else body)
