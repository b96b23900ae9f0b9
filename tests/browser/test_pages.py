"""What holds of every page: it fits, it is light, everybody can use it, and a picture of it is kept."""

import pytest
import pytest_asyncio
from playwright.async_api import expect

from api.console.pages import PAGES
from tests.support.browsing import NARROW, WIDE, screenshot
from tests.support.checking import MOST_PACKED_BYTES, Weight, overflow, violations

pytestmark = pytest.mark.asyncio(loop_scope="session")

# Pages that stand behind those of the navigation; {…} is filled with what has happened.
FURTHER = {
    "operation": "operations/{done}",
    "failed-operation": "operations/{dead}",
    "dead-letters-one-by-one": "dead-letters/list",
    "unreadable": "dead-letters/unreadable",
    "question": "dead-letters/discard?id={dead}",
    "licences": "fulfilment/licenses",
    "waiting": "fulfilment/waiting",
    "events-from-a-place": "events?tenant={tenant}&after=0",
    "nothing-found": "operations?q=nothing",
}
ALL = {page.path: page.path for page in PAGES} | FURTHER


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def happened(service):
    """Enough for every page to have something to show."""
    acme = await service.company("Acme")
    service.poison.works = True
    done = [await acme.put_group(f"dept-{number}", f"Department {number}") for number in range(5)]
    people = [{"key": f"p{number}", "username": f"p{number}", "primary_group": "dept-1"} for number in range(5)]
    await acme.call("POST", "/v1/users:batch", {"items": people})
    await acme.call("PUT", "/v1/licenses/t", {"name": "Test", "kind": "bundle", "code": "TSTNU", "capacity": 5})
    path = f"/{acme.key}-org/lease_/api/account/{acme.key}/user-license/group/dept-1"
    await acme.call("PUT", path, {"userBundleCodes": ["TSTNU"]})
    await acme.call("PUT", "/v1/users/late", {"username": "late", "primary_group": "dept-1"})
    return {"tenant": acme.key, "done": done[0].headers["seatline-operation"], "dead": await acme.fail("sales")}


@pytest_asyncio.fixture(scope="session", loop_scope="session", params=[WIDE, NARROW], ids=["wide", "narrow"])
async def sized(window, request):
    """One window of this size for all pages, which keeps nothing of what it has loaded; and its watch."""
    async with window(viewport=request.param) as (page, watch):
        protocol = await page.context.new_cdp_session(page)
        await protocol.send("Network.enable")
        await protocol.send("Network.setCacheDisabled", {"cacheDisabled": True})
        yield page, watch


@pytest.mark.parametrize("name", ALL)
async def test_a_page_is_for_everybody(sized, happened, name):
    page, watch = sized
    await page.emulate_media(color_scheme="light", reduced_motion="reduce")
    weight = Weight(page)
    await page.goto(f"/console/{ALL[name].format(**happened)}")
    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        await expect(page.locator("h1, h2").first).to_be_visible()
        assert await violations(page) == []
        assert await overflow(page) == 0
        await screenshot(page, f"{name}-{page.viewport_size['width']}-{scheme}")
    assert 0 < await weight.packed() < MOST_PACKED_BYTES
    assert (watch.foreign, watch.said) == ([], [])


@pytest.mark.parametrize("size", [{"width": 3840, "height": 2160}, {"width": 320, "height": 640}], ids=["4K", "zoomed"])
async def test_a_page_fits_screens_of_every_size(window, happened, size):
    async with window(viewport=size) as (page, _):
        for path in ALL.values():
            await page.goto(f"/console/{path.format(**happened)}")
            assert await overflow(page) == 0, path


async def test_the_first_key_leads_past_the_navigation(page):
    await page.goto("/console/audit")
    await page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the content")
    await expect(skip).to_be_focused()
    await expect(skip).to_be_in_viewport()
    await page.keyboard.press("Enter")
    await expect(page.locator("main")).to_be_focused()


async def test_every_control_is_reached_by_the_keyboard_and_shows_it(page):
    await page.goto("/console/operations")
    wanted = await page.locator("a:visible, button:visible, input:visible, select:visible, summary:visible").count()
    reached = 0
    for _ in range(wanted):
        await page.keyboard.press("Tab")
        outline = await page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline != "none", await page.evaluate("document.activeElement.outerHTML")
        reached += 1
    assert reached == wanted
    await page.keyboard.press("Tab")  # and out of the page again
    assert await page.evaluate(
        "document.activeElement === document.body || document.activeElement.className === 'skip'"
    )


async def test_light_and_dark_are_switched_and_stay(page):
    await page.emulate_media(color_scheme="light")
    await page.goto("/console/audit")
    await page.get_by_role("button", name="Switch between light and dark").click()
    await expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    await page.goto("/console/operations")
    await expect(page.locator("html")).to_have_attribute("data-theme", "dark")
