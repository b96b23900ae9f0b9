"""The pictures of the console in docs/images, taken of a running `./dev up` under a load that comes and goes.

Run: python -m tests.support.console_pictures --seconds 300 (then `./dev down --wipe`: it leaves its crowd behind).
One rule: nothing is drawn; what a picture shows is what has happened to that installation.
"""

import asyncio
import math
import os
import random
import shutil
import subprocess
import time
from collections.abc import Awaitable
from pathlib import Path

import aio_pika
import asyncpg
import click
import httpx
from playwright.async_api import Page, expect

from infra.local import place
from infra.postgres.database import plain_dsn
from infra.rabbitmq.topology import Topology
from tests.support.browsing import ROOT, chromium, looking, sign_in
from workers.cli.loading import GRANT
from workers.cli.main import use_running_servers

IMAGES = ROOT / "docs" / "images"
SIZE = {"width": 1280, "height": 900}
CROWD = 60_000
# What an operator would call a defect: for names that begin with it, writing a group fails.
_POISON = """
CREATE OR REPLACE FUNCTION poison() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.name LIKE 'poison%' THEN RAISE EXCEPTION 'poisoned'; END IF;
    IF NEW.name LIKE 'half%' THEN PERFORM 1 / (NEW.id - NEW.id); END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER poison BEFORE INSERT OR UPDATE ON user_group FOR EACH ROW EXECUTE FUNCTION poison();
"""
_REMEDY = "DROP TRIGGER IF EXISTS poison ON user_group"


class Upstream:
    """Somebody who sends commands to the sample tenant."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self._chance = random.Random(4)
        self._sent: set[asyncio.Task[httpx.Response]] = set()

    async def put(self, path: str, body: object, **headers: str) -> httpx.Response:
        """Set something."""
        return await self._client.put(path, json=body, headers=headers)

    async def load(self, seconds: float) -> None:
        """Between two and twenty-two commands a second, in waves of two minutes."""
        ends = time.monotonic() + seconds
        while (now := time.monotonic()) < ends:
            task = asyncio.create_task(self._one())
            self._sent.add(task)
            task.add_done_callback(self._sent.discard)
            await asyncio.sleep(1 / (12 + 10 * math.sin(now / 20)))
        await asyncio.gather(*self._sent)

    async def gather_crowd(self, mark: str) -> dict[str, object]:
        """A group of very many people and a licence with seats for most of them: what gives the one to the other."""
        group = await self.put(f"/v1/groups/all-{mark}", {"name": "Everybody"})
        program = {"kind": "program", "program_key": f"first-aid-{mark}", "program_name": "First aid"}
        pool = {"name": "First aid", "capacity": CROWD - 25, **program}
        licence = await self.put(f"/v1/licenses/first-aid-{mark}", pool)
        keys = [f"{mark}-{number}" for number in range(CROWD)]
        for begin in range(0, CROWD, 1_000):
            items = [
                {"key": key, "username": key, "primary_group": f"all-{mark}"} for key in keys[begin : begin + 1_000]
            ]
            (await self._client.post("/v1/users:batch", json={"items": items})).raise_for_status()
        ids = {
            name: answer.raise_for_status().json()["id"] for name, answer in (("group", group), ("license", licence))
        }
        return {"license_id": ids["license"], "group_id": ids["group"], "shortage": "waitlist"}

    async def give(self, grant: dict[str, object]) -> None:
        """Give a licence to a group, and do not wait until everybody has it."""
        answer = await self._client.post(GRANT, json=grant, headers={"Prefer": "respond-async"})
        answer.raise_for_status()

    def _one(self) -> Awaitable[httpx.Response]:
        person = f"p{self._chance.randrange(1, 2_000):04d}"
        if self._chance.random() < 0.5:
            body: object = {"username": person, "first_name": "Ann", "last_name": f"Lee {self._chance.random()}"}
            return self.put(f"/v1/users/{person}", body, Prefer="respond-async")
        item = {"group_id": "team-mentors", "body": {"role_id": "mentor", "user_id": person}}
        path = "/api/admin/users/v4/user-groups/assignments/batch"
        return self._client.post(path, json={"items": [item]}, headers={"Prefer": "respond-async"})


async def poison(upstream: Upstream) -> None:
    """Some operations that failed, for two reasons, and messages that cannot be read."""
    connection = await asyncpg.connect(plain_dsn(os.environ["SEATLINE_DATABASE_URL"]))
    await connection.execute(_POISON)
    try:
        for number, word in enumerate(["poison"] * 6 + ["half"] * 3):
            await upstream.put(f"/v1/groups/bad-{number}", {"name": f"{word} {number}"})
    finally:
        await connection.execute(_REMEDY)
        await connection.close()
    async with await aio_pika.connect(os.environ["SEATLINE_AMQP_URL"]) as broker:
        topology = Topology(prefix=os.environ.get("SEATLINE_NAME_PREFIX", "seatline"))
        exchange = await (await broker.channel()).get_exchange(topology.commands_exchange)
        for body in (b"this is no claim", b'{"tenant": 1}'):
            await exchange.publish(aio_pika.Message(body), routing_key=topology.claim_key)


async def take(page: Page, name: str, *, whole: bool = False) -> None:
    """One picture, as small as it gets; `whole`: of all of the page."""
    file = IMAGES / f"{name}.png"
    await page.screenshot(path=file, full_page=whole)
    smaller = shutil.which("pngquant")
    if smaller is not None:
        await asyncio.to_thread(_shrink, smaller, file)


def _shrink(program: str, file: Path) -> None:
    subprocess.run([program, "--force", "--output", str(file), "64", str(file)], check=True)


async def take_all(page: Page, upstream: Upstream, seconds: float) -> None:
    """The overview under load, what failed, and a fan-out that is under way."""
    loading = asyncio.create_task(upstream.load(seconds))
    await asyncio.sleep(max(seconds - 5, 0))
    await page.goto("/console/overview")
    await expect(page.get_by_text("Live", exact=True)).to_be_visible()
    await expect(page.locator(".uplot").first).to_be_visible()
    await loading
    await take(page, "overview")
    await page.goto("/console/dead-letters")
    await page.get_by_role("link", name="Redrive").first.click()
    await expect(page.get_by_role("dialog")).to_be_visible()
    await take(page, "dead-letters")
    await page.goto("/console/operations?status=failed")
    await page.locator("#found tbody a").first.click()
    await expect(page.get_by_role("heading", name="Timeline")).to_be_visible()
    await take(page, "operation")
    grant = await upstream.gather_crowd(f"{time.time() % 10_000:.0f}")
    await page.goto("/console/fulfilment")
    await upstream.give(grant)
    # It lasts for a few seconds: the page is asked again at once, rather than when it would look by itself.
    while "running" not in (await page.locator("#found").text_content() or ""):
        await page.goto("/console/fulfilment")
    await take(page, "fulfilment", whole=True)


async def main(seconds: float) -> None:
    """Everything, against the servers of the environment."""
    url, token = os.environ["SEATLINE_URL"], os.environ["SEATLINE_TOKEN"]
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=url, headers=headers, trust_env=False, timeout=60) as client:
        upstream = Upstream(client)
        await poison(upstream)
        async with chromium() as browser, looking(browser, url, viewport=SIZE) as (page, _):
            await sign_in(page, os.environ["SEATLINE_ADMIN_TOKEN"])
            await take_all(page, upstream, seconds)


@click.command()
@click.option("--seconds", default=300.0, show_default=True, help="How long the load lasts before the first picture.")
def run(seconds: float) -> None:
    """Take the pictures of docs/images of the servers of `./dev up`."""
    use_running_servers(place.of_clone().environment)
    asyncio.run(main(seconds))


if __name__ == "__main__":
    run()
