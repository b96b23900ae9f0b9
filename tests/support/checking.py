"""What holds of every page: its accessibility, its weight, and that it fits."""

import gzip
from collections.abc import Sequence

from axe_playwright_python.base import AXE_SCRIPT
from playwright.async_api import Page, Response

MOST_PACKED_BYTES = 100 * 1024
# Everything that the rules of WCAG 2.2 AA and axe's own good practices say.
_OPTIONS = {"resultTypes": ["violations"]}


async def violations(page: Page) -> Sequence[str]:
    """What axe-core finds wrong, by rule and place."""
    if not await page.evaluate("'axe' in window"):  # once for a page: it is half a megabyte
        await page.evaluate(AXE_SCRIPT)
    violated = await page.evaluate("options => axe.run(options).then(results => results.violations)", _OPTIONS)
    return [f"{found['id']}: {node['html']} {node['failureSummary']}" for found in violated for node in found["nodes"]]


class Weight:
    """Counts what a page loads, as it is when packed by gzip."""

    def __init__(self, page: Page) -> None:
        self._responses: list[Response] = []
        page.on("response", self._came)

    def _came(self, response: Response) -> None:
        if response.request.is_navigation_request():
            # What the page before had asked for may still come, and goes with it.
            self._responses.clear()
        self._responses.append(response)

    async def packed(self) -> int:
        """Bytes of everything that came whole; streams do not end and are left out."""
        total = 0
        for response in self._responses:
            if response.status == 200 and "event-stream" not in response.headers.get("content-type", ""):
                total += len(gzip.compress(await response.body()))
        return total


async def overflow(page: Page) -> int:
    """By how many pixels the page is wider than its window."""
    return await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
