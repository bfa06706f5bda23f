"""The instances, and giving and taking their proxies by hand."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, expect

from tests.browser.conftest import World
from tests.browser.desk import DESK, PHONE, Look, sitting

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

_WORDS = {
    "en-US": ("Assign a proxy", "Rotate", "Release", "Close"),
    "pt-BR": ("Atribuir proxy", "Trocar proxy", "Liberar proxy", "Fechar"),
}


@pytest.mark.parametrize("look", [DESK, PHONE], ids=lambda look: look.name)
async def test_assigns_rotates_and_releases(world: World, browser: Browser, look: Look) -> None:
    api, pinned = world.api, world.ids[20]
    assign, rotate, release, close = _WORDS[look.locale]

    async def result() -> None:
        """What was done is told in the dialog's place; then it is closed."""
        last = page.locator("dialog.dialog")
        await expect(last.locator(".actions .primary")).to_have_text(close)
        await last.locator(".actions .primary").click()
        await expect(last).to_have_count(0)

    async with sitting(browser, api, look) as desk:
        page = desk.page
        await desk.go("instances?state=close")
        await expect(page.locator("tbody tr")).to_have_count(3)
        await desk.picture("instances")
        await page.get_by_role("link", name="suporte-0").click()
        drawer = page.locator("dialog.drawer")
        await desk.press(assign)
        await page.locator("dialog [name=proxyId]").fill(pinned)
        await desk.press(assign)
        await result()
        assert (await api.get("/instances/suporte-0"))["proxyId"] == pinned
        await expect(drawer.locator(".tenancies li")).to_have_count(1)

        await desk.press(rotate)
        await desk.press(rotate)
        await result()
        assert (await api.get("/instances/suporte-0"))["proxyId"] != pinned
        await expect(drawer.locator(".tenancies li")).to_have_count(2)
        await desk.picture("instance")

        await desk.press(release)
        await page.locator("dialog [name=force]").check()
        await desk.press(release)
        await result()
        await expect(drawer.get_by_role("button", name=assign)).to_be_visible()
        assert (await api.get("/instances/suporte-0"))["proxyId"] is None
        await page.keyboard.press("Escape")
        await desk.closed()
        assert page.url.endswith("#/instances?state=close")


async def test_a_refusal_stands_beside_its_button(world: World, browser: Browser) -> None:
    held = (await world.api.get("/instances/loja-1"))["proxyId"]
    async with sitting(browser, world.api) as desk:
        await desk.go("instances?open=suporte-2&at=b")
        await desk.press("Assign a proxy")
        await desk.page.locator("dialog [name=proxyId]").fill(held)
        await desk.press("Assign a proxy")
        await expect(desk.page.locator("dialog .refusal")).to_contain_text("Another instance uses the proxy")
        await desk.page.locator("dialog [name=proxyId]").fill("")
        await desk.press("Assign a proxy")
        await expect(desk.page.locator("dialog.dialog")).to_contain_text("A proxy is assigned.")


async def test_shows_and_repairs_drift(world: World, browser: Browser) -> None:
    await world.api.controller.polls["a"].stop()
    world.api.controller.polls["a"].start()
    async with sitting(browser, world.api) as desk:
        await desk.page.route(
            "**/api/v1/drift?**",
            lambda route: route.fulfill(
                json={
                    "items": [
                        {
                            "id": "d1",
                            "kind": "stuck",
                            "description": "stuck here",
                            "server": "a",
                            "instanceName": "loja-1",
                            "plan": "do it",
                            "since": None,
                            "remedy": "force",
                        }
                    ],
                    "nextCursor": None,
                    "total": 1,
                    "asOf": None,
                }
            ),
        )
        await desk.go("drift")
        await expect(desk.page.locator("tbody")).to_contain_text("stuck here")
        await desk.press("Repair")
        await desk.press("Repair")
        await expect(desk.page.locator("dialog .refusal")).to_contain_text("There is no drift of this id")
