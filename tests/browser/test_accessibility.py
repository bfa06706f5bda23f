"""Everybody can use it: contrast, labels and names as axe sees them, and all by keyboard."""

from __future__ import annotations

from importlib.resources import files

import pytest
from playwright.async_api import Browser, expect

from tests.browser.conftest import World
from tests.browser.desk import DESK, MARKS, PHONE, Desk, Look, sitting

pytestmark = MARKS

_OPTIONS = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"],
    "resultTypes": ["violations", "passes"],
}


async def check(desk: Desk, name: str) -> None:
    """Fails with what axe finds on the page as it is."""
    page = desk.page
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8"))
    found = await page.evaluate("options => axe.run(options)", _OPTIONS)
    assert found["passes"], "axe has looked at nothing"
    told = [(one["id"], node["html"], node["failureSummary"]) for one in found["violations"] for node in one["nodes"]]
    assert not told, name


@pytest.mark.parametrize("look", [DESK, PHONE], ids=lambda look: look.name)
async def test_pages_and_drawers(world: World, browser: Browser, look: Look) -> None:
    held = (await world.api.get("/instances/loja-1"))["proxyId"]
    async with sitting(browser, world.api, look) as desk:
        page = desk.page
        await world.api.call("POST", "/pause")
        await expect(page.locator(".notice")).to_have_count(1)
        await check(desk, "overview")
        places = [
            "proxies?status=quarantined",
            "instances?state=close",
            "import",
            "audit?type=token.",
            "settings",
            "drift",
            f"proxies?open={held}",
            "instances?open=loja-1&at=a",
        ]
        for place in places:
            await desk.go(place)
            await expect(
                page.locator("dialog .tenancies li" if "open" in place else "main .card, main .listing").first
            ).to_be_visible()
            await check(desk, place)
            await page.keyboard.press("Escape")
            await desk.closed()
        await page.locator("#leave").click()
        await expect(page.locator("#login")).to_be_visible()
        await check(desk, "login")


async def test_on_paper(world: World, browser: Browser) -> None:
    """The content alone, dark on white, also of a page that is white on dark."""
    async with sitting(browser, world.api, PHONE) as desk:
        page = desk.page
        await desk.go("instances")
        await expect(page.locator("tbody tr")).to_have_count(16)
        await page.emulate_media(media="print", color_scheme="dark")
        for part in ("nav", ".toolbar", ".bulk", "#leave"):
            await expect(page.locator(part).first).to_be_hidden()
        await expect(page.locator("h1")).to_have_css("color", "rgb(22, 32, 28)")
        await expect(page.get_by_role("link", name="loja-1")).to_be_visible()


async def test_all_by_keyboard(world: World, browser: Browser) -> None:
    """From the login to an instance's dialog and back, with the focus where one expects it."""
    async with sitting(browser, world.api, role=None) as desk:
        page, keyboard = desk.page, desk.page.keyboard
        await expect(page.locator("#token")).to_be_focused()
        await keyboard.type("the-superadmins-own-secret")
        await keyboard.press("Enter")
        await expect(page.locator("h1")).to_be_focused()
        await page.locator("nav a", has_text="Instances").focus()
        await keyboard.press("Enter")
        await expect(page.locator("h1")).to_have_text("Instances")
        await expect(page.locator("h1")).to_be_focused()
        opener = page.get_by_role("link", name="loja-0")
        await opener.focus()
        await keyboard.press("Enter")
        await expect(page.get_by_role("dialog", name="loja-0")).to_be_visible()
        rotate = page.get_by_role("button", name="Rotate")
        await rotate.focus()
        await keyboard.press("Enter")
        await expect(page.locator("dialog [name=group]")).to_be_focused()
        for _ in range(12):
            await keyboard.press("Tab")
            inside = "document.activeElement === document.body || !!document.activeElement.closest('dialog.dialog')"
            assert await page.evaluate(inside), "the focus has left the dialog"
        await keyboard.press("Escape")
        await expect(page.locator("dialog.dialog")).to_have_count(0)
        await expect(rotate).to_be_focused()
        await keyboard.press("Escape")
        await desk.closed()
        await expect(opener).to_be_focused()
