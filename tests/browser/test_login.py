"""Who gets in, what the browser keeps of it, and how it ends."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, expect

from service.pool.tokens import Role
from tests.browser.conftest import World
from tests.browser.desk import DESK, LOOKS, MARKS, Look, sitting

pytestmark = MARKS


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: look.name)
async def test_logs_in_and_out(world: World, browser: Browser, look: Look) -> None:
    words = {"en-US": ("live", "Leave"), "pt-BR": ("ao vivo", "Sair")}[look.locale]
    async with sitting(browser, world.api, look, role=None) as desk:
        page = desk.page
        await desk.picture("login")
        await desk.log_in("wrong")
        await expect(page.locator("[role=alert]")).to_have_text(
            {"en-US": "The token was refused.", "pt-BR": "O token não foi aceito."}[look.locale]
        )
        await desk.log_in(world.api.tokens[Role.SUPERADMIN])
        await expect(page.locator("#link")).to_have_text(words[0])
        await expect(page.locator(".usage .hero")).to_be_visible()
        await desk.picture("overview")
        kept = await page.evaluate("JSON.stringify([localStorage, sessionStorage, document.cookie])")
        assert world.api.tokens[Role.SUPERADMIN] not in kept + await page.content()
        await page.reload()
        await expect(page.locator("#link")).to_have_text(words[0])
        await desk.press(words[1])
        await expect(page.locator("#login")).to_be_visible()
        await page.reload()
        await expect(page.locator("#login")).to_be_visible()


async def test_a_session_that_ends_takes_the_page_along(world: World, browser: Browser) -> None:
    async with sitting(browser, world.api, DESK, role=Role.VIEWER) as desk:
        await desk.go("proxies")
        await expect(desk.page.locator("tbody tr")).to_have_count(50)
        await world.api.pool.revoke_token("the-viewer", actor="cli:test")
        await desk.go("instances")
        await expect(desk.page.locator("#login")).to_contain_text("The session is over.")
        await expect(desk.page.locator("tbody")).to_have_count(0)


async def test_says_when_the_service_is_gone(world: World, browser: Browser) -> None:
    async with sitting(browser, world.api, Look(1440, "light", "pt-BR")) as desk:
        await expect(desk.page.locator(".usage .hero")).to_be_visible()
        await world.api.client.server.close()
        await expect(desk.page.locator("#link")).to_contain_text("dados desatualizados · há")
        await expect(desk.page.locator(".usage .hero")).to_have_css("opacity", "0.55")
        await desk.picture("stale")
