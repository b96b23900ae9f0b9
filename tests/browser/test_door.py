"""Signing in and out, as a person does it."""

import pytest
from playwright.async_api import expect

from tests.support.browsing import NARROW, WIDE, looking, screenshot
from tests.support.checking import overflow, violations

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [WIDE, NARROW], ids=["wide", "narrow"])
async def test_the_door_is_for_everybody(service, browser, scheme, viewport):
    async with looking(browser, service.url, viewport=viewport, color_scheme=scheme) as (page, _):
        await page.goto("/console")
        assert await page.get_by_label("Operator token").is_visible()
        assert await violations(page) == []
        assert await overflow(page) == 0
        await screenshot(page, f"sign-in-{viewport['width']}-{scheme}")


async def test_a_person_goes_in_and_out_by_the_keyboard(service, browser):
    async with looking(browser, service.url) as (page, _):
        await page.goto("/console/audit")
        # The field takes the focus when the page is drawn, which may be after it has been loaded.
        await expect(page.get_by_label("Operator token")).to_be_focused()
        await page.keyboard.type(await service.operator("ops:write", name="on call"))
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/console/audit")
        assert await page.get_by_text("on call, may act").is_visible()
        await page.get_by_role("button", name="Sign out").focus()
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/console/sign-in")
        await page.go_back()
        assert "/console/sign-in" in page.url


async def test_a_bad_token_is_said_to_be_one(service, browser):
    async with looking(browser, service.url) as (page, watch):
        await page.goto("/console/sign-in")
        await page.get_by_label("Operator token").fill("0" * 64)
        await page.get_by_role("button", name="Sign in").click()
        assert "not known" in await page.get_by_role("alert").text_content()
        assert [said for said in watch.said if "401" not in said] == []
        watch.said.clear()
