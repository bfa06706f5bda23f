"""Bringing proxies in and taking them out."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.async_api import Browser, expect

from tests.browser.conftest import World
from tests.browser.desk import DESK, MARKS, PHONE, Look, sitting
from tests.web.api import PASSWORD

pytestmark = MARKS

_WRITTEN = quote(PASSWORD)
_LINES = f"203.0.113.1:8000:user:{PASSWORD}\nnonsense\n192.0.2.1:99999:user:{PASSWORD}\nsocks4://203.0.113.2:1080\n"


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
        await expect(report.locator("tbody tr")).to_have_count(3)
        await expect(report.locator(".tile .value").first).to_have_text("2")
        await expect(report.locator("tbody tr").nth(1)).to_contain_text("192.0.2.1:99999:•••:•••")
        assert PASSWORD not in await report.inner_html()
        await desk.picture("import")
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
