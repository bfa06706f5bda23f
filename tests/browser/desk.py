"""A reader at the dashboard: logs in, looks, and notes what the page asks for and complains of."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.async_api import Browser, ConsoleMessage, Page, expect

from service.pool.tokens import Role
from tests.web.api import Api

# The browser lives in the session's loop, so its readers do too.
MARKS = [pytest.mark.browser, pytest.mark.timeout(300), pytest.mark.asyncio(loop_scope="session")]
SCREENSHOTS = Path(__file__).parent / "screenshots"


@dataclass(frozen=True, slots=True)
class Look:
    """How the page is looked at. ``name`` tells its pictures from others."""

    width: int
    scheme: str
    locale: str

    @property
    def name(self) -> str:
        return f"{self.width}-{self.scheme}-{self.locale}"

    @property
    def height(self) -> int:
        return 844 if self.width < 600 else 900


DESK = Look(1440, "light", "en-US")
PHONE = Look(390, "dark", "pt-BR")
LOOKS = [DESK, Look(1440, "dark", "pt-BR"), Look(390, "light", "en-US"), PHONE]


@dataclass
class Desk:
    """``said``: what the page complained of, but for the refusals that the browser notes on its own."""

    page: Page
    api: Api
    look: Look
    origin: str
    asked: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def watch(self) -> None:
        def heard(message: ConsoleMessage) -> None:
            if message.type in ("error", "warning") and not message.text.startswith("Failed to load resource"):
                self.said.append(message.text)

        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("console", heard)
        self.page.on("pageerror", lambda error: self.said.append(str(error)))

    async def go(self, place: str = "") -> None:
        await self.page.goto(f"{self.origin}#/{place}")

    async def log_in(self, token: str) -> None:
        await self.page.locator("#token").fill(token)
        await self.page.locator("#login button").click()

    async def picture(self, name: str) -> None:
        """Fails when the page scrolls sideways."""
        wide = "(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth)(document.documentElement)"
        assert not await self.page.evaluate(wide), f"{name} is too wide"
        SCREENSHOTS.mkdir(exist_ok=True)
        await self.page.screenshot(path=SCREENSHOTS / f"{name}-{self.look.name}.png")

    async def press(self, text: str) -> None:
        """The button of exactly this text in the foremost dialog, else on the page."""
        dialogs = self.page.locator("dialog")
        within = dialogs.last if await dialogs.count() else self.page
        await within.get_by_role("button", name=text, exact=True).click()

    async def closed(self) -> None:
        await expect(self.page.locator("dialog")).to_have_count(0)


@asynccontextmanager
async def sitting(
    browser: Browser, api: Api, look: Look = DESK, role: Role | None = Role.SUPERADMIN
) -> AsyncIterator[Desk]:
    """Somebody of ``role`` on the overview, or before the login; on leaving the page has complained of nothing."""
    context = await browser.new_context(
        viewport={"width": look.width, "height": look.height},
        color_scheme="dark" if look.scheme == "dark" else "light",
        locale=look.locale,
    )
    context.set_default_timeout(30_000)
    origin = str(api.client.make_url("/"))
    if role is not None:  # with the session's cookie; test_login.py tells of the form
        answer = await context.request.post(f"{origin}api/v1/session", data={"token": api.tokens[role]})
        assert answer.ok
    desk = Desk(await context.new_page(), api, look, origin)
    desk.watch()
    await desk.go()
    if role is None:
        await expect(desk.page.locator("#login")).to_be_visible()
    else:
        await expect(desk.page.locator("#link")).to_have_attribute("data-state", "live")
        await expect(desk.page.locator(".overview")).to_be_visible()
    yield desk
    await context.close()
    assert desk.said == []
    assert desk.asked
    strangers = [url for url in desk.asked if not url.startswith((desk.origin, f"blob:{desk.origin}"))]
    assert not strangers
