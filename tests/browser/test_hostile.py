"""Strings that others choose are text and nothing else, in whatever field they stand."""

from uuid import UUID

import pytest
from playwright.async_api import expect

from infra.postgres.statements import compile_block
from tests.support.browsing import looking, sign_in
from tests.support.checking import overflow

pytestmark = pytest.mark.asyncio(loop_scope="session")

MARKUP = "</script><img src=x onerror=\"document.title='taken'\">{{7*7}}<b>&amp;'\"`"
TURNED = "\u202eexe.gnp\u202c \u05e9\u05dc\u05d5\u05dd"
NAMES = {"markup": f"poison {MARKUP}", "right to left": f"poison {TURNED}", "long": "poison " + "x" * 200}


_ERROR = compile_block(
    "error",
    "UPDATE operation SET error = json_build_object('code', 'OPERATION_RAISED', 'message', CAST(:message AS text)) "
    "WHERE id = :operation_id",
)
_SAMPLE = compile_block(
    "sample",
    "UPDATE error_group SET message = :message "
    "WHERE tenant_id = (SELECT tenant_id FROM operation WHERE id = :operation_id)",
)


@pytest.mark.parametrize(
    "message", [MARKUP, TURNED, "y" * 10_240, f"{MARKUP}\n" * 100], ids=["markup", "turned", "10 KB", "lines"]
)
async def test_an_error_is_only_text(service, page, message):
    acme = await service.company(MARKUP)
    service.poison.works = True
    dead = await acme.fail(
        "sales", NAMES["markup"], **{"X-Request-Id": "a" * 128, "Idempotency-Key": "<b>&'\"/../?#%2e"}
    )
    async with service.database.transaction() as tx:  # the engine keeps no text of exceptions; a later one may
        for statement in (_ERROR, _SAMPLE):
            await tx.execute(statement, message=message, operation_id=UUID(dead))
    for path in (
        f"/console/operations/{dead}",
        f"/console/operations?tenant={acme.key}",
        "/console/operations?q=%3Cb%3E%26%27%22%2F..%2F%3F%23%252e",
        f"/console/dead-letters?tenant={acme.key}",
        f"/console/dead-letters/list?tenant={acme.key}",
        f"/console/dead-letters/discard?id={dead}",
    ):
        await page.goto(path)
        assert "taken" not in await page.title()
        assert await page.locator("main img, main b:has-text('amp')").count() == 0
        assert await overflow(page) == 0, path
    await page.goto(f"/console/operations/{dead}")
    shown = await page.locator(".problem pre").text_content()
    assert message.translate({0x202E: "<U+202E>", 0x202C: "<U+202C>"}) in shown


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
async def test_a_request_is_only_text(service, page, name):
    acme = await service.company()
    service.poison.works = True
    dead = await acme.fail("sales", name)
    await page.goto(f"/console/operations/{dead}")
    await page.get_by_role("button", name="Show the request").click()
    await expect(page.get_by_label("The request")).to_contain_text("poison")
    assert await page.locator("main img").count() == 0
    assert "\u202e" not in await page.locator("main").text_content()
    assert await overflow(page) == 0


@pytest.mark.parametrize(
    "tenant", ["../../etc/passwd", "..%2f..%2fsign-out", "//evil.example", "a?b=c&d#e", MARKUP, TURNED]
)
async def test_a_tenant_that_looks_like_a_path_is_only_a_name(page, tenant):
    for field in ("operations", "dead-letters", "dead-letters/list", "audit"):
        await page.goto(f"/console/{field}")
        await page.get_by_label("Tenant", exact=True).fill(tenant)
        await page.get_by_role("button", name="Search").click()
        await page.wait_for_url("**tenant=**")
        assert page.url.partition("?")[0].endswith(f"/console/{field}")
        await expect(page.get_by_label("Tenant", exact=True)).to_have_value(tenant)
        await page.goto(page.url)
        await expect(page.get_by_label("Tenant", exact=True)).to_have_value(tenant)
        assert await page.locator("main img").count() == 0


async def test_a_token_with_a_hostile_name_signs_in_under_it(service, browser):
    async with looking(browser, service.url) as (page, _):
        await sign_in(page, await service.operator("ops:write", name=MARKUP))
        await expect(page.locator(".who bdi")).to_have_text(MARKUP)
        await page.goto("/console/audit")
        await expect(page.locator("#found tbody tr").first).to_contain_text(MARKUP)
        assert await page.locator("img").count() == 0
