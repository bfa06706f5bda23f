"""Settings: tokens, sessions, servers, pause, language and theme."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Browser, Route, expect

from service.pool.tokens import Role
from tests.browser.conftest import World
from tests.browser.desk import DESK, MARKS, PHONE, Look, sitting

pytestmark = MARKS


@pytest.mark.parametrize("look", [DESK, PHONE], ids=lambda look: look.name)
async def test_makes_and_revokes_a_token(world: World, browser: Browser, look: Look) -> None:
    create, revoke = {"en-US": ("Create a token", "Revoke"), "pt-BR": ("Criar token", "Revogar")}[look.locale]
    async with sitting(browser, world.api, look) as desk:
        page = desk.page
        await desk.go("settings")
        await page.locator("#new-token").click()
        await page.locator("dialog [name=name]").fill("relatorios")
        await page.locator("dialog [name=role]").select_option("viewer")
        await desk.press(create)
        token = await page.locator("code.secret").inner_text()
        await page.locator("dialog .actions .primary").click()
        await expect(page.locator("code.secret")).to_have_count(0)
        found = await world.api.pool.token_of(token)
        assert found is not None
        assert found.role is Role.VIEWER
        await desk.picture("settings")
        await page.get_by_role("button", name=f"{revoke} relatorios").click()
        await desk.press(revoke)
        await expect(page.get_by_role("button", name=f"{revoke} relatorios")).to_have_count(0)
        assert await world.api.pool.token_of(token) is None


async def test_ends_another_session(world: World, browser: Browser) -> None:
    async with sitting(browser, world.api, role=Role.ADMIN) as other, sitting(browser, world.api) as desk:
        await desk.go("settings")
        row = desk.page.locator("tr", has_text="token:the-admin").filter(has_text="127.0.0.1")
        mine = desk.page.locator("tr", has_text="token:superadmin").filter(has_text="this one")
        await expect(mine).to_have_count(1)
        await expect(mine.get_by_role("button", name="End")).to_have_count(0)
        await row.get_by_role("button", name="End").click()
        await desk.press("End")
        await expect(row).to_have_count(0)
        await other.go("proxies")
        await expect(other.page.locator("#login")).to_be_visible()


async def test_pauses_and_says_so(world: World, browser: Browser) -> None:
    async with sitting(browser, world.api, role=Role.ADMIN) as desk:
        await desk.go("settings")
        await desk.page.locator("#pause").click()
        await desk.press("Pause")
        await expect(desk.page.locator("#pause")).to_have_text("Resume")
        assert (await world.api.get("/stats"))["paused"]


async def test_stops_a_job(world: World, browser: Browser) -> None:
    """The list's part is played here, so that the job is there for as long as it takes to stop it."""
    job: dict[str, Any] = {"id": "j", "target": "instances", "action": "rotate", "actor": "token:ops"}
    job |= {"state": "running", "total": 168, "done": 42, "changed": 40, "skipped": {}, "failed": [], "failedCount": 2}
    job |= {"createdAt": "2026-01-31T12:00:00.000Z", "startedAt": "2026-01-31T12:00:00.000Z", "endedAt": None}

    async def jobs(route: Route) -> None:
        await route.fulfill(json={"items": [job], "nextCursor": None, "total": 1})

    async def stop(route: Route) -> None:
        assert route.request.method == "DELETE"
        job.update(state="cancelled", endedAt="2026-01-31T12:00:09.000Z")
        await route.fulfill(status=204)

    async with sitting(browser, world.api, role=Role.ADMIN) as desk:
        await desk.page.route("**/api/v1/jobs", jobs)
        await desk.page.route("**/api/v1/jobs/j", stop)
        await desk.go("settings")
        row = desk.page.get_by_role("table", name="Jobs").locator("tbody tr")
        await expect(row).to_contain_text("Rotate · Instances")
        await expect(row).to_contain_text("42 of 168")
        job["done"] = 84
        await expect(row).to_contain_text("84 of 168")
        await row.get_by_role("button", name="Stop").click()
        await desk.press("Stop")
        await expect(row).to_contain_text("stopped")
        await expect(row.get_by_role("button", name="Stop")).to_have_count(0)


async def test_remembers_language_and_theme(world: World, browser: Browser) -> None:
    async with sitting(browser, world.api) as desk:
        page = desk.page
        await desk.go("settings")
        await page.locator("#language").select_option("pt-BR")
        await expect(page.locator("h1")).to_have_text("Ajustes")
        await expect(page.locator("html")).to_have_attribute("lang", "pt-BR")
        await page.locator("#theme").select_option("dark")
        await expect(page.locator("body")).to_have_css("background-color", "rgb(15, 20, 18)")
        await page.reload()
        await expect(page.locator("h1")).to_have_text("Ajustes")
        await expect(page.locator("body")).to_have_css("background-color", "rgb(15, 20, 18)")


async def test_a_role_is_offered_only_what_it_may_do(world: World, browser: Browser) -> None:
    held = (await world.api.get("/instances/loja-1"))["proxyId"]
    buttons = "main button:not(.icon-button, .sort, .plain, .segments button), dialog .actions button"
    async with sitting(browser, world.api, role=Role.VIEWER) as desk:
        await expect(desk.page.locator("nav a")).to_have_text(["Overview", "Proxies", "Instances", "Settings"])
        for place in ("", f"proxies?open={held}", "instances?open=loja-1&at=a", "drift", "settings"):
            await desk.go(place)
            await expect(desk.page.locator("h1")).to_be_visible()
            if "open" in place:
                await expect(desk.page.locator("dialog .facts").first).to_be_visible()
            assert await desk.page.locator(buttons).count() == 0, place
            if "open" in place:
                await expect(desk.page.locator("dialog")).to_contain_text("Your role only reads.")
            await desk.page.keyboard.press("Escape")
        forbidden = tuple(f"{desk.origin}api/v1/{name}" for name in ("events", "ledger", "tokens", "sessions"))
        assert not [url for url in desk.asked if url.startswith(forbidden)]
        await desk.go("audit")
        await expect(desk.page.locator(".state.bad")).to_contain_text("Requires the role admin")
    async with sitting(browser, world.api, role=Role.ADMIN) as desk:
        await desk.go(f"proxies?open={held}")
        await expect(desk.page.get_by_role("button", name="Disable")).to_be_visible()
        await expect(desk.page.get_by_role("button", name="Reveal password")).to_have_count(0)
        await desk.go("import")
        await expect(desk.page.locator("#look")).to_be_visible()
        await expect(desk.page.locator("#export")).to_have_count(0)
