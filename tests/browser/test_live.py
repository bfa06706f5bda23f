"""The live figures: given up when they fall silent, and followed for long without growing."""

from __future__ import annotations

import orjson
from playwright.async_api import Browser, Page, Route, expect

from tests.browser.conftest import World
from tests.browser.desk import MARKS, sitting
from tests.helpers import wait_until

pytestmark = MARKS

_STREAM = "**/api/v1/stats/stream"


async def test_a_silent_connection_is_given_up(world: World, browser: Browser) -> None:
    """It is neither closed nor answered, as after the machine has slept."""
    held: list[Route] = []

    async def hold_the_first(route: Route) -> None:
        if held:
            await route.continue_()
        else:
            held.append(route)

    async with sitting(browser, world.api) as desk:
        page = desk.page
        await page.clock.install()
        await page.route(_STREAM, hold_the_first)
        await page.reload()
        await expect(page.locator("#link")).to_have_text("connecting…")
        await page.clock.fast_forward(41_000)
        await expect(page.locator("#link")).to_have_text("live")


async def test_figures_leave_nothing_behind(world: World, browser: Browser) -> None:
    """As many as come in a quarter of a lively hour. What the browser holds is counted, also outside the document."""
    stats = await world.api.get("/stats")
    numbers = range(20)

    async def tell(route: Route) -> None:
        figures = ({**stats, "available": number, "unprotected": number % 7} for number in numbers)
        await route.fulfill(body="".join(f"event: stats\ndata: {orjson.dumps(one).decode()}\n\n" for one in figures))

    async with sitting(browser, world.api) as desk:
        page = desk.page
        available = page.locator("a.tile", has_text="Available").locator(".value")
        await page.route(_STREAM, tell)
        await page.reload()
        await expect(available).to_have_text("19")
        await expect(page.locator(".latest li")).to_have_count(12)
        nodes, listeners = await _held(page)
        numbers = range(250)
        await page.reload()
        await expect(available).to_have_text("249")

        async def as_before() -> bool:
            later = await _held(page)
            return later[0] < nodes + 500 and later[1] < listeners + 50

        await wait_until(as_before, what="the page holds no more than after a few figures")


async def _held(page: Page) -> tuple[int, int]:
    """Nodes and listeners, those out of the document among them, after a collection of garbage."""
    session = await page.context.new_cdp_session(page)
    await session.send("HeapProfiler.collectGarbage")
    counted = await session.send("Memory.getDOMCounters")
    await session.detach()
    return counted["nodes"], counted["jsEventListeners"]
