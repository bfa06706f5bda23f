"""The page at / in a real browser: it logs in, is live, says when it is not, and asks nobody else."""

from __future__ import annotations

import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, ConsoleMessage, Page, async_playwright, expect
from redis.asyncio import Redis

from service.evolution.simulator import Paces, Simulator
from tests.helpers import require, wait_until
from tests.web.api import PASSWORD, SUPERADMIN, Api
from tests.web.conftest import serving, settings_for

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

SCREENSHOTS = Path(__file__).parent / "screenshots"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    require("chromium", CHROMIUM)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        await browser.close()


@pytest.fixture
async def api(redis: Redis, redis_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    """Two servers with some life."""
    async with (
        Simulator(paces=Paces()) as sim,
        Simulator(paces=Paces(), api_key="the-other-key") as other,
        serving(settings_for(redis_url, tmp_path, sim, other)) as api,
    ):
        await api.read_once()
        await api.add(180)
        ids = await api.add(40, username="vivo", group="br-vivo")
        for proxy_id in ids[:6]:
            await api.pool.quarantine(proxy_id, reason="signs", probation_ms=600_000, actor="auto")
        for proxy_id in ids[6:12]:
            await api.pool.disable(proxy_id, reason="by_hand", actor="cli:test")
        for number in range(37):
            sim.create(f"loja-{number}", state="open")
        for number in range(9):
            other.create(f"suporte-{number}", state="open" if number % 3 else "close")
        await wait_until(lambda: _used(api, 43), deadline=20, what="all open instances have a proxy")
        yield api


async def _used(api: Api, wanted: int) -> bool:
    stats = await api.get("/stats")
    return bool(stats["used"] == wanted and stats["unprotected"] == 0)


@pytest.mark.parametrize(
    ("width", "height", "scheme", "locale", "live"),
    [
        (1440, 900, "light", "pt-BR", "ao vivo"),
        (1440, 900, "dark", "en-US", "live"),
        (390, 844, "light", "en-GB", "live"),
        (390, 844, "dark", "pt-BR", "ao vivo"),
    ],
)
async def test_logs_in_and_is_live(
    api: Api, browser: Browser, width: int, height: int, scheme: str, locale: str, live: str
) -> None:
    context = await browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if scheme == "dark" else "light",
        locale=locale,
    )
    page = await context.new_page()
    asked, said = _watched(page)
    await page.goto(str(api.client.make_url("/")))
    await expect(page.locator("#login")).to_be_visible()
    await _picture(page, f"login-{width}-{scheme}")
    await _log_in(page, SUPERADMIN)
    await expect(page.locator("#link")).to_have_text(live)
    await expect(page.locator(".hero .value").nth(2)).to_have_text("43")
    assert not await page.evaluate("document.documentElement.scrollWidth > innerWidth"), "it scrolls sideways"
    await _picture(page, f"page-{width}-{scheme}")

    await api.add(181)
    await expect(page.locator("#statuses dd").nth(1)).to_have_text(re.compile("166"))
    await api.call("POST", "/pause")
    await api.controller.polls["b"].stop()  # its list is whole: a tick would let go of the brake
    await api.pool.brake("b", "release", engaged=True, reason="missing 12 of 40")
    await expect(page.locator("#notices li")).to_have_count(2)
    await _picture(page, f"notices-{width}-{scheme}")

    origin = str(api.client.make_url("/"))
    assert asked
    assert all(url.startswith(origin) for url in asked), asked
    assert said == []
    assert PASSWORD not in await page.content()
    assert await page.evaluate("sessionStorage.getItem('evoproxy.token')") == SUPERADMIN
    await page.reload()
    await expect(page.locator("#link")).to_have_text(live)
    await page.locator("#leave").click()
    await expect(page.locator("#login")).to_be_visible()
    assert await page.evaluate("sessionStorage.length + localStorage.length") == 0
    await context.close()


async def test_a_wrong_token_is_told(api: Api, browser: Browser) -> None:
    page = await browser.new_page(locale="en-US")
    await page.goto(str(api.client.make_url("/")))
    await _log_in(page, "wrong")
    await expect(page.locator("#refusal")).to_have_text("The token was refused.")
    assert await page.evaluate("sessionStorage.length") == 0
    await page.close()


async def test_it_says_when_the_service_is_gone(api: Api, browser: Browser) -> None:
    page = await browser.new_page(locale="pt-BR", viewport={"width": 1440, "height": 900})
    await page.goto(str(api.client.make_url("/")))
    await _log_in(page, SUPERADMIN)
    await expect(page.locator("#link")).to_have_text("ao vivo")
    await api.client.server.close()
    await expect(page.locator("#link")).to_have_text("dados desatualizados")
    await _picture(page, "stale-1440-light")
    await page.close()


async def test_markup_in_names_stays_text(api: Api, browser: Browser) -> None:
    await api.add(1, username="x", group="<img src=x onerror=alert(1)>")
    page = await browser.new_page(locale="en-US")
    await page.goto(str(api.client.make_url("/")))
    await _log_in(page, SUPERADMIN)
    await expect(page.locator("#groups")).to_contain_text("<img src=x onerror=alert(1)>")
    assert await page.locator("#groups img").count() == 0
    await page.close()


def _watched(page: Page) -> tuple[list[str], list[str]]:
    """What the page asks for, and what it complains of."""
    asked: list[str] = []
    said: list[str] = []

    def heard(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            said.append(message.text)

    page.on("request", lambda request: asked.append(request.url))
    page.on("console", heard)
    page.on("pageerror", lambda error: said.append(str(error)))
    return asked, said


async def _log_in(page: Page, token: str) -> None:
    await page.locator("#token").fill(token)
    await page.locator("#login button").click()


async def _picture(page: Page, name: str) -> None:
    SCREENSHOTS.mkdir(exist_ok=True)
    await page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)
