"""Sign-in, sign-out and the session between: what the browser holds, and what ends it."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from api.console.rendering import HOME
from infra.postgres.administration import create_token, revoke_token, token_hash
from infra.postgres.console_sessions import secret_hash
from infra.postgres.reads.tokens import find_tokens
from infra.postgres.statements import compile_block
from tests.integration.console.conftest import SIGN_IN, visiting

PAGE = "/console/audit"
COOKIE = "seatline_console"


async def test_who_is_not_signed_in_is_led_to_the_door_and_back(visit):
    led = await visit.get(f"{PAGE}?tenant=a%2Fb&since=2025-01-01T00:00")
    assert led.status_code == 303
    door = await visit.get(led.headers["location"])
    assert door.status_code == 200
    assert 'value="/console/audit?tenant=a%2Fb&amp;since=2025-01-01T00:00"' in door.text
    target = f"{PAGE}?tenant=acme"
    entered = await visit.post(SIGN_IN, token=await visit.token("ops:read"), next=target)
    assert (entered.status_code, entered.headers["location"]) == (303, target)
    assert (await visit.get(target)).status_code == 200
    assert (await visit.get(SIGN_IN)).headers["location"] == HOME


async def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(visit):
    entered = await visit.post(SIGN_IN, token=await visit.token("ops:read"))
    cookie = entered.headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}=")
    for part in ("HttpOnly", "Path=/console", "SameSite=strict", "Max-Age=43200"):
        assert part in cookie
    assert "Secure" not in cookie


@pytest.mark.parametrize(
    ("base_url", "settings"), [("https://ops.test", {}), ("http://ops.test", {"console_over_https": True})]
)
async def test_over_https_the_cookie_never_goes_over_http(database_url, base_url, settings):
    async with visiting(database_url, base_url, **settings) as visit:
        entered = await visit.post(SIGN_IN, token=await visit.token("ops:read"))
        assert "Secure" in entered.headers["set-cookie"]


async def test_the_token_and_the_sessions_secret_are_not_stored(visit):
    token = await visit.sign_in()
    secret = visit.client.cookies[COOKIE]
    async with visit.api.services.database.transaction() as tx:
        rows = await tx.fetch(compile_block("all", "SELECT * FROM console_session"))
    assert [row["hash"] for row in rows] == [secret_hash(secret)]
    assert token not in str([dict(row) for row in rows])
    assert secret not in str([dict(row) for row in rows])


@pytest.mark.parametrize("token", ["", "x", "0" * 64, "Bearer " + "0" * 64])
async def test_a_bad_token_opens_nothing(visit, token):
    refused = await visit.post(SIGN_IN, token=token)
    assert refused.status_code == 401
    assert "not known, has expired or was revoked" in refused.text
    assert "set-cookie" not in refused.headers


async def test_a_tenants_token_opens_nothing(visit):
    token = visit.api.headers["Authorization"].removeprefix("Bearer ")
    refused = await visit.post(SIGN_IN, token=token)
    assert (refused.status_code, "set-cookie" in refused.headers) == (403, False)


async def test_an_operators_token_without_a_scope_for_it_opens_nothing(visit):
    refused = await visit.post(SIGN_IN, token=await visit.token("tenants:admin"))
    assert (refused.status_code, "set-cookie" in refused.headers) == (403, False)


async def test_bad_tokens_are_counted_with_all_other_bad_credentials(database_url):
    async with visiting(database_url, bad_credentials_per_minute=20) as visit:
        answers = [await visit.post(SIGN_IN, token="0" * 64) for _ in range(21)]
        assert [answer.status_code for answer in answers] == [401] * 20 + [429]
        assert 0 < int(answers[-1].headers["retry-after"]) <= 60
        over_the_api = await visit.get("/v1/ops/tenants", Authorization="Bearer " + "0" * 64)
        assert over_the_api.status_code == 429
        # Only bad ones are refused.
        assert (await visit.post(SIGN_IN, token=await visit.token("ops:read"))).status_code == 303


async def test_a_session_ends_when_its_token_is_revoked(visit):
    token = await visit.sign_in()
    assert (await visit.get(PAGE)).status_code == 200
    database = visit.api.services.database
    found = await find_tokens(database, [token_hash(token)])
    await revoke_token(database, found[token_hash(token)].id)
    led = await visit.get(PAGE)
    assert (led.status_code, COOKIE in visit.client.cookies) == (303, False)


async def test_a_session_ends_when_its_token_expires(visit):
    soon = datetime.now(UTC) + timedelta(seconds=1)
    issued = await create_token(visit.api.services.database, tenant_key=None, scopes=["ops:read"], expires_at=soon)
    assert (await visit.post(SIGN_IN, token=issued.token)).status_code == 303
    async with asyncio.timeout(10):
        while (await visit.get(PAGE)).status_code != 303:
            pass
    assert datetime.now(UTC) >= soon


@pytest.mark.parametrize(
    "aged",
    ["expires_at = now() - interval '1 second'", "seen_at = now() - interval '61 minutes'"],
    ids=["too old", "silent for too long"],
)
async def test_a_session_ends_by_age_and_by_silence(visit, aged):
    await visit.sign_in()
    async with visit.api.services.database.transaction() as tx:
        await tx.execute(compile_block("aged", f"UPDATE console_session SET {aged}"))
    assert (await visit.get(PAGE)).status_code == 303
    await visit.sign_in()
    async with visit.api.services.database.transaction() as tx:
        (row,) = await tx.fetch(compile_block("count", "SELECT count(*) AS kept FROM console_session"))
    assert row["kept"] == 1


async def test_a_session_that_is_used_does_not_fall_silent(visit):
    await visit.sign_in()
    early = compile_block("early", "UPDATE console_session SET seen_at = now() - interval '59 minutes'")
    late = compile_block("late", "SELECT clock_timestamp() - seen_at AS silent FROM console_session")
    async with visit.api.services.database.transaction() as tx:
        await tx.execute(early)
    assert (await visit.get(PAGE)).status_code == 200
    async with visit.api.services.database.transaction() as tx:
        (row,) = await tx.fetch(late)
    assert row["silent"] < timedelta(seconds=30)


async def test_signing_out_ends_the_session_and_not_only_the_cookie(visit):
    await visit.sign_in()
    held = visit.client.cookies[COOKIE]
    left = await visit.post("/console/sign-out", form_token=await visit.form_token())
    assert (left.status_code, left.headers["location"]) == (303, SIGN_IN)
    assert COOKIE not in visit.client.cookies
    visit.client.cookies.set(COOKIE, held)
    assert (await visit.get(PAGE)).status_code == 303


async def test_coming_and_going_is_recorded(visit):
    await visit.sign_in()
    secret = visit.client.cookies[COOKIE]
    await visit.post("/console/sign-out", form_token=await visit.form_token())
    headers = {"Authorization": f"Bearer {await visit.token('ops:read')}"}
    entries = (await visit.get("/v1/ops/audit?limit=3", **headers)).json()["items"]
    assert [entry["action"] for entry in entries] == ["token.created", "console.signed_out", "console.signed_in"]
    assert entries[1]["actor"] == entries[2]["actor"]
    assert entries[1]["subject"] == f"tokens/{entries[1]['actor']['token_id']}"
    assert secret not in str(entries)


@pytest.mark.parametrize("held", ["", "x", "\u00e9", "a" * 5000, "' OR 1=1 --"])
async def test_a_made_up_cookie_is_no_session(visit, held):
    led = await visit.client.get(PAGE, headers={"Cookie": f"{COOKIE}={held}".encode()})
    assert led.status_code == 303


async def test_a_part_of_a_page_leads_the_whole_page_to_the_door(visit):
    answer = await visit.get(PAGE, **{"HX-Request": "true"})
    assert (answer.status_code, answer.headers["hx-redirect"]) == (401, SIGN_IN)


async def test_light_or_dark_is_remembered(visit):
    await visit.sign_in()
    form_token = await visit.form_token()
    chosen = await visit.post("/console/theme", form_token=form_token, theme="dark", next=PAGE)
    assert (chosen.status_code, chosen.headers["location"]) == (303, PAGE)
    assert '<html lang="en" data-theme="dark">' in (await visit.get(PAGE)).text
    await visit.post("/console/theme", form_token=form_token, theme='"><script>', next="//evil.example")
    assert '<html lang="en">' in (await visit.get(PAGE)).text
