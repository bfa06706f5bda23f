"""The instances, and giving and taking their proxies by hand."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Browser, expect

from service.evolution.simulator import OFF, Fault
from tests.browser.conftest import World
from tests.browser.desk import DESK, MARKS, PHONE, Look, sitting
from tests.helpers import wait_until

pytestmark = MARKS

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
        await expect(page).to_have_url(re.compile(r"#/instances\?state=close$"))


async def test_a_list_follows_what_happens(world: World, browser: Browser) -> None:
    async with sitting(browser, world.api) as desk:
        page = desk.page
        await desk.go("instances?state=close")
        await expect(page.locator("tbody tr")).to_have_count(3)
        world.sim.create("nova", state="close")
        await expect(page.locator("tbody tr", has_text="nova")).to_be_visible()


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


@pytest.mark.parametrize("look", [DESK, PHONE], ids=lambda look: look.name)
async def test_acts_on_many(world: World, browser: Browser, look: Look) -> None:
    """Those chosen, then all that match: each counted first, and told of among the jobs."""
    api = world.api
    done, every, jobs = {
        "en-US": ("Done.", "Select all that match", "Jobs"),
        "pt-BR": ("Pronto.", "Selecionar todos do filtro", "Tarefas"),
    }[look.locale]
    before = {name: (await api.get(f"/instances/{name}"))["proxyId"] for name in ("loja-1", "loja-2", "loja-3")}
    async with sitting(browser, api, look) as desk:
        page = desk.page
        dialog = page.locator("dialog.dialog")

        async def over() -> None:
            await dialog.locator("form button[type=submit]").click()
            await expect(dialog.locator(".content[role=status]")).to_contain_text(done)
            await dialog.locator(".actions .primary").click()
            await desk.closed()

        await desk.go("instances?q=loja")
        await expect(page.locator("tbody tr")).to_have_count(10)
        for name in ("loja-1", "loja-2"):
            await page.locator("tbody tr", has_text=name).get_by_role("checkbox").check()
        await desk.picture("instances-bulk")
        await page.locator("#bulk").select_option("rotate")
        await dialog.locator("[name=group]").select_option("br-vivo")
        await expect(dialog.locator(".counted strong")).to_have_text("2")
        await desk.picture("instances-job")
        await over()
        after = {name: (await api.get(f"/instances/{name}"))["proxyId"] for name in before}
        assert {name for name in before if after[name] != before[name]} == {"loja-1", "loja-2"}
        vivo = {one["id"] for one in (await api.get("/proxies?group=br-vivo"))["items"]}
        assert {after["loja-1"], after["loja-2"]} <= vivo

        await desk.go("instances?state=close")
        await expect(page.locator("tbody tr")).to_have_count(3)
        await page.locator("tbody [type=checkbox]").first.check()
        await desk.press(every)
        await page.locator("#bulk").select_option("assign")
        await expect(dialog.locator(".counted strong")).to_have_text("3")
        await over()
        closed = (await api.get("/instances?state=close"))["items"]
        assert [one["proxyId"] is not None for one in closed] == [True] * 3
        assert {one["reason"] for one in closed} == {"by_hand"}

        await desk.go("settings")
        told = page.get_by_role("table", name=jobs)
        await expect(told.locator("tbody tr")).to_have_count(2)
        await told.scroll_into_view_if_needed()
        await desk.picture("jobs")


async def test_a_name_on_two_servers_is_never_mistaken(world: World, browser: Browser) -> None:
    """Chosen on one server it is meant there; chosen with another server's, it is told as ambiguous and left alone."""
    world.sim.create("suporte-1", state="close")

    async def both() -> bool:
        return len((await world.api.get("/instances?q=suporte-1"))["items"]) == 2

    await wait_until(both, what="both servers have it")
    async with sitting(browser, world.api) as desk:
        page = desk.page
        counted = page.locator("dialog .counted")
        await desk.go("instances")
        await page.get_by_role("checkbox", name="b/suporte-1").check()
        await page.locator("#bulk").select_option("rotate")
        await expect(counted.locator("strong")).to_have_text("1")
        await page.keyboard.press("Escape")
        await desk.closed()
        await page.get_by_role("checkbox", name="a/loja-1").check()
        await page.locator("#bulk").select_option("rotate")
        await expect(counted.locator("strong")).to_have_text("1")
        await expect(counted).to_contain_text("1 on more than one server")


async def test_shows_and_repairs_drift(world: World, browser: Browser) -> None:
    """A row that was emptied by hand and can't be written is told, and no more once it could be."""
    world.sim.warts.faults.append(Fault("proxy/set", status=400))
    world.sim.set_row_by_hand("loja-1", OFF)
    async with sitting(browser, world.api) as desk:
        page = desk.page
        row = page.locator("tbody tr")
        await page.locator("a.tile", has_text="Drift").click()
        await expect(row).to_contain_text("no proxy set for an instance that holds one")
        await expect(row).to_contain_text("set the proxy again")
        kind = page.get_by_role("combobox", name="What differs")
        await kind.select_option("stuck")
        await expect(page.locator(".state")).to_contain_text("Nothing matches the filters.")
        await kind.select_option("row_missing")
        await expect(row.get_by_role("link", name="loja-1")).to_be_visible()
        await desk.press("Repair")
        await desk.press("Repair")
        told = page.locator("dialog .content[role=status]")
        await expect(told).to_have_text("The repair goes on: set the proxy again")
        await page.keyboard.press("Escape")
        world.sim.warts.faults.clear()

        async def over() -> bool:
            return not (await world.api.get("/drift"))["items"]

        await wait_until(over, what="the row is right again")
        await desk.press("Clear filters")
        await expect(page.locator(".state")).to_contain_text("No drift.")
