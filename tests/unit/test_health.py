import asyncio

import pytest

from infra.local.ports import HOST, free_port
from infra.measures import Measures
from workers.health import health_pages


async def ask(request: bytes) -> bytes:
    port = free_port()
    async with health_pages(HOST, port, Measures("worker")), asyncio.timeout(10):
        reader, writer = await asyncio.open_connection(HOST, port)
        writer.write(request)
        if request:
            await writer.drain()
        else:
            writer.write_eof()
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()
    return answer


async def test_a_worker_whose_loop_turns_is_healthy():
    answer = await ask(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert answer.endswith(b'{"status":"ok"}')


async def test_its_numbers_are_shown_to_prometheus():
    answer = await ask(b"GET /metrics?x=1 HTTP/1.1\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"process_cpu_seconds_total" in answer
    assert b'\nseatline_passes_total{outcome="committed"} 0.0\n' in answer


async def test_a_head_request_gets_no_body():
    assert (await ask(b"HEAD /healthz HTTP/1.1\r\n\r\n")).endswith(b"\r\n\r\n")


@pytest.mark.parametrize(
    ("request_line", "status"),
    [(b"GET / HTTP/1.1", b"404"), (b"POST /healthz HTTP/1.1", b"405"), (b"\xff\xfe", b"404")],
)
async def test_whatever_else_is_asked_is_refused(request_line, status):
    assert (await ask(request_line + b"\r\n\r\n")).split()[1] == status


@pytest.mark.parametrize("request_bytes", [b"", b"x" * 20_000])
async def test_what_is_no_request_is_cut_off(request_bytes):
    assert await ask(request_bytes) == b""


async def test_port_zero_serves_nothing():
    async with health_pages(HOST, 0, Measures("worker")):
        pass
