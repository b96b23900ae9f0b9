"""The page of events and its stream: what is shown and what comes meet without a gap."""

import re
from html import unescape

from domain.events import EventType
from tests.support.directory import add_events
from tests.support.streams import streaming


async def stream_of(visit, page):
    """The address that the page's stream has, and the headers with which its browser asks."""
    address = unescape(re.search(r'hx-sse:connect="([^"]+)"', page.text)[1])
    cookies = "; ".join(f"{name}={value}" for name, value in visit.client.cookies.items())
    return address, {"Host": "ops.test", "Cookie": cookies}


async def test_what_happens_before_the_stream_connects_is_not_missed(visit, sql):
    await visit.sign_in("ops:read")
    visit.api.is_filled_by_hand = True
    await add_events(sql, visit.api.tenant.id, "acme", (EventType.USER_UPDATED, 1))
    page = await visit.get("/console/events?tenant=acme")
    assert re.findall(r'data-event="([^"]+)"', page.text) == [f"/tenants/acme#{1:019}"]
    await add_events(sql, visit.api.tenant.id, "acme", (EventType.GROUP_UPDATED, 1), first=2)
    async with streaming(visit.api.app, *await stream_of(visit, page)) as stream:
        assert (await stream.block())[""] == "following"
        event = await stream.event()
    assert int(event["id"]) == await sql.fetchval("SELECT id FROM outbox WHERE first_sequence = 2")


async def test_a_page_from_a_place_of_a_log_on_has_no_stream(visit, sql):
    await visit.sign_in("ops:read")
    visit.api.is_filled_by_hand = True
    await add_events(sql, visit.api.tenant.id, "acme", (EventType.USER_UPDATED, 2))
    page = await visit.get("/console/events?tenant=acme&after=1")
    assert "hx-sse:connect" not in page.text
    assert len(re.findall("data-event", page.text)) == 1
