"""What the page says when something it needs is slow, wrong or gone."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Browser, Route, expect

from service.mirror.database import open_database
from service.pool.tokens import Role
from service.web.context import AUDIT
from tests.browser.conftest import World
from tests.browser.desk import MARKS, sitting

pytestmark = MARKS


async def test_a_page_on_its_way_is_seen_to_come(world: World, browser: Browser) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    async with sitting(browser, world.api) as desk:
        page = desk.page
        await page.route("**/pages/proxies.js", hold)
        await page.locator("nav a", has_text="Proxies").click()
        await expect(page.locator("h1")).to_have_text("Proxies")
        await expect(page.locator(".page .waiting")).to_be_visible()
        await page.locator("nav a", has_text="Instances").click()
        await expect(page.locator("tbody tr")).to_have_count(16)
        await held[0].continue_()
        await page.locator("nav a", has_text="Proxies").click()
        await expect(page.locator("tbody tr")).to_have_count(50)


async def test_without_sql_it_says_so_and_the_rest_goes_on(
    world: World, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = "The store sql can't be reached"
    async with (
        open_database("postgresql://u:geheim@127.0.0.1:1/x") as absent,
        sitting(browser, world.api) as desk,
    ):
        page = desk.page
        monkeypatch.setattr(world.api.client.app[AUDIT], "_engine", absent)
        await page.reload()
        await expect(page.locator(".curve-place")).to_contain_text(told)
        await expect(page.locator(".latest")).to_contain_text(told)
        await expect(page.locator("a.tile", has_text="Expiring soon").locator(".value")).to_have_text("–")
        await desk.go("proxies?sort=host")
        await expect(page.locator(".state.bad")).to_contain_text(told)
        await desk.press("Clear filters")
        await expect(page.locator("tbody tr")).to_have_count(50)
        await page.get_by_role("button", name="Address").click()
        await expect(page.locator(".state.bad")).to_contain_text(told)
        await expect(page.locator("tbody tr")).to_have_count(0)
        monkeypatch.undo()
        await desk.press("Try again")
        await expect(page.locator("tbody tr")).to_have_count(50)
        await expect(page.locator(".state.bad")).to_have_count(0)


async def test_links_that_lead_nowhere(world: World, browser: Browser) -> None:
    async with sitting(browser, world.api) as desk:
        page = desk.page
        for place in ("%", "toString", "nothing?open=x"):
            await desk.go(place)
            await expect(page.locator(".usage .hero")).to_be_visible()
            await desk.go("settings")
            await expect(page.locator("h1")).to_have_text("Settings")
        await desk.go("audit?from=yesterday")
        await expect(page.locator(".state.bad")).to_contain_text("from: must be an RFC 3339 time")
        await expect(page.get_by_role("button", name="Try again")).to_have_count(0)
        await desk.press("Clear filters")
        await expect(page.locator("tbody tr")).to_have_count(100)
        await desk.go("proxies?open=nobody")
        await expect(page.locator("dialog .state.bad")).to_contain_text("Unknown proxy")


async def test_a_session_that_ends_amid_a_job(world: World, browser: Browser) -> None:
    """The job goes on; whoever enters again sees the same list, and the job among the jobs."""
    async with sitting(browser, world.api, role=Role.ADMIN) as desk:
        page = desk.page
        await page.route("**/api/v1/jobs/*", lambda route: route.fulfill(status=401, json={"code": "unauthorized"}))
        await desk.go("instances?q=loja")
        await page.get_by_label("Select the page").check()
        await page.locator("#bulk").select_option("rotate")
        await expect(page.locator("dialog .counted strong")).to_have_text("10")
        await desk.press("Rotate")
        await expect(page.locator("#login")).to_contain_text("The session is over.")
        await desk.closed()
        await desk.log_in(world.api.tokens[Role.ADMIN])
        await expect(page.locator("tbody tr")).to_have_count(10)
        await expect(page.locator(".bulk p")).to_have_text("Tick instances to act on several at once.")
        await desk.go("settings")
        await expect(page.get_by_role("table", name="Jobs").locator("tbody tr")).to_contain_text("10 of 10")


async def test_another_login_in_the_same_browser(world: World, browser: Browser) -> None:
    """The cookie is the other tab's: nothing is done in its name unasked, and the next try is right."""
    async with sitting(browser, world.api) as desk:
        page = desk.page
        await desk.go("settings")
        body = {"token": world.api.tokens[Role.ADMIN]}
        assert (await page.context.request.post(f"{desk.origin}api/v1/session", data=body)).ok
        await page.locator("#pause").click()
        await desk.press("Pause")
        await expect(page.locator("dialog .refusal")).to_contain_text("You have logged in anew in another tab.")
        await expect(page.locator(".who")).to_contain_text("token:the-admin")
        await desk.press("Pause")
        await expect(page.locator("#pause")).to_have_text("Resume")
        assert (await world.api.events("pool.paused"))[-1]["actor"] == "token:the-admin"


async def test_the_login_survives_its_own_choices(world: World, browser: Browser) -> None:
    async with sitting(browser, world.api, role=None) as desk:
        page = desk.page
        await page.locator("#language").focus()
        await page.locator("#language").select_option("pt-BR")
        await expect(page.locator("#language")).to_be_focused()
        await desk.log_in("wrong")
        await expect(page.locator("[role=alert]")).to_have_text("O token não foi aceito.")
        await desk.log_in(world.api.tokens[Role.VIEWER])
        await expect(page.locator("h1")).to_have_text("Visão geral")


async def test_a_service_that_cannot_say_who_one_is(world: World, browser: Browser) -> None:
    async with sitting(browser, world.api) as desk:
        page = desk.page
        down = {"code": "store_unavailable", "detail": "The store redis can't be reached"}
        await page.route("**/api/v1/session", lambda route: route.fulfill(status=503, json=down))
        await page.reload()
        await expect(page.locator(".state.bad")).to_contain_text(down["detail"])
        await expect(page.locator("#login")).to_have_count(0)
        await page.unroute_all()
        await desk.press("Try again")
        await expect(page.locator("h1")).to_have_text("Overview")


async def test_names_from_right_to_left_turn_nothing_else(world: World, browser: Browser) -> None:
    world.sim.create("\u202eloja", state="close")
    async with sitting(browser, world.api) as desk:
        await desk.go("instances?open=%E2%80%AEloja&at=a")
        await desk.press("Assign a proxy")
        content = desk.page.locator("dialog.dialog .content p").first
        await expect(content).to_have_text(re.compile("^\u2068\u202eloja\u2069 gets a proxy"))
