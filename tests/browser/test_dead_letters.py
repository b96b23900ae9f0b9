"""What failed is seen, understood and put right from the page: one, a selection, or all that match."""

import re

import pytest
from playwright.async_api import expect

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.fixture(autouse=True)
def the_poison_works(service):
    service.poison.works = True
    yield
    service.poison.works = True


def rows(page):
    return page.locator("#found tbody tr")


async def test_a_poisonous_operation_is_seen_redriven_and_gone(service, page):
    acme = await service.company()
    dead = await acme.fail("sales")
    await page.goto(f"/console/dead-letters?tenant={acme.key}")
    await expect(rows(page)).to_have_count(1)
    await expect(rows(page)).to_contain_text("OPERATION_RAISED")
    await expect(rows(page)).to_contain_text(acme.key)
    await page.get_by_role("link", name="one of").click()
    await page.wait_for_url(f"**/console/operations/{dead}")
    await expect(page.locator(".problem")).to_contain_text("PoisonedError")

    service.poison.works = False
    await page.get_by_role("link", name="Redrive").click()
    await page.get_by_role("dialog").get_by_role("button", name="Redrive 1 dead letter").click()
    await page.wait_for_url("**/console/dead-letters/actions?**")
    await expect(page.locator("#action").get_by_role("status")).to_have_text(re.compile(r"Done\. Queued again"))
    await page.goto(f"/console/operations/{dead}")
    await expect(page.locator("h1")).to_contain_text("succeeded", timeout=4_000)
    await expect(page.locator(".timeline")).to_contain_text("redriven")
    await expect(page.locator(".timeline li").last).to_contain_text("after the redrive")
    await page.goto(f"/console/dead-letters?tenant={acme.key}")
    await expect(page.get_by_text("No dead letter matches")).to_be_visible()
    assert (await acme.ask("GET", "/v1/groups/sales")).status_code == 200


async def test_a_selection_is_redriven_and_the_rest_left(service, page):
    acme = await service.company()
    dead = [await acme.fail(f"g{number}") for number in range(3)]
    service.poison.works = False
    await page.goto(f"/console/dead-letters/list?tenant={acme.key}")
    await expect(rows(page)).to_have_count(3)
    button = page.get_by_role("button", name="Redrive selected")
    await expect(button).to_be_disabled()
    for one in dead[:2]:
        await page.get_by_label(f"Select operation {one}").check()
    await expect(page.locator("[data-selected]")).to_have_text("2")
    await button.click()
    await page.get_by_role("dialog").get_by_role("button", name="Redrive 2 dead letters").click()
    await page.wait_for_url("**/console/dead-letters/actions?**")
    await page.goto(f"/console/dead-letters/list?tenant={acme.key}")
    await expect(rows(page)).to_have_count(1)
    await expect(rows(page)).to_contain_text(dead[2])


async def test_all_of_a_page_are_selected_by_one_box(service, page):
    acme = await service.company()
    for number in range(3):
        await acme.fail(f"g{number}")
    await page.goto(f"/console/dead-letters/list?tenant={acme.key}")
    await page.get_by_label("Select all of this page").check()
    await expect(page.locator("[data-selected]")).to_have_text("3")
    await page.get_by_role("button", name="Discard selected").click()
    await expect(page.get_by_role("dialog", name="Discard 3 dead letters?")).to_be_visible()


async def test_all_that_match_are_discarded_with_a_reason(service, page):
    acme = await service.company()
    dead = [await acme.fail(f"g{number}") for number in range(3)]
    await page.goto(f"/console/dead-letters?tenant={acme.key}")
    await page.get_by_role("link", name="Discard").click()
    question = page.get_by_role("dialog", name="Discard 3 dead letters?")
    await expect(question).to_contain_text(f"tenant {acme.key}")
    button = question.get_by_role("button", name="Discard 3 dead letters")
    await button.click()  # the browser wants a reason first
    await expect(question).to_be_visible()
    await question.get_by_label("Reason").fill("sent by mistake <b>")
    await button.click()
    await page.wait_for_url("**/console/dead-letters/actions?**")
    await page.goto(f"/console/operations/{dead[0]}")
    await expect(page.locator("h1")).to_contain_text("discarded")
    await expect(page.locator(".facts").first).to_contain_text("sent by mistake <b>")
    await page.goto("/console/audit?action=dead_letters.discard&actor=acts%20on%20call")
    await expect(page.locator("#found tbody tr").first).to_contain_text("sent by mistake <b>")


async def test_what_has_changed_since_it_was_counted_is_not_done(service, window):
    acme = await service.company()
    await acme.fail("g1")
    async with window() as (page, watch):
        await page.goto(f"/console/dead-letters/redrive?tenant={acme.key}")
        await acme.fail("g2")
        await page.get_by_role("button", name="Redrive 1 dead letter").click()
        await expect(page.locator("h1")).to_be_visible()
        assert "409" in await page.locator("main").text_content()
        await page.goto(f"/console/dead-letters/list?tenant={acme.key}")
        await expect(rows(page)).to_have_count(2)
        watch.said.clear()


async def test_a_question_is_answered_by_the_keyboard(service, page):
    acme = await service.company()
    await acme.fail("g1")
    await page.goto(f"/console/dead-letters?tenant={acme.key}")
    opener = page.get_by_role("link", name="Redrive")
    await opener.focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("dialog")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_be_hidden()
    await expect(opener).to_be_focused()
