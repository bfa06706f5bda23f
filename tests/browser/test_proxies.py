"""The table of proxies, one of them in its drawer, and many of them at once."""

from __future__ import annotations

import re
from typing import Any

import orjson
import pytest
from playwright.async_api import Browser, Route, expect

from tests.browser.conftest import World
from tests.browser.desk import DESK, MARKS, PHONE, Look, sitting
from tests.web.api import PASSWORD

pytestmark = MARKS

_WORDS = {
    "en-US": {
        "disable": "Disable",
        "enable": "Enable",
        "edit": "Edit",
        "save": "Save",
        "remove": "Remove",
        "reveal": "Reveal password",
        "close": "Close",
    },
    "pt-BR": {
        "disable": "Desativar",
        "enable": "Ativar",
        "edit": "Editar",
        "save": "Salvar",
        "remove": "Remover",
        "reveal": "Revelar senha",
        "close": "Fechar",
    },
}


async def test_finds_sorts_and_turns_pages(world: World, browser: Browser) -> None:
    async with sitting(browser, world.api) as desk:
        page = desk.page
        await desk.go("proxies")
        rows = page.locator("tbody tr")
        await expect(rows).to_have_count(50)
        await expect(page.locator(".pager p")).to_have_text("1–50 of 220")
        first = await rows.first.inner_text()
        await page.get_by_label("Next page").click()
        await expect(page.locator(".pager p")).to_have_text("51–100 of 220")
        await page.get_by_label("Previous page").click()
        await expect(rows.first).to_have_text(re.compile(re.escape(first.split()[0])))
        await page.get_by_role("combobox", name="Status").select_option("quarantined")
        await expect(rows).to_have_count(6)
        assert page.url.endswith("#/proxies?status=quarantined")
        await page.reload()
        await expect(rows).to_have_count(6)
        await desk.press("Clear filters")
        await expect(rows).to_have_count(50)
        await page.get_by_role("searchbox").fill("192.0.2.17:8080")
        await expect(rows).to_have_count(2)
        await page.get_by_role("searchbox").fill("")
        await expect(rows).to_have_count(50)
        await page.get_by_role("button", name="Address").click()
        await expect(page.locator("th[aria-sort=ascending]")).to_have_count(1)
        await expect(rows.first).to_contain_text("192.0.2.1:8080")
        await page.locator(".picker summary").click()
        await page.get_by_role("checkbox", name="Phase").check()
        await page.locator(".menu span", has_text="Labels").click()
        await page.reload()
        await expect(page.get_by_role("columnheader", name="Labels")).to_be_visible()


@pytest.mark.parametrize("look", [DESK, PHONE], ids=lambda look: look.name)
async def test_acts_on_one(world: World, browser: Browser, look: Look) -> None:
    api, proxy_id, words = world.api, world.ids[-1], _WORDS[look.locale]
    async with sitting(browser, api, look) as desk:
        page = desk.page
        await desk.go("proxies")
        await expect(page.locator("tbody tr")).to_have_count(50)
        await desk.picture("proxies")
        await desk.go(f"proxies?open={proxy_id}")
        drawer = page.locator("dialog.drawer")
        await expect(drawer.locator("h2")).to_have_text("192.0.2.40:8080")
        await expect(drawer.locator(".events li").first).to_be_visible()
        await desk.picture("proxy")

        await desk.press(words["disable"])
        await desk.press(words["disable"])
        await expect(drawer.get_by_role("button", name=words["enable"])).to_be_visible()
        assert not (await api.get(f"/proxies/{proxy_id}"))["isActive"]
        await desk.press(words["enable"])
        await desk.press(words["enable"])
        await expect(drawer.get_by_role("button", name=words["disable"], exact=True)).to_be_visible()

        await desk.press(words["edit"])
        await page.locator("dialog [name=group]").fill("br-novo")
        await page.locator("dialog [name=labels]").fill("um, dois")
        await desk.press(words["save"])
        await expect(drawer).to_contain_text("br-novo")
        assert (await api.get(f"/proxies/{proxy_id}"))["labels"] == ["um", "dois"]

        await desk.press(words["reveal"])
        assert PASSWORD not in await page.content()
        await desk.press(words["reveal"])
        await expect(page.locator("code.secret")).to_have_text(PASSWORD)
        await page.locator("dialog").last.locator(".actions button").click()
        await expect(page.locator("code.secret")).to_have_count(0)
        assert PASSWORD not in await page.content()

        await desk.press(words["remove"])
        await desk.press(words["remove"])
        await desk.closed()
        assert (await api.call("GET", f"/proxies/{proxy_id}")).status == 404


async def test_tells_kindly_that_somebody_was_quicker(world: World, browser: Browser) -> None:
    api, proxy_id = world.api, world.ids[-1]
    async with sitting(browser, api) as desk:
        await desk.go(f"proxies?open={proxy_id}")
        await desk.press("Edit")
        await desk.page.locator("dialog [name=group]").fill("mine")
        await api.call("PATCH", f"/proxies/{proxy_id}", {"group": "theirs"})
        await desk.press("Save")
        await expect(desk.page.locator("dialog").last).to_contain_text("Somebody else has changed this proxy")
        assert (await api.get(f"/proxies/{proxy_id}"))["group"] == "theirs"
        await desk.page.keyboard.press("Escape")
        await expect(desk.page.locator("dialog.drawer")).to_contain_text("theirs")


async def test_moves_the_holder_at_once(world: World, browser: Browser) -> None:
    api = world.api
    held = (await api.get("/instances/loja-3"))["proxyId"]
    async with sitting(browser, api) as desk:
        await desk.go(f"proxies?open={held}")
        await expect(desk.page.locator("dialog.drawer")).to_contain_text("loja-3")
        await desk.press("Disable")
        await desk.page.get_by_label("Move it now").check()
        await desk.press("Disable")
        await expect(desk.page.locator("dialog")).to_have_count(1)
        assert (await api.get("/instances/loja-3"))["proxyId"] != held


async def test_counts_before_it_acts_on_many(world: World, browser: Browser) -> None:
    async with sitting(browser, world.api) as desk:
        page = desk.page
        await desk.go("proxies?status=free&group=br-vivo")
        await expect(page.locator("tbody tr")).not_to_have_count(0)
        await page.get_by_label("Select the page").check()
        await desk.press("Select all that match")
        await desk.picture("bulk")
        free = await world.api.get("/proxies?status=free&group=br-vivo")
        await page.locator("#bulk").select_option("setGroup")
        await page.locator("dialog [name=group]").fill("br-lote")
        await page.locator("dialog [name=group]").blur()
        await expect(page.locator("dialog .counted strong")).to_have_text(str(len(free["items"])))
        assert (await world.api.get("/proxies?group=br-lote"))["items"] == []
        await desk.press("Set group")
        await expect(page.locator("dialog .content[role=status]")).to_contain_text("Done.")
        await page.locator("dialog .actions .primary").click()
        moved = await world.api.get("/proxies?group=br-lote")
        assert [one["id"] for one in moved["items"]] == [one["id"] for one in free["items"]]
        await expect(page.locator(".state")).to_contain_text("Nothing matches the filters.")

        await desk.go("proxies?status=disabled")
        await expect(page.locator("tbody tr")).to_have_count(6)
        await page.get_by_role("checkbox", name=world.ids[7]).check()
        await expect(page.locator(".bulk p")).to_have_text("1 selected")
        await page.locator("#bulk").select_option("remove")
        await desk.press("Remove")
        await expect(page.locator("dialog .content[role=status]")).to_contain_text("Done.")
        await expect(page.locator("tbody tr")).to_have_count(5)


async def test_all_that_match_are_no_longer_all_once_one_is_taken_out(world: World, browser: Browser) -> None:
    async with sitting(browser, world.api) as desk:
        page = desk.page
        await desk.go("proxies?group=br-vivo")
        await expect(page.locator("tbody tr")).to_have_count(40)
        await page.get_by_label("Select the page").check()
        await desk.press("Select all that match")
        await page.get_by_role("checkbox", name=world.ids[0]).uncheck()
        await expect(page.locator(".bulk p")).to_have_text("39 selected")
        await page.locator("#bulk").select_option("removeLabels")
        await expect(page.locator("dialog .counted")).to_contain_text("39")


async def test_a_page_that_has_become_empty_gives_way(world: World, browser: Browser) -> None:
    async with sitting(browser, world.api) as desk:
        page = desk.page
        await world.api.add(51, username="last", group="small")
        await desk.go("proxies?group=small")
        await page.get_by_label("Next page").click()
        await expect(page.locator("tbody tr")).to_have_count(1)
        await page.locator("tbody [type=checkbox]").check()
        await page.locator("#bulk").select_option("remove")
        await desk.press("Remove")
        await expect(page.locator("dialog .content[role=status]")).to_contain_text("Done.")
        await expect(page.locator(".pager p")).to_contain_text("1–50")
        await expect(page.locator("tbody tr")).to_have_count(50)


async def test_back_and_the_focus_lead_where_one_expects(world: World, browser: Browser) -> None:
    async with sitting(browser, world.api) as desk:
        page = desk.page
        await page.locator("nav a", has_text="Proxies").click()
        await page.locator("tbody a.open").first.click()
        drawer = page.locator("dialog.drawer")
        await expect(drawer.locator(".facts").first).to_be_visible()
        await drawer.click(position={"x": 300, "y": 890})  # inside, below all that is there
        await expect(drawer).to_be_visible()
        await page.keyboard.press("Escape")
        await desk.closed()
        await expect(page).to_have_url(re.compile("#/proxies$"))
        await page.go_back()
        await expect(page.locator("h1")).to_have_text("Overview")
        await page.go_forward()
        await page.locator("tbody a.open").first.click()
        await expect(drawer).to_be_visible()
        await page.go_back()
        await desk.closed()

        await page.get_by_role("combobox", name="Status").select_option("quarantined")
        await desk.press("Clear filters")
        await expect(page.get_by_role("searchbox")).to_be_focused()
        await page.locator(".picker summary").click()
        await expect(page.locator(".menu")).to_be_visible()
        await page.keyboard.press("Escape")
        await expect(page.locator(".menu")).to_be_hidden()
        await page.locator(".picker summary").click()
        await page.keyboard.press("Tab")
        await expect(page.locator(".menu input").first).to_be_focused()
        await page.keyboard.press("Shift+Tab")
        await page.keyboard.press("Shift+Tab")
        await expect(page.get_by_role("combobox", name="Server")).to_be_focused()
        await expect(page.locator(".menu")).to_be_hidden()


async def test_shows_how_far_a_long_job_is(world: World, browser: Browser) -> None:
    """The job's part is played here, so that it takes the time to be seen and to be stopped."""
    job: dict[str, Any] = {"jobId": "j", "state": "running", "total": 168, "done": 42, "changed": 40, "skipped": {}}
    job |= {"failed": [], "failedCount": 0, "endedAt": None}

    async def bulk(route: Route) -> None:
        dry = (
            orjson.loads(route.request.post_data or "")["dryRun"]
            if "dryRun" in (route.request.post_data or "")
            else False
        )
        counted = {"matched": 168, "willChange": 160, "skipped": {"unchanged": 8}, "more": False}
        await route.fulfill(status=200 if dry else 202, json=counted if dry else job)

    async def follow(route: Route) -> None:
        if route.request.method == "DELETE":
            job.update(state="cancelled", endedAt="2026-01-31T12:00:00.000Z")
            await route.fulfill(status=204)
        else:
            await route.fulfill(json=job)

    async with sitting(browser, world.api) as desk:
        page = desk.page
        await page.route("**/api/v1/proxies/bulk", bulk)
        await page.route("**/api/v1/jobs/j", follow)
        await desk.go("proxies")
        await page.get_by_label("Select the page").check()
        await page.locator("#bulk").select_option("disable")
        await expect(page.locator("dialog .counted")).to_contain_text("8 are so already")
        await desk.press("Disable")
        await expect(page.locator("dialog .progress")).to_contain_text("Under way: 42 25.0%")
        await desk.picture("job")
        await desk.press("Stop")
        await expect(page.locator("dialog .content[role=status]")).to_contain_text("Stopped.")
