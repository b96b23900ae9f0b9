"""Who calls: every accepted way in, and the refusals, on stored tokens and real key sets."""

import asyncio
import socket
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from structlog.testing import capture_logs

from api.authentication import Authenticator, TooManyBadCredentialsError, UnauthenticatedError
from infra import jwks
from infra.postgres import administration
from infra.settings import Settings
from tests.support.jwts import AUDIENCE, ISSUER, Issuer


@pytest.fixture
def authenticator(database, database_url):
    return Authenticator(database=database, settings=Settings(database_url=database_url))


@pytest.fixture(scope="module")
def issuer():
    return Issuer()


@pytest.fixture
def jwt_authenticator(database, database_url, issuer, tmp_path):
    file = tmp_path / "jwks.json"
    file.write_bytes(issuer.jwks())
    settings = Settings(database_url=database_url, jwt_jwks=str(file), jwt_issuer=ISSUER, jwt_audience=AUDIENCE)
    return Authenticator(database=database, settings=settings)


async def token_of(database, tenant_key="acme", **options):
    scopes = options.pop("scopes", ["groups:write"])
    return await administration.create_token(database, tenant_key=tenant_key, scopes=scopes, **options)


@pytest.mark.parametrize("scheme", ["Api-Token", "Api-Key", "Bearer", "api-token", "BEARER"])
async def test_a_stored_token_is_accepted_under_each_scheme(database, tenant, authenticator, scheme):
    issued = await token_of(database, roles=["lead"])
    caller = await authenticator.authenticate(f"{scheme} {issued.token}", "127.0.0.1")
    assert (caller.tenant_id, caller.tenant_key, caller.org) == (tenant.id, "acme", "acme-org")
    assert (caller.roles, caller.token_id, caller.is_operator) == (("lead",), str(issued.id), False)
    assert caller.may("groups:read")
    assert caller.may("directory:read", "groups:read")
    assert not caller.may("directory:read")


async def test_an_operators_token_has_no_tenant_and_no_tenants_scope(database, authenticator):
    issued = await token_of(database, None, scopes=["ops:write"])
    caller = await authenticator.authenticate(f"Api-Token {issued.token}", "127.0.0.1")
    assert (caller.tenant_id, caller.tenant_key, caller.is_operator) == (None, None, True)
    assert caller.may("ops:read")
    assert not caller.may("tenants:admin")


async def test_a_revocation_and_an_expiry_take_effect_at_once(database, tenant, authenticator):
    issued = await token_of(database)
    await authenticator.authenticate(f"Api-Token {issued.token}", "127.0.0.1")
    await administration.revoke_token(database, issued.id)
    expired = await token_of(database, expires_at=datetime.now(UTC) - timedelta(seconds=1))
    for token in (issued.token, expired.token):
        with pytest.raises(UnauthenticatedError):
            await authenticator.authenticate(f"Api-Token {token}", "127.0.0.1")
    lasting = await token_of(database, expires_at=datetime.now(UTC) + timedelta(minutes=1))
    await authenticator.authenticate(f"Api-Token {lasting.token}", "127.0.0.1")


async def test_what_is_no_good_credential_is_refused(database, tenant, authenticator):
    token = (await token_of(database)).token
    for authorization in (
        None, "", " ", "Api-Token", "Api-Token ", token, f"Basic {token}", f"Api-Token {token[:-1]}",
        f"Api-Token {token}0", f"Api-Token {token.upper()}", f"Api-Token{token}", "Api-Token " + "0" * 64,
        f"Api-Token {token} {token}", f"Api-Token {token},{token}", "Bearer a.b.c", "Api-Token " + "g" * 64,
        f"Api-Token é{token[1:]}", "Bearer " + "9" * 100_000,
    ):  # fmt: skip
        with pytest.raises(UnauthenticatedError):
            await authenticator.authenticate(authorization, "127.0.0.1")


async def test_concurrent_requests_share_lookups(database, tenant, authenticator):
    tokens = [await token_of(database) for _ in range(20)]
    callers = await asyncio.gather(
        *(authenticator.authenticate(f"Api-Token {issued.token}", "127.0.0.1") for issued in tokens * 3)
    )
    assert [caller.token_id for caller in callers] == [str(issued.id) for issued in tokens * 3]


@pytest.mark.parametrize("kid", ["rsa", "ec", "ed"])
async def test_a_jwt_speaks_for_its_tenant(tenant, jwt_authenticator, issuer, kid):
    caller = await jwt_authenticator.authenticate(f"Bearer {issuer.token(kid)}", "127.0.0.1")
    assert (caller.tenant_id, caller.org, caller.roles, caller.token_id) == (tenant.id, "acme-org", None, None)
    assert caller.scopes == {"groups:read", "directory:write", "directory:read"}


async def test_a_jwt_is_no_operator_whatever_it_says(tenant, jwt_authenticator, issuer):
    token = issuer.token(scope="ops:write tenants:admin groups:read", is_operator=True)
    caller = await jwt_authenticator.authenticate(f"Bearer {token}", "127.0.0.1")
    assert (caller.is_operator, caller.scopes) == (False, {"groups:read"})


async def test_a_jwt_of_an_unknown_tenant_or_under_another_scheme_is_refused(tenant, jwt_authenticator, issuer):
    for authorization in (f"Bearer {issuer.token(tenant='nobody')}", f"Api-Token {issuer.token()}", "Bearer x"):
        with pytest.raises(UnauthenticatedError):
            await jwt_authenticator.authenticate(authorization, "127.0.0.1")


async def test_without_a_configured_key_set_no_jwt_is_accepted(tenant, authenticator, issuer):
    with pytest.raises(UnauthenticatedError):
        await authenticator.authenticate(f"Bearer {issuer.token()}", "127.0.0.1")


async def test_stored_tokens_work_beside_jwts(database, tenant, jwt_authenticator):
    issued = await token_of(database)
    assert (await jwt_authenticator.authenticate(f"Bearer {issued.token}", "127.0.0.1")).token_id == str(issued.id)


async def test_too_many_bad_credentials_of_an_address_are_told_when_to_return(database, database_url, tenant):
    settings = Settings(database_url=database_url, bad_credentials_per_minute=20)
    guarded = Authenticator(database=database, settings=settings)
    for _ in range(20):
        with pytest.raises(UnauthenticatedError):
            await guarded.authenticate("Api-Token " + "0" * 64, "10.0.0.1")
    with pytest.raises(TooManyBadCredentialsError) as refused:
        await guarded.authenticate("Api-Token " + "1" * 64, "10.0.0.1")
    assert 0 < refused.value.retry_after <= 60
    with pytest.raises(UnauthenticatedError):
        await guarded.authenticate("Api-Token " + "1" * 64, "10.0.0.2")
    with pytest.raises(UnauthenticatedError):
        await guarded.authenticate(None, "10.0.0.1")
    await guarded.authenticate(f"Api-Token {(await token_of(database)).token}", "10.0.0.1")


async def test_no_credential_stands_in_a_log_line(database, tenant, jwt_authenticator, issuer):
    bad = issuer.token(tenant="nobody", exp=1)
    with capture_logs() as lines, pytest.raises(UnauthenticatedError):
        await jwt_authenticator.authenticate(f"Bearer {bad}", "127.0.0.1")
    assert lines
    assert not any(part in str(lines) for part in bad.split("."))


class Server:
    """Serves one answer on 127.0.0.1 and counts who asked."""

    def __init__(self, status=200, body=b"", headers=()):
        self.answer = (status, body, headers)
        self.asked = 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                outer.asked += 1
                status, body, headers = outer.answer
                self.send_response(status)
                for name, value in headers:
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/jwks"

    def __enter__(self):
        Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


async def test_a_key_set_at_an_address_is_fetched_once_for_many_tokens(database, database_url, tenant, issuer):
    with Server(body=issuer.jwks()) as server:
        settings = Settings(database_url=database_url, jwt_jwks=server.url, jwt_issuer=ISSUER, jwt_audience=AUDIENCE)
        remote = Authenticator(database=database, settings=settings)
        tokens = [issuer.token(kid) for kid in ("rsa", "ec", "ed") * 5]
        await asyncio.gather(*(remote.authenticate(f"Bearer {token}", "127.0.0.1") for token in tokens))
    assert server.asked == 1


async def test_a_key_set_that_cannot_be_fetched_refuses_and_blames_nobody(database, database_url, tenant, issuer):
    with Server(status=500) as server:
        settings = Settings(
            database_url=database_url, jwt_jwks=server.url, jwt_issuer=ISSUER, jwt_audience=AUDIENCE,
            bad_credentials_per_minute=20,
        )  # fmt: skip
        remote = Authenticator(database=database, settings=settings)
        for _ in range(30):
            with pytest.raises(UnauthenticatedError):
                await remote.authenticate(f"Bearer {issuer.token()}", "127.0.0.1")


@pytest.mark.parametrize(
    "answer",
    [
        {"status": 404},
        {"status": 302, "headers": (("Location", "http://127.0.0.1:1/"),)},
        {"body": b" " * (jwks.LARGEST_SET + 1)},
    ],
)
async def test_only_a_plain_answer_of_bounded_size_is_taken(answer):
    with Server(**answer) as server:
        with pytest.raises(jwks.JwksUnavailableError):
            await jwks.fetch(server.url)
        assert server.asked == 1


async def test_a_silent_server_and_a_missing_or_huge_file_are_unavailable(tmp_path, monkeypatch):
    monkeypatch.setattr(jwks, "FETCH_SECONDS", 0.05)
    huge = tmp_path / "huge.json"
    huge.write_bytes(b" " * (jwks.LARGEST_SET + 1))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        for location in (url, "http://127.0.0.1:1/", "http://[", str(tmp_path / "none"), str(huge)):
            with pytest.raises(jwks.JwksUnavailableError):
                await jwks.fetch(location)
