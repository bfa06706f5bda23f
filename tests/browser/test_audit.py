"""The audit: filters in the address, and the events as a file."""

from __future__ import annotations

import csv

import orjson
import pytest
from playwright.async_api import Browser, expect

from tests.browser.conftest import World
from tests.browser.desk import DESK, MARKS, PHONE, Look, sitting
from tests.helpers import wait_until

pytestmark = MARKS


@pytest.mark.parametrize("look", [DESK, PHONE], ids=lambda look: look.name)
async def test_filters_stand_in_the_address(world: World, browser: Browser, look: Look) -> None:
    level, event = {"en-US": ("Level", "Event"), "pt-BR": ("Nível", "Evento")}[look.locale]
    async with sitting(browser, world.api, look) as desk:
        page = desk.page
        await desk.go("audit")
        rows = page.locator("tbody tr")
        await expect(rows).to_have_count(100)
        await desk.picture("audit")
        await page.get_by_label(event).select_option("token.")
        await expect(rows).to_have_count(3)
        assert page.url.endswith("#/audit?type=token.")
        await page.reload()
        await expect(rows).to_have_count(3)
        await expect(page.get_by_label(event)).to_have_value("token.")
        await page.get_by_label(level).select_option("error")
        await expect(page.locator(".state")).to_be_visible()
        await desk.go("audit?instance=loja-1")
        await rows.first.get_by_role("link", name="loja-1").click()
        await expect(page.locator("dialog h2")).to_have_text("loja-1")


async def test_takes_the_events_away(world: World, browser: Browser) -> None:
    """Also those beyond the first page that is asked for."""
    for username in ("um", "dois"):
        await world.api.add(180, username=username)

    async def mirrored() -> bool:
        return bool((await world.api.get("/stats"))["mirrorLag"] == 0)

    await wait_until(mirrored, what="SQL has every event")
    async with sitting(browser, world.api) as desk:
        page = desk.page
        await desk.go("audit?type=proxy.")
        await expect(page.locator("tbody tr")).to_have_count(100)
        async with page.expect_download() as lines:
            await page.locator("#take-ndjson").click()
        events = [orjson.loads(line) for line in (await (await lines.value).path()).read_bytes().splitlines()]
        async with page.expect_download() as table:
            await page.locator("#take-csv").click()
        with (await (await table.value).path()).open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        assert len(events) >= 220 + 2 * 180 + 12
        assert [row["id"] for row in rows] == [event["id"] for event in events]
        assert {event["type"] for event in events} >= {"proxy.added", "proxy.quarantined", "proxy.disabled"}
        row = await page.evaluate(
            """async () => (await import("/static/pages/audit/csv.js")).csv.row({ id: "1", name: '=HYPERLINK("x")' })"""
        )
        assert '"\'=HYPERLINK(""x"")"' in row, "a spreadsheet would run it"
