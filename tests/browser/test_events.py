"""Events come as they happen, of all or of some, and from any place of a tenant's log."""

import pytest
from playwright.async_api import expect

pytestmark = pytest.mark.asyncio(loop_scope="session")


def lines(page):
    return page.locator(".tail li")


async def live(page, query=""):
    await page.goto(f"/console/events{query}")
    await expect(page.get_by_text("Live", exact=True)).to_be_visible()


async def test_an_event_is_seen_as_it_happens(service, page):
    acme = await service.company()
    await live(page, f"?tenant={acme.key}")
    await expect(lines(page)).to_have_count(0)
    await acme.put_group("sales")
    await expect(lines(page)).to_have_count(2, timeout=2_000)
    await expect(lines(page).nth(0)).to_contain_text("operation.finished")
    await expect(lines(page).nth(1)).to_contain_text("group.updated")
    await lines(page).nth(1).locator("summary").click()
    await expect(lines(page).nth(1).locator("pre")).to_contain_text('"subject": "groups/sales"')


async def test_only_some_types_are_seen(service, page):
    acme = await service.company()
    await live(page, f"?tenant={acme.key}&types=user.updated&types=user.deleted")
    await acme.put_group("sales")
    await acme.call("PUT", "/v1/users/ann", {"username": "ann"})
    await expect(lines(page)).to_have_count(1, timeout=2_000)
    await expect(lines(page)).to_contain_text("user.updated")


async def test_what_happened_while_nobody_looked_is_not_missed(service, page):
    acme = await service.company()
    await live(page, f"?tenant={acme.key}&types=group.updated")
    await acme.put_group("g1")
    await expect(lines(page)).to_have_count(1, timeout=2_000)
    await page.evaluate(
        """Object.defineProperty(document, "hidden", {configurable: true, get: () => true});
        document.dispatchEvent(new Event("visibilitychange"))"""
    )
    await expect(page.get_by_text("Paused", exact=True)).to_be_visible()
    await acme.put_group("g2")
    await acme.put_group("g3")
    await page.evaluate('delete document.hidden; document.dispatchEvent(new Event("visibilitychange"))')
    await expect(lines(page)).to_have_count(3, timeout=5_000)
    assert [line.partition("#")[0].split("groups/")[1].strip() for line in await lines(page).all_text_contents()] == [
        "g3",
        "g2",
        "g1",
    ]


async def test_an_event_that_is_sent_again_stands_once(service, page):
    acme = await service.company()
    await live(page, f"?tenant={acme.key}")
    await acme.put_group("sales")
    await expect(lines(page)).to_have_count(2, timeout=2_000)
    await page.evaluate(
        """const list = document.querySelector(".tail");
        list.prepend(list.lastElementChild.cloneNode(true));
        document.dispatchEvent(new Event("htmx:sse:after:message"))"""
    )
    await expect(lines(page)).to_have_count(2)
    await expect(lines(page).nth(0)).to_contain_text("operation.finished")


async def test_a_tenants_log_is_read_from_any_place_on(service, page):
    acme = await service.company()
    for number in range(4):
        await acme.put_group(f"g{number}")
    await page.goto(f"/console/events?tenant={acme.key}&after=2&types=group.updated")
    await expect(lines(page)).to_have_count(3)
    await expect(lines(page).first).to_contain_text("groups/g1")
    await page.get_by_role("link", name="Further events").click()
    await expect(page.get_by_text("Nothing more so far.")).to_be_visible()
