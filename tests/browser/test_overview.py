"""The overview: what runs out, who is unprotected, and what stands in the way."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from playwright.async_api import Browser, Route, expect

from service.messages import Locale, why
from service.pool.tokens import Role
from tests.browser.conftest import World
from tests.browser.desk import DESK, MARKS, PHONE, Look, sitting

pytestmark = MARKS


async def test_follows_the_figures(world: World, browser: Browser) -> None:
    async with sitting(browser, world.api) as desk:
        page = desk.page
        free = page.locator("a.tile", has_text="Available").locator(".value")
        await expect(free).to_have_text("195")
        await expect(page.locator(".usage .hero")).to_have_text("6.1%")
        await expect(page.locator(".groups tbody tr")).to_have_count(2)
        await expect(page.locator(".servers .badge")).to_have_text(["healthy", "healthy"])
        await expect(page.locator(".events li").first).to_be_visible()
        await free.evaluate("node => (node.mark = 'the same')")
        await world.api.add(181)
        await expect(free).to_have_text("196")
        assert await free.evaluate("node => node.mark") == "the same", "figures are to change in place"


async def test_the_curve_is_that_of_the_range(world: World, browser: Browser) -> None:
    """It keeps the reader's place while the figures move."""
    async with sitting(browser, world.api) as desk:
        page = desk.page
        await world.api.call("POST", "/snapshots")
        await page.reload()
        await expect(page.locator(".axis span").last).to_contain_text(":")
        await page.locator(".plot").focus()
        await page.keyboard.press("ArrowLeft")
        await expect(page.locator(".told")).to_contain_text(re.compile(r"\d\.\d%"))
        await world.api.add(181)
        await expect(page.locator("a.tile", has_text="Available").locator(".value")).to_have_text("196")
        await expect(page.locator(".told")).not_to_be_empty()
        await expect(page.locator(".plot")).to_be_focused()
        await page.get_by_role("button", name="30 d").click()
        await expect(page.locator(".axis span").last).not_to_contain_text(":")


async def test_the_curve_is_that_of_the_group(world: World, browser: Browser) -> None:
    async def history(route: Route) -> None:
        """As after a minute: there is one snapshot in each."""
        at, counts = datetime.now(UTC).isoformat(), {"total": 100, "used": 0, "available": 0, "cooling": 0}
        use = 87.5 if "group=br-vivo" in route.request.url else 12.5
        found = {"from": at, "to": at, "step": 360, "points": [counts | {"at": at, "utilization": use}]}
        await route.fulfill(json=found)

    async with sitting(browser, world.api) as desk:
        page = desk.page
        await page.route("**/api/v1/stats/history*", history)
        for group, use in (("br-vivo", "87.5%"), ("", "12.5%")):
            await page.locator(".usage select").select_option(group)
            await expect(page.locator(f".plot[aria-label*='{use}']")).to_be_visible()


@pytest.mark.parametrize("look", [DESK, PHONE], ids=lambda look: look.name)
async def test_tells_and_ends_what_stands_in_the_way(world: World, browser: Browser, look: Look) -> None:
    words = {"en-US": ("Release the brake", "Resume"), "pt-BR": ("Soltar o freio", "Retomar")}[look.locale]
    language: Locale = "en" if look is DESK else "pt-BR"
    api = world.api
    async with sitting(browser, api, look) as desk:
        page = desk.page
        await api.call("POST", "/pause")
        await api.controller.polls["b"].stop()  # its list is whole: a tick would let go of the brake
        reason = "missing leased=40 missing=31 closed=2"
        await api.pool.brake("b", "release", engaged=True, reason=reason)
        await expect(page.locator(".notice")).to_have_count(2)
        await expect(page.locator(".notice").first).to_contain_text(why(reason, language))
        await desk.picture("notices")
        await page.get_by_role("button", name=words[0]).click()
        await desk.press(words[0])
        await expect(page.locator(".notice")).to_have_count(1)
        assert (await api.events("brake.released"))[0]["actor"] == "token:superadmin"
        await page.get_by_role("button", name=words[1]).click()
        await desk.press(words[1])
        await expect(page.locator(".notice")).to_have_count(0)
        assert not (await api.get("/stats"))["paused"]


async def test_names_the_unprotected(world: World, browser: Browser) -> None:
    async with sitting(browser, world.api) as desk:
        page = desk.page
        await expect(page.locator(".unprotected .hero")).to_have_text("0")
        await world.api.call("POST", "/pause")
        world.sim.create("desprotegida <b>", state="open")
        await expect(page.locator(".unprotected .hero")).to_have_text("1")
        await page.locator(".unprotected").get_by_role("link", name="desprotegida <b>").click()
        await expect(page.locator("dialog h2")).to_have_text("desprotegida <b>")


async def test_shows_what_cannot_be(world: World, browser: Browser) -> None:
    """An impossible figure stands there as it is, with a warning."""
    api = world.api
    await api.pool.redis.zadd(api.pool.keys.named("used"), {f"ghost-{number}": 0 for number in range(300)})
    async with sitting(browser, api) as desk:
        await expect(desk.page.locator(".notice.bad")).not_to_have_count(0)
        await expect(desk.page.locator("a.tile", has_text="Used").locator(".value")).to_have_text("313")


async def test_markup_in_names_stays_text(world: World, browser: Browser) -> None:
    name = "<img src=x onerror=alert(1)>"
    await world.api.add(1, username="x", group=name)
    async with sitting(browser, world.api, role=Role.VIEWER) as desk:
        await expect(desk.page.locator(".groups")).to_contain_text(name)
        assert await desk.page.locator(".groups img").count() == 0


async def test_an_empty_service_says_what_to_do(world: World, browser: Browser) -> None:
    async with sitting(browser, world.api) as desk:
        await desk.page.route(
            "**/api/v1/proxies?**",
            lambda route: route.fulfill(json={"items": [], "nextCursor": None, "total": 0, "asOf": None}),
        )
        await desk.go("proxies")
        await expect(desk.page.locator(".state")).to_contain_text("The pool is empty.")
        await desk.go("proxies?q=nothing")
        await expect(desk.page.locator(".state")).to_contain_text("Nothing matches the filters.")
        await desk.page.unroute_all()
        await desk.page.route("**/api/v1/instances?**", lambda route: route.abort())
        await desk.go("instances")
        await expect(desk.page.locator(".state.bad")).to_contain_text("The service can't be reached.")
        await desk.page.unroute_all()
        await desk.press("Try again")
        await expect(desk.page.locator("tbody tr")).to_have_count(16)
