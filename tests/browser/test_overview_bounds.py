"""What the overview says of figures at their bounds: words and tones, and that nothing jumps while they move."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from itertools import cycle, islice
from typing import Any

import orjson
import pytest
from playwright.async_api import Browser, Page, Route, expect

from tests.browser.conftest import World
from tests.browser.desk import DESK, MARKS, PHONE, Desk, Look, sitting

pytestmark = MARKS

_TONES = {79.9: ("good", "79.9%"), 80: ("warn", "80.0%"), 89.9: ("warn", "89.9%"), 90: ("bad", "90.0%")}

_SOON = {"en-US": "Expiring", "pt-BR": "Vencem"}

_SOURCE = """
    const asked = window.fetch;
    const told = (stats) => new TextEncoder().encode(`event: stats\\ndata: ${JSON.stringify(stats)}\\n\\n`);
    window.listened = new Promise((resolve) => (window.listen = resolve));
    const source = () =>
        new ReadableStream({ start: (to) => listen((stats) => to.enqueue(told(stats))) });
    window.fetch = (url, init) =>
        String(url).endsWith("/stats/stream") ? Promise.resolve(new Response(source())) : asked(url, init);
"""
_SHIFTED = """async (figures) => {
    const tell = await listened;
    let sum = 0;
    const add = (entries) => { for (const one of entries) if (!one.hadRecentInput) sum += one.value; };
    const seen = new PerformanceObserver((list) => add(list.getEntries()));
    seen.observe({ type: "layout-shift" });
    const frame = () => new Promise(requestAnimationFrame);
    for (const one of figures) {
        tell(one);
        await frame();
        await frame();
    }
    add(seen.takeRecords());
    return sum;
}"""


async def _tell(desk: Desk, *told: dict[str, Any]) -> None:
    """The page is loaded anew and hears these figures, in place of the service's."""

    async def answer(route: Route) -> None:
        await route.fulfill(body="".join(f"event: stats\ndata: {orjson.dumps(one).decode()}\n\n" for one in told))

    await expect(desk.page.locator(".overview")).to_be_visible()
    await desk.page.unroute_all()
    await desk.page.route("**/api/v1/stats/stream", answer)
    await desk.page.reload()


async def _tone_of(page: Page, name: str, value: str, tone: str) -> None:
    tile = page.locator(".tile", has_text=name)
    await expect(tile.locator(".value")).to_have_text(value)
    await expect(tile).to_have_class(re.compile(rf"^tile {tone}$"))


async def test_utilization_changes_its_tone_at_its_bounds(world: World, browser: Browser) -> None:
    """80 % is orange and 90 % red: of the pool, of a group, and on the curve."""
    await world.api.call("POST", "/snapshots")
    stats = await world.api.get("/stats")
    async with sitting(browser, world.api) as desk:
        page = desk.page
        for utilization, (tone, text) in _TONES.items():
            group = {**stats["groups"]["br-vivo"], "utilization": utilization}
            figures = {**stats, "utilization": utilization, "groups": {"br-vivo": group}}
            await _tell(desk, figures)
            await expect(page.locator(".usage .hero")).to_have_text(text)
            await expect(page.locator(".usage")).to_have_class(f"card usage {tone}")
            await expect(page.locator(".usage > .meter i")).to_have_class(tone)
            await expect(page.locator(".groups tbody tr")).to_have_class(tone)
            await expect(page.locator(".groups .percent")).to_have_text(text)
            await expect(page.locator(".groups .meter i")).to_have_class(tone)
        await expect(page.locator(".scale .warn")).to_have_text("80%")
        await expect(page.locator(".scale .bad")).to_have_text("90%")
        for tone, height in (("warn", "32.0"), ("bad", "16.0")):  # of 160, from above
            await expect(page.locator(f".bound.{tone}")).to_have_attribute("y1", height)


async def test_tiles_tell_drift_lag_and_what_expires(world: World, browser: Browser) -> None:
    for days in (6, 8):
        ends = datetime.now(UTC) + timedelta(days=days)
        await world.api.add(1, username=f"for-{days}-days", expires_at=int(ends.timestamp() * 1000))
    stats = await world.api.get("/stats")
    servers = [{**server, "drift": drift} for server, drift in zip(stats["servers"], (1, 2), strict=True)]
    calm = [{**server, "drift": 0} for server in servers]
    async with sitting(browser, world.api) as desk:
        page = desk.page
        await _tell(desk, {**stats, "servers": servers, "mirrorLag": 75})
        await _tone_of(page, "Drift", "3", "warn")
        await _tone_of(page, "Mirror lag", "1 min", "bad")
        await _tone_of(page, "Expiring", "1", "warn")
        await _tell(desk, {**stats, "servers": calm, "mirrorLag": 11})
        await _tone_of(page, "Drift", "0", "")
        await _tone_of(page, "Mirror lag", "11 sec", "warn")
        await _tell(desk, {**stats, "mirrorLag": 10})
        await _tone_of(page, "Mirror lag", "10 sec", "")


@pytest.mark.parametrize("look", [DESK, PHONE], ids=lambda look: look.name)
async def test_nothing_jumps_while_the_figures_move(world: World, browser: Browser, look: Look) -> None:
    """Fifty figures of every length, one a frame; summed is what the browser itself calls a shift."""
    stats = await world.api.get("/stats")
    lengths = islice(cycle(((8, 6.1), (1_234, 84.4), (123_456, 97.9), (61, 100.0))), 50)
    moving = [
        {
            **stats,
            "utilization": share,
            "notApplied": value,
            "events": value,
            "mirrorLag": value,
            "available": 90 + turn,
        }
        for turn, (value, share) in enumerate(lengths)
    ]
    async with sitting(browser, world.api, look) as desk:
        page = desk.page
        await expect(page.locator(".overview")).to_be_visible()
        await page.add_init_script(_SOURCE)
        await page.reload()
        await page.evaluate("async (stats) => (await listened)(stats)", stats)
        await expect(page.locator(".latest li")).to_have_count(12)
        await expect(page.locator(".curve-place > *")).to_be_visible()
        await expect(page.locator(".tile", has_text=_SOON[look.locale]).locator(".value")).to_have_text("0")
        shifted = await page.evaluate(_SHIFTED, moving)
        await expect(page.locator(".usage .hero")).to_contain_text("84")
        assert shifted < 0.01
