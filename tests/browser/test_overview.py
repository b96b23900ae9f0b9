"""The overview moves while somebody looks, stands still while nobody does, and shows trouble within seconds."""

import asyncio

import pytest
from playwright.async_api import expect

from api.console.chart_data import CHARTS
from infra.postgres.statements import compile_block
from tests.support.browsing import looking, sign_in

pytestmark = pytest.mark.asyncio(loop_scope="session")

SOON = 2_000  # milliseconds
_END = compile_block("end", "UPDATE api_token SET revoked_at = now() WHERE name = 'gone soon'")


def tile(page, name):
    return page.locator(".tile", has=page.get_by_text(name, exact=True)).locator("dd").first


async def live(page):
    await page.goto("/console/overview")
    await expect(page.get_by_text("Live", exact=True)).to_be_visible()


async def test_what_happens_is_seen_within_two_seconds(service, page):
    acme = await service.company()
    await service.stop_workers()
    try:
        await live(page)
        before = int(await tile(page, "Queue depth").text_content())
        for number in range(3):
            await acme.queue(f"g{number}")
        await expect(tile(page, "Queue depth")).to_have_text(str(before + 3), timeout=SOON)
    finally:
        await service.start_worker()
    await expect(tile(page, "Queue depth")).to_have_text("0", timeout=5_000)


async def test_a_dead_letter_is_seen_within_two_seconds_and_leads_to_its_page(service, page):
    acme = await service.company()
    service.poison.works = True
    await live(page)
    before = int(await tile(page, "Dead letters").text_content())
    await acme.fail("sales")
    await expect(tile(page, "Dead letters")).to_have_text(str(before + 1), timeout=SOON)
    await page.get_by_role("link", name="to look at").click()
    await page.wait_for_url("**/console/dead-letters")


async def test_that_nobody_works_is_seen_within_seconds(service, page):
    await live(page)
    await service.stop_workers()
    try:
        await expect(page.get_by_text("No worker is alive")).to_be_visible(timeout=5_000)
        await expect(page.locator("#workers")).to_contain_text("No worker is running", timeout=5_000)
    finally:
        await service.start_worker()
    await expect(page.get_by_text("No worker is alive")).to_be_hidden(timeout=5_000)
    await expect(page.locator("#workers")).to_contain_text("alive", timeout=5_000)


async def test_nothing_is_asked_for_while_nobody_looks(page):
    await live(page)
    closed = asyncio.Event()
    page.on("requestfailed", lambda request: closed.set() if request.url.endswith("/stream") else None)
    page.on("requestfinished", lambda request: closed.set() if request.url.endswith("/stream") else None)
    asked = []
    await page.evaluate(
        """Object.defineProperty(document, "hidden", {configurable: true, get: () => true});
        document.dispatchEvent(new Event("visibilitychange"))"""
    )
    await expect(page.get_by_text("Paused", exact=True)).to_be_visible()
    await asyncio.wait_for(closed.wait(), 5)
    page.on("request", lambda request: asked.append(request.url))
    await page.wait_for_timeout(3_000)  # the browser's own clock: longer than any part of the page waits
    assert asked == []
    await page.evaluate('delete document.hidden; document.dispatchEvent(new Event("visibilitychange"))')
    await expect(page.get_by_text("Live", exact=True)).to_be_visible()


async def test_every_chart_says_in_words_what_it_shows(page):
    await live(page)
    assert await page.locator("figure.chart").count() == len(CHARTS)
    await expect(page.locator("figure canvas")).to_have_count(len(CHARTS))
    for chart in CHARTS:
        summary = (await page.locator(f"#summary-{chart.name}").text_content()).lower()
        for _, called in chart.series:
            assert called in summary


async def test_a_stream_ends_with_its_session(service, browser):
    async with looking(browser, service.url) as (page, watch):
        await sign_in(page, await service.operator("ops:read", name="gone soon"))
        await live(page)
        async with service.database.transaction() as tx:
            await tx.execute(_END)
        await page.wait_for_url("**/console/sign-in**", timeout=15_000)
        watch.said.clear()


async def test_a_history_that_cannot_be_had_is_no_error_of_the_page(service, browser):
    async with looking(browser, service.url) as (page, watch):
        await sign_in(page, await service.operator("ops:read", name="cut off"))
        await live(page)
        await page.route("**/console/overview/history", lambda route: route.abort())
        async with page.expect_event("requestfailed"):
            await page.reload()
        await expect(page.get_by_text("Live", exact=True)).to_be_visible()
        # Chromium says by itself that it could not load it.
        assert [said for said in watch.said if "ERR_FAILED" not in said] == []
        watch.said.clear()
