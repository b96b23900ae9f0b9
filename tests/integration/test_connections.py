"""Slow, silent and endless clients of a real server: each is let go in time, and everybody else is served meanwhile."""

import asyncio
import contextlib

import pytest
import uvicorn

from api.http.connections import BoundedHttpProtocol
from tests.support.api import without_worker

SECONDS = 0.5
BYTES = 8 * 1024
IDLE = 300
HEAD = b"GET /healthz HTTP/1.1\r\nhost: a\r\n"


class Impatient(BoundedHttpProtocol):
    head_seconds = SECONDS
    head_bytes = BYTES


@pytest.fixture
async def port(database_url):
    """Where the application is served by uvicorn, as in production but for its patience."""
    async with without_worker(database_url) as api:
        config = uvicorn.Config(
            api.app, host="127.0.0.1", port=0, http=Impatient, lifespan="off", log_config=None, timeout_keep_alive=1
        )
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve())
        while not server.started:  # noqa: ASYNC110 - uvicorn offers no event
            await asyncio.sleep(0)
        yield server.servers[0].sockets[0].getsockname()[1]
        server.should_exit = True
        await serving


@contextlib.asynccontextmanager
async def connected(port):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def all_of(reader):
    """Everything until the server closes, which it must before this runs out."""
    async with asyncio.timeout(20):
        with contextlib.suppress(ConnectionResetError):
            return await reader.read(-1)
        return b""


async def served(port):
    async with connected(port) as (reader, writer):
        writer.write(HEAD + b"connection: close\r\n\r\n")
        return (await all_of(reader)).startswith(b"HTTP/1.1 200")


async def test_a_silent_connection_is_closed(port):
    async with connected(port) as (reader, _):
        assert await all_of(reader) == b""


async def test_a_head_that_does_not_end_is_answered_408(port):
    async with connected(port) as (reader, writer):
        writer.write(HEAD)
        assert (await all_of(reader)).startswith(b"HTTP/1.1 408")


async def test_a_head_that_drips_gets_no_more_time(port):
    async with connected(port) as (reader, writer):
        writer.write(HEAD)
        answer = asyncio.create_task(all_of(reader))
        while not answer.done():
            writer.write(b"a: b\r\n")
            await asyncio.wait({answer}, timeout=SECONDS / 20)
        assert (await answer).startswith(b"HTTP/1.1 408") or answer.result() == b""


@pytest.mark.parametrize("line", [b"a: " + b"b" * 100 + b"\r\n", b"b" * 100], ids=["many lines", "one endless line"])
async def test_an_endless_head_is_refused_at_its_bound(port, line):
    async with connected(port) as (reader, writer):
        writer.write(HEAD)
        answer = asyncio.create_task(all_of(reader))
        sent = 0
        while not answer.done() and sent < 100 * BYTES:
            writer.write(line)
            sent += len(line)
            await asyncio.wait({answer}, timeout=0)
        assert sent < 100 * BYTES
        # What was still on its way when the server closed may cost the answer.
        assert (await answer).startswith(b"HTTP/1.1 431") or answer.result() == b""


async def test_a_long_head_in_one_piece_is_refused_too(port):
    async with connected(port) as (reader, writer):
        writer.write(HEAD + b"a: " + b"b" * 2 * BYTES + b"\r\n\r\n")
        assert (await all_of(reader)).startswith(b"HTTP/1.1 431")


@pytest.mark.parametrize("after", [b"", b"\r\n", HEAD], ids=["nothing", "an empty line", "half a head"])
async def test_a_connection_is_closed_after_its_answer_whatever_half_of_a_request_follows(port, after):
    async with connected(port) as (reader, writer):
        writer.write(HEAD + b"\r\n")
        assert (await reader.readuntil(b"}")).startswith(b"HTTP/1.1 200")
        writer.write(after)
        assert not (await all_of(reader)).startswith(b"HTTP/1.1 200")


async def test_two_requests_in_one_piece_are_both_answered(port):
    async with connected(port) as (reader, writer):
        writer.write((HEAD + b"\r\n") + HEAD + b"connection: close\r\n\r\n")
        assert (await all_of(reader)).count(b"HTTP/1.1 200") == 2


async def test_many_idle_connections_keep_nobody_waiting_and_are_all_closed(port):
    async with contextlib.AsyncExitStack() as stack:
        idle = [await stack.enter_async_context(connected(port)) for _ in range(IDLE)]
        assert all([await served(port) for _ in range(20)])
        assert set(await asyncio.gather(*(all_of(reader) for reader, _ in idle))) == {b""}
        assert await served(port)
