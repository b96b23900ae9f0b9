"""Any one operation is found by what is known of it; a queued one is cancelled, a request is read and that recorded."""

import re

import pytest
from playwright.async_api import expect

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_an_operation_is_found_by_whatever_is_known_of_it(service, page):
    acme = await service.company()
    key = f"import-{acme.key}"
    sent = await acme.put_group("sales", **{"Idempotency-Key": key})
    operation_id = sent.headers["seatline-operation"]
    await page.goto("/console/operations")
    for label, value in (
        ("Operation id or idempotency key", operation_id),
        ("Operation id or idempotency key", key),
        ("Tenant", acme.key),
    ):
        await page.get_by_label(label, exact=True).fill(value)
        await page.get_by_role("button", name="Search").click()
        await expect(page.locator("#found tbody tr")).to_have_count(1)
        await expect(page.get_by_role("link", name=operation_id)).to_be_visible()
        # The search has an address of its own, which shows the same to somebody else.
        await page.wait_for_url(f"**={value}**")
        found_at = page.url
        await page.goto(found_at)
        await expect(page.get_by_role("link", name=operation_id)).to_be_visible()
        await page.get_by_role("link", name="Clear").click()
        await expect(page.get_by_label(label, exact=True)).to_have_value("")
    await page.goto(f"/console/operations?tenant={acme.key}&group=sales")
    await page.get_by_role("link", name=operation_id).click()
    await page.wait_for_url(f"**/console/operations/{operation_id}")
    await expect(page.get_by_role("heading", name="groups.put")).to_be_visible()
    assert await page.locator(".timeline b").all_text_contents() == ["accepted", "claimed", "applied", "finished"]
    await expect(page.get_by_text("1 succeeded, 0 refused")).to_be_visible()


async def test_what_cannot_be_searched_for_is_said(page):
    await page.goto("/console/operations")
    await page.get_by_text("By person, group, licence or time").click()
    await page.get_by_label("User", exact=True).fill("ann")
    await page.get_by_role("button", name="Search").click()
    await expect(page.get_by_role("alert")).to_contain_text("tenant")
    await expect(page.get_by_label("User", exact=True)).to_have_value("ann")


async def test_an_operation_that_is_looked_at_moves(service, page):
    acme = await service.company()
    await service.stop_workers()
    try:
        operation_id = await acme.queue("sales")
        await page.goto(f"/console/operations/{operation_id}")
        await expect(page.locator("h1")).to_contain_text("queued")
    finally:
        await service.start_worker()
    await expect(page.locator("h1")).to_contain_text("succeeded", timeout=4_000)
    await expect(page.locator(".timeline")).to_contain_text("applied")


async def test_a_queued_operation_is_cancelled(service, page):
    acme = await service.company()
    await service.stop_workers()
    try:
        operation_id = await acme.queue("sales")
        await page.goto(f"/console/operations/{operation_id}")
        await page.get_by_role("link", name="Cancel").click()
        question = page.get_by_role("dialog", name="Cancel this operation?")
        await question.get_by_role("link", name="Leave it").click()
        await expect(question).to_be_hidden()
        await page.get_by_role("link", name="Cancel").click()
        await question.get_by_role("button", name="Cancel the operation").click()
        await expect(page.locator(".timeline")).to_contain_text("cancel requested")
        await expect(page.get_by_role("link", name="Cancel")).to_be_hidden()
    finally:
        await service.start_worker()
    await expect(page.locator("h1")).to_contain_text("cancelled", timeout=4_000)
    assert (await acme.ask("GET", "/v1/groups/sales")).status_code == 404


async def test_a_request_is_covered_until_somebody_asks_who_is_then_recorded(service, page):
    acme = await service.company()
    # The answer of a batch names keys only.
    sent = await acme.call("POST", "/v1/groups:batch", {"items": [{"key": "sales", "name": "A secret of ours"}]})
    operation_id = sent.headers["seatline-operation"]
    await page.goto(f"/console/operations/{operation_id}")
    await expect(page.locator("main")).not_to_contain_text("A secret of ours")
    await page.get_by_role("button", name="Show the request").click()
    await expect(page.get_by_label("The request")).to_contain_text("A secret of ours")
    await page.goto(f"/console/audit?tenant={acme.key}&action=operation.request_read")
    row = page.locator("#found tbody tr")
    await expect(row).to_have_count(1)
    await expect(row).to_contain_text("acts on call")
    await expect(row.get_by_role("link", name=f"operations/{operation_id}")).to_be_visible()


async def test_who_may_only_look_has_no_buttons_to_act(service, looker):
    page, _ = looker
    acme = await service.company()
    dead = await acme.fail("sales")
    for path in (
        f"/console/operations/{dead}",
        "/console/dead-letters",
        f"/console/dead-letters/list?tenant={acme.key}",
    ):
        await page.goto(path)
        await expect(page.locator("main")).to_contain_text("OPERATION_RAISED")
        assert await page.get_by_text(re.compile("^(Redrive|Discard|Cancel)")).count() == 0
        assert await page.locator("input[type=checkbox]").count() == 0
