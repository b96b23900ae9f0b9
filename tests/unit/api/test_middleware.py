"""Around every request: its id, its bounds, its log line, its measures, and an answer whatever happens inside."""

import asyncio
import re
from types import SimpleNamespace

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import Response
from structlog.testing import capture_logs

from api.app import FAMILIES
from api.errors.api_error import ApiError
from api.http.metrics import HttpMetrics
from api.http.middleware import RequestMiddleware
from api.http.receiving import BoundedReceive
from api.http.services import Services
from domain.errors import ErrorCode
from infra.measures import Measures, exposition

LIMIT = 1000


class Application:
    """A route `/things/{id}` whose behaviour the test sets, inside the middleware."""

    def __init__(self):
        self.metrics = HttpMetrics(Measures("api"))
        self.answer = self.echo
        self.outer = RequestMiddleware(self.route, metrics=self.metrics, max_body_bytes=LIMIT)
        self.services = SimpleNamespace(
            families=FAMILIES, family_of=lambda path: Services.family_of(self.services, path)
        )

    async def __call__(self, scope, receive, send):
        scope["app"] = SimpleNamespace(state=SimpleNamespace(services=self.services))
        await self.outer(scope, receive, send)

    async def route(self, scope, receive, send):
        if scope["path"].startswith("/things/"):
            scope["route"] = SimpleNamespace(path="/things/{id}")
        await self.answer(scope, receive, send)

    async def echo(self, scope, receive, send):
        body = await Request(scope, receive).body()
        await Response(body)(scope, receive, send)

    async def call(self, method="POST", path="/things/7", **options):
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=self), base_url="http://api.test") as client:
            return await client.request(method, path, **options)


@pytest.fixture
def application():
    return Application()


def raising(error):
    async def answer(scope, receive, send):
        raise error

    return answer


async def test_a_request_has_an_id_of_its_own(application):
    first, second = await application.call(), await application.call()
    assert re.fullmatch(r"[0-9a-f]{32}", first.headers["x-request-id"])
    assert first.headers["x-request-id"] != second.headers["x-request-id"]


async def test_a_sane_id_is_kept(application):
    response = await application.call(headers={"X-Request-Id": "import-2025.7_a"})
    assert response.headers["x-request-id"] == "import-2025.7_a"


@pytest.mark.parametrize("sent", ["", "a b", "a\tb", "x" * 129, "ä", "a;b", '"', "${jndi:x}"])
async def test_any_other_id_is_replaced(application, sent):
    response = await application.call(headers={"X-Request-Id": sent.encode()})
    assert re.fullmatch(r"[0-9a-f]{32}", response.headers["x-request-id"])


async def test_a_head_is_answered_as_a_get_without_the_body(application):
    async def answer(scope, receive, send):
        assert scope["method"] == "GET"
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"6")]})
        for piece in (b"abc", b"def"):
            await send({"type": "http.response.body", "body": piece, "more_body": True})

    application.answer = answer
    response = await application.call("HEAD")
    assert (response.status_code, response.content, response.headers["content-length"]) == (200, b"", "6")
    assert response.headers["x-request-id"]
    assert b'method="HEAD"' in exposition.text_of(application.metrics.measures)


async def test_a_body_up_to_the_limit_passes(application):
    assert (await application.call(content=b"x" * LIMIT)).content == b"x" * LIMIT


async def test_a_longer_body_is_refused(application):
    response = await application.call(content=b"x" * (LIMIT + 1))
    assert response.status_code == 413
    assert response.json()["code"] == "BODY_TOO_LARGE"
    assert response.json()["limit"] == LIMIT
    assert response.headers["x-request-id"]


async def test_a_longer_body_without_a_length_is_refused(application):
    async def chunks():
        for _ in range(LIMIT // 100 + 1):
            yield b"x" * 100

    response = await application.call(content=chunks())
    assert "content-length" not in response.request.headers
    assert response.status_code == 413


async def test_a_promised_length_is_refused_before_a_byte_is_read():
    async def receive():
        pytest.fail("nothing should be read")

    bounded = BoundedReceive(scope_with(("content-length", str(10**30))), receive, max_bytes=LIMIT)
    with pytest.raises(ApiError) as refused:
        await bounded()
    assert refused.value.code is ErrorCode.BODY_TOO_LARGE


async def test_a_body_that_does_not_arrive_is_refused():
    async def receive():
        await asyncio.Event().wait()

    bounded = BoundedReceive(scope_with(), receive, max_bytes=LIMIT, seconds=0.01)
    with pytest.raises(ApiError) as refused:
        await bounded()
    assert [problem.problem for problem in refused.value.problems] == ["too_slow"]
    assert refused.value.headers == {"Connection": "close"}


async def test_the_time_is_that_of_the_whole_body_not_of_each_piece():
    async def receive():
        return {"type": "http.request", "body": b"x", "more_body": True}

    bounded = BoundedReceive(scope_with(), receive, max_bytes=LIMIT)
    await bounded()
    deadline = bounded._deadline
    await bounded()
    assert bounded._deadline == deadline


async def test_waiting_for_a_disconnect_takes_as_long_as_it_takes():
    messages = [{"type": "http.request", "body": b"", "more_body": False}, {"type": "http.disconnect"}]

    async def receive():
        return messages.pop(0)

    bounded = BoundedReceive(scope_with(), receive, max_bytes=LIMIT)
    await bounded()
    bounded._deadline = 0.0  # long past
    assert await bounded() == {"type": "http.disconnect"}


async def test_an_unforeseen_error_is_answered_without_its_text(application):
    application.answer = raising(RuntimeError("the secret is 42"))
    with capture_logs() as lines:
        response = await application.call(headers={"Accept-Language": "fr"})
    assert response.status_code == 500
    assert response.json()["code"] == "INTERNAL_ERROR"
    assert response.headers["content-language"] == "fr"
    assert "secret" not in response.text + str(lines)
    assert any(line["log_level"] == "error" and "RuntimeError" in line["error"] for line in lines)


@pytest.mark.parametrize("error", [ConnectionRefusedError(), ConnectionResetError(), TimeoutError()])
async def test_a_database_that_is_not_there_is_503(application, error):
    application.answer = raising(error)
    response = await application.call(path="/api/admin/users/v4/user-groups/g/assignments")
    assert response.status_code == 503
    assert response.json()["code"] == "DATABASE_UNAVAILABLE"
    assert int(response.headers["retry-after"]) > 0


async def test_a_client_that_leaves_before_its_body_is_whole_is_no_fault_of_ours(application):
    messages = [{"type": "http.request", "body": b"{", "more_body": True}, {"type": "http.disconnect"}]
    sent = []

    async def receive():
        return messages.pop(0)

    async def send(message):
        sent.append(message)

    with capture_logs() as lines:
        await application({**scope_with(), "method": "POST", "path": "/things/7"}, receive, send)
    assert sent[0]["status"] == 400
    assert {line["log_level"] for line in lines} == {"info"}


async def test_half_an_answer_is_cut_off(application):
    async def answer(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise RuntimeError

    application.answer = answer
    with pytest.raises(RuntimeError):
        await application.call()


async def test_a_line_says_what_was_asked_and_how_it_went_and_nothing_private(application):
    with capture_logs() as lines:
        await application.call(
            path="/things/ann@example.org?search_term=Ann", headers={"Authorization": "Bearer tell-nobody"}
        )
    [line] = lines
    assert line.pop("duration_ms") >= 0
    assert line == {
        "event": "request",
        "log_level": "info",
        "method": "POST",
        "route": "/things/{id}",
        "status": 200,
    }


async def test_probes_are_not_worth_a_line(application):
    async def answer(scope, receive, send):
        scope["route"] = SimpleNamespace(path="/healthz")
        await Response(b"")(scope, receive, send)

    application.answer = answer
    with capture_logs() as lines:
        await application.call(path="/healthz")
    assert [line["log_level"] for line in lines] == ["debug"]


async def test_requests_are_measured_by_template(application):
    await application.call(path="/things/1")
    await application.call(path="/things/2")
    await application.call(method="BREW", path="/nowhere/ann@example.org")
    await application.call(path="/api/catalog/nowhere")
    text = exposition.text_of(application.metrics.measures).decode()
    place = 'dialect="native",method="POST",route="/things/{id}"'
    assert f'seatline_http_requests_total{{{place},status="200"}} 2.0' in text
    assert 'seatline_http_requests_total{dialect="native",method="OTHER",route="(none)",status="200"} 1.0' in text
    assert 'seatline_http_requests_total{dialect="catalog",method="POST",route="(none)",status="200"} 1.0' in text
    assert f"seatline_http_request_duration_seconds_count{{{place}}} 2.0" in text
    assert "seatline_http_requests_in_progress 0.0" in text
    assert "example.org" not in text


async def test_what_is_no_request_passes_through(application):
    seen = []

    async def answer(scope, receive, send):
        seen.append(scope["type"])

    application.answer = answer
    await application.outer({"type": "lifespan", "path": ""}, None, None)
    assert seen == ["lifespan"]


def scope_with(*headers):
    return {"type": "http", "headers": [(name.encode(), value.encode()) for name, value in headers]}
