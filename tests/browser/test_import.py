"""Bringing proxies in and taking them out."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import pytest
from playwright.async_api import Browser, expect

from tests.browser.conftest import World
from tests.browser.desk import DESK, MARKS, PHONE, Look, sitting
from tests.web.api import PASSWORD

pytestmark = MARKS

_WRITTEN = quote(PASSWORD)
_LINES = (
    f"203.0.113.1:8000:user:{PASSWORD}\nnonsense\n192.0.2.1:99999:user:{PASSWORD}\nsocks4://203.0.113.2:1080\n"
    f"203.0.113.1:8000:user:{PASSWORD}\n203.0.113.1:8000:user:{PASSWORD}.\n"
)


class _Told(NamedTuple):
    """What the page says: of each line a verdict, the proxy and a remark, and the lines behind each chip."""

    rows: list[tuple[str, str, str]]
    chips: dict[str, int]


_TOLD = {
    "en-US": _Told(
        [
            ("new", "http://203.0.113.1:8000", ""),
            ("refused", "•••", "no known order"),
            ("refused", "192.0.2.1:99999:•••:•••", "the port is not"),
            ("new", "socks4://203.0.113.2:1080", "can use http and socks5 only"),
            ("duplicate", "http://203.0.113.1:8000", ""),
            ("changed", "http://203.0.113.1:8000", "changes: password"),
        ],
        {"New 2": 2, "Changed 1": 1, "Duplicates 1": 1, "Refused 2": 2, "Warnings 1": 1, "All": 6},
    ),
    "pt-BR": _Told(
        [
            ("nova", "http://203.0.113.1:8000", ""),
            ("recusada", "•••", "nenhuma ordem conhecida"),
            ("recusada", "192.0.2.1:99999:•••:•••", "a porta não é"),
            ("nova", "socks4://203.0.113.2:1080", "só usa http e socks5"),
            ("repetida", "http://203.0.113.1:8000", ""),
            ("alterada", "http://203.0.113.1:8000", "altera: senha"),
        ],
        {"Novas 2": 2, "Alteradas 1": 1, "Repetidas 1": 1, "Recusadas 2": 2, "Avisos 1": 1, "Todas": 6},
    ),
}


@pytest.mark.parametrize("look", [DESK, PHONE], ids=lambda look: look.name)
async def test_looks_line_by_line_then_imports(world: World, browser: Browser, look: Look) -> None:
    async with sitting(browser, world.api, look) as desk:
        page = desk.page
        await desk.go("import")
        await expect(page.locator("#look")).to_be_disabled()
        await page.locator("#lines").fill(_LINES)
        await expect(page.locator("#import")).to_be_disabled()
        await page.locator("#look").click()
        report = page.locator(".report")
        rows = report.locator("tbody tr")
        await expect(rows).to_have_count(6)
        await expect(report.locator(".tile .value").first).to_have_text("2")
        told = _TOLD[look.locale]
        for number, (verdict, content, why) in enumerate(told.rows):
            await expect(rows.nth(number).locator(".badge")).to_have_text(verdict)
            await expect(rows.nth(number)).to_contain_text(content)
            await expect(rows.nth(number)).to_contain_text(why)
        assert PASSWORD not in await report.inner_html()
        await desk.picture("import")
        for chip, count in told.chips.items():
            button = report.get_by_role("button", name=chip)
            await button.click()
            await expect(button).to_have_attribute("aria-pressed", "true")
            await expect(rows).to_have_count(count)
        assert (await world.api.get("/stats"))["total"] == 220
        await page.locator("#import").click()
        await expect(report.locator(".notice")).to_contain_text(
            {"en-US": "Imported.", "pt-BR": "Importado."}[look.locale]
        )
        assert (await world.api.get("/stats"))["total"] == 222


async def test_a_sync_asks_first(world: World, browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "vendor.txt"
    file.write_text(_LINES.splitlines()[0] + "\n")
    async with sitting(browser, world.api) as desk:
        page = desk.page
        await desk.go("import")
        await page.locator("#file").set_input_files(file)
        await expect(page.locator(".file")).to_contain_text("vendor.txt")
        await page.locator("#mode").select_option("sync")
        await expect(page.locator(".notice.warn")).to_contain_text("A sync disables")
        await page.locator("#look").click()
        await expect(page.locator(".report")).to_be_visible()
        await page.locator("#import").click()
        await expect(page.locator("dialog")).to_contain_text("214 proxies")
        await page.keyboard.press("Escape")
        assert (await world.api.get("/stats"))["disabled"] == 6
        await page.locator("#import").click()
        await desk.press("Import")
        await expect(page.locator(".report .notice")).to_contain_text("Imported.")
        assert (await world.api.get("/stats"))["total"] == 221


async def test_an_import_that_breaks_off_says_so_and_is_done_again(world: World, browser: Browser) -> None:
    async with sitting(browser, world.api) as desk:
        page = desk.page
        await desk.go("import")
        await page.locator("#lines").fill(_LINES)
        await page.locator("#look").click()
        await expect(page.locator("#import")).to_be_enabled()
        await page.route("**/proxies/import**", lambda route: route.abort("connectionreset"))
        await page.locator("#import").click()
        await expect(page.locator(".refusal:not(:empty)")).to_contain_text("can't be reached")
        await expect(page.get_by_text("What had arrived stays imported.")).to_be_visible()
        await page.unroute("**/proxies/import**")
        await page.locator("#import").click()
        await expect(page.locator(".report .notice")).to_contain_text("Imported.")
        await expect(page.locator(".refusal:not(:empty)")).to_have_count(0)


async def test_exports_passwords_only_after_a_warning(world: World, browser: Browser) -> None:
    async with sitting(browser, world.api) as desk:
        page = desk.page
        await desk.go("import")
        async with page.expect_download() as plain:
            await page.locator("#export").click()
        path = await (await plain.value).path()
        assert _WRITTEN not in path.read_text()
        await page.get_by_label("With the passwords").check()
        await page.locator("#export").click()
        await expect(page.locator("dialog")).to_contain_text("Keep it like a password.")
        async with page.expect_download() as secret:
            await desk.press("Export")
        path = await (await secret.value).path()
        assert path.read_text().count(_WRITTEN) == 220
        assert await world.api.events("export.made")


async def test_a_refused_export_is_told_on_the_page(world: World, browser: Browser) -> None:
    """Also one that breaks off: no part of a pool is kept as if it were the whole."""
    async with sitting(browser, world.api, PHONE) as desk:
        page = desk.page
        await desk.go("import")
        told = page.locator(".refusal:not(:empty)")
        down = {"status": 503, "code": "redis_unavailable", "detail": "O Redis não responde.", "requestId": "r-503"}
        await page.route("**/api/v1/export?**", lambda route: route.fulfill(status=503, json=down))
        await page.locator("#export").click()
        await expect(told).to_contain_text("O Redis não responde.")
        await expect(told).to_contain_text("r-503")
        await page.unroute_all()
        await page.route("**/api/v1/export?**", lambda route: route.abort("connectionreset"))
        await page.locator("#export").click()
        await expect(told).to_contain_text("O serviço não responde.")
        await page.unroute_all()
        async with page.expect_download() as plain:
            await page.locator("#export").click()
        assert (await plain.value).suggested_filename.endswith(".txt")
        await expect(told).to_have_count(0)
        [session] = await world.api.pool.sessions()
        await world.api.pool.end_session(session, reason="ended", actor="cli:test")
        await page.locator("#export").click()
        await expect(page.locator("#login")).to_be_visible()
