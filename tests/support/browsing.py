"""A browser that looks at the console, and notes whatever it should not see."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

from infra.local import browser

ROOT = Path(__file__).resolve().parents[2]
# Kept for whoever wants to see them; CI may keep the folder.
SCREENSHOTS = ROOT / ".dev" / "screenshots"
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
# A machine that runs other tests too may need this long for what takes a tenth of a second.
expect.set_options(timeout=15_000)
WIDE, NARROW = {"width": 1440, "height": 900}, {"width": 390, "height": 844}


@dataclass(slots=True, kw_only=True)
class Watch:
    """What a page has said and asked for. `foreign` are addresses of other hosts, `said` are errors and warnings."""

    host: str
    said: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)

    def listen(self, page: Page) -> None:
        """Note everything of this page."""
        page.on("console", lambda message: self._hear(message.type, message.text))
        page.on("pageerror", lambda error: self._hear("error", str(error)))
        page.on("request", lambda request: self._see(request.url))

    def _hear(self, kind: str, text: str) -> None:
        if kind in {"error", "warning"}:
            self.said.append(f"{kind}: {text}")

    def _see(self, url: str) -> None:
        if urlsplit(url).netloc != self.host and not url.startswith("data:"):
            self.foreign.append(url)


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """One browser, without a window."""
    program = browser.find()
    if program is None:
        raise AssertionError(browser.NO_BROWSER)
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=program, args=list(FLAGS))
        yield started
        await started.close()


@asynccontextmanager
async def looking(started: Browser, url: str, **options: Any) -> AsyncIterator[tuple[Page, Watch]]:
    """A page in a window of its own; nothing may have been said or asked of others when it is left."""
    context: BrowserContext = await started.new_context(base_url=url, **{"viewport": WIDE, **options})
    context.set_default_timeout(15_000)
    watch = Watch(host=urlsplit(url).netloc)
    page = await context.new_page()
    watch.listen(page)
    try:
        yield page, watch
    finally:
        await context.close()
    assert watch.foreign == []
    assert watch.said == []


async def sign_in(page: Page, token: str) -> None:
    """Go through the door."""
    await page.goto("/console/sign-in")
    await page.get_by_label("Operator token").fill(token)
    await page.get_by_role("button", name="Sign in").click()
    await page.wait_for_url(lambda url: not url.endswith("/sign-in"))


async def screenshot(page: Page, name: str) -> None:
    """Keep a picture of the whole page."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    await page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)
