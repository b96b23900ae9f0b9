"""What the broker delivers and nobody can read is seen as often as anybody likes, and discarded from the page."""

import aio_pika
import pytest
from playwright.async_api import expect

from infra.rabbitmq.topology import Topology
from tests.support.brokers import outside_channel
from tests.support.browsing import looking, sign_in
from tests.support.checking import overflow, violations
from tests.support.room import room

pytestmark = pytest.mark.asyncio(loop_scope="session")

MARKUP = b"<img src=x onerror=\"document.title='taken'\"> \xe2\x80\xae"


async def test_an_unreadable_message_is_seen_and_discarded(database_url, amqp_url, broker_prefix, browser):
    async with (
        outside_channel(amqp_url, broker_prefix) as channel,
        room(database_url, amqp_url=amqp_url, name_prefix=broker_prefix) as service,
        looking(browser, service.url) as (page, _),
    ):
        await sign_in(page, await service.operator("ops:write", name="on call"))
        exchange = await channel.get_exchange(Topology(prefix=broker_prefix).commands_exchange)
        for body in (MARKUP, b"\xff\xfe" * 200):
            await exchange.publish(aio_pika.Message(body), routing_key="claim")
        await page.get_by_role("link", name="messages of the broker cannot be read").click()
        await page.wait_for_url("**/console/dead-letters/unreadable")
        await expect(page.locator("article")).to_have_count(2)
        await expect(page.locator("article").first.locator("pre")).to_contain_text("<img src=x")
        await expect(page.locator("article").nth(1)).to_contain_text("400 bytes as base64")
        assert await page.locator("main img").count() == 0
        assert await violations(page) == []
        assert await overflow(page) == 0
        await page.get_by_role("link", name="Discard").click()
        question = page.get_by_role("dialog", name="Discard 2 messages?")
        await question.get_by_label("Reason").fill("a wrong publisher")
        await question.get_by_role("button", name="Discard 2 messages").click()
        await expect(page.get_by_text("Whatever the broker delivered could be read.")).to_be_visible()
        await page.goto("/console/audit?action=unreadable.discard")
        await expect(page.locator("#found tbody tr")).to_contain_text("a wrong publisher")
