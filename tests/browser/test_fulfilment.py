"""Who has their seats: progress that moves while somebody looks, pools, and who waits for what."""

import pytest
from playwright.async_api import expect

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def staffed(service, *, members, seats):
    """A company whose group `sales` has so many members, and so many seats of TSTNU."""
    acme = await service.company()
    await acme.put_group("sales", "Sales <b>team</b>")
    people = [
        {"key": f"p{number}", "username": f"p{number}", "primary_group": "sales"} for number in range(1, members + 1)
    ]
    for begin in range(0, members, 1_000):
        await acme.call("POST", "/v1/users:batch", {"items": people[begin : begin + 1_000]})
    licence = {"name": "Test licence", "kind": "bundle", "code": "TSTNU", "capacity": seats}
    await acme.call("PUT", "/v1/licenses/tst", licence)
    return acme


async def give(acme, **headers):
    path = f"/{acme.key}-org/lease_/api/account/{acme.key}/user-license/group/sales"
    return await acme.call("PUT", path, {"userBundleCodes": ["TSTNU"]}, **headers)


def rows(page):
    return page.locator("#found tbody tr")


async def test_a_fan_out_moves_while_somebody_looks(service, page):
    acme = await staffed(service, members=6_000, seats=6_000)
    await service.stop_workers()
    try:
        await service.start_worker(chunk_rows=2)
        await give(acme, Prefer="respond-async")
        await page.goto(f"/console/fulfilment?tenant={acme.key}")
        await expect(rows(page)).to_contain_text("running")
        width = rows(page).locator("rect.held")
        before = float((await width.get_attribute("width")).rstrip("%"))
        await page.wait_for_function(
            "before => parseFloat(document.querySelector('rect.held').getAttribute('width')) > before", arg=before
        )
        await expect(rows(page)).to_contain_text("running")
    finally:
        await service.stop_workers()
        await service.start_worker()
    await expect(rows(page)).to_contain_text("6,000 of 6,000 assigned", timeout=30_000)
    await expect(rows(page)).to_contain_text("fulfilled")


async def test_pools_and_who_waits_for_what_are_seen(service, page):
    acme = await staffed(service, members=3, seats=3)
    await give(acme)
    joiner = {"username": "late", "primary_group": "sales"}
    await acme.call("PUT", "/v1/users/late", joiner)
    await page.goto(f"/console/fulfilment?tenant={acme.key}")
    await expect(rows(page)).to_contain_text("3 of 4 assigned, 1 waiting")
    await expect(rows(page)).to_contain_text("Sales <b>team</b>")
    await page.get_by_role("link", name="Licences").click()
    await expect(rows(page)).to_contain_text("3 of 3 used (100 %)")
    await rows(page).get_by_role("link", name="1", exact=True).click()
    await page.wait_for_url("**/console/fulfilment/waiting?**")
    await expect(rows(page)).to_have_count(1)
    for text in ("late", "seat", "group sales", "tst"):
        await expect(rows(page)).to_contain_text(text)
    await acme.call("PUT", "/v1/licenses/tst", {"name": "T", "kind": "bundle", "code": "TSTNU", "capacity": 4})
    await expect(page.get_by_text("Nobody matches")).to_be_visible()
