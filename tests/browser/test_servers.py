"""A server that does not answer is set aside, and one that has left is forgotten."""

from __future__ import annotations

from pathlib import Path

from playwright.async_api import Browser, expect
from redis.asyncio import Redis

from service.evolution.simulator import Fault, Paces, Simulator
from tests.browser.desk import MARKS, sitting
from tests.helpers import wait_until
from tests.web.conftest import serving, settings_for

pytestmark = MARKS


async def test_ignores_and_forgets(redis: Redis, redis_url: str, tmp_path: Path, browser: Browser) -> None:
    async with Simulator(paces=Paces()) as sim, Simulator(paces=Paces(), api_key="the-other-key") as other:
        sim.warts.faults.append(Fault("instance/fetchInstances", status=500))
        other.create("suporte", state="open")
        async with serving(settings_for(redis_url, tmp_path, sim, other)) as api:
            await api.add(2)
            async with sitting(browser, api) as desk:
                page = desk.page
                await expect(page.locator(".notice.warn")).to_contain_text("before the first reading of: a")
                await desk.go("settings")
                server = page.locator(".things li", has_text=sim.url.removeprefix("http://"))
                await server.get_by_role("button", name="Do not wait for it").click()
                await desk.press("Do not wait for it")
                await expect(server.get_by_role("button", name="Wait for it again")).to_be_visible()

                async def served() -> bool:
                    return bool((await api.get("/instances/suporte"))["proxyId"])

                await wait_until(served, what="the other server's instance has a proxy")
                await server.get_by_role("button", name="Wait for it again").click()
                await desk.press("Wait for it again")
                await expect(server.get_by_role("button", name="Do not wait for it")).to_be_visible()
        async with serving(settings_for(redis_url, tmp_path, sim)) as api, sitting(browser, api) as desk:
            page = desk.page
            await desk.go("settings")
            left = page.locator(".things li", has_text="no longer configured")
            await left.get_by_role("button", name="Forget").click()
            await desk.press("Forget")
            dialog = page.locator("dialog .content[role=status]")
            await expect(dialog).to_have_text("1 leases and 1 instances forgotten.")
            await page.keyboard.press("Escape")
            await expect(left).to_have_count(0)
            assert (await api.get("/stats"))["used"] == 0
