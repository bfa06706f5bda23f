"""A browser, and a service with some life for it to show."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest_asyncio
from playwright.async_api import Browser, async_playwright, expect
from redis.asyncio import Redis

from service.evolution.simulator import Paces, Simulator
from tests.helpers import CHROMIUM, require, wait_until
from tests.web.api import Api
from tests.web.conftest import serving, settings_for

expect.set_options(timeout=30_000)


@dataclass
class World:
    """The service ``api`` with two servers: ``a`` is ``sim``."""

    api: Api
    sim: Simulator
    ids: list[str]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    require("chromium", CHROMIUM)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def world(redis: Redis, redis_url: str, tmp_path: Path) -> AsyncIterator[World]:
    """220 proxies, 12 of them not usable, and 16 instances, of which 13 are open and have one."""
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
        for number in range(10):
            sim.create(f"loja-{number}", state="open")
        for number in range(6):
            other.create(f"suporte-{number}", state="open" if number % 2 else "close")

        async def settled() -> bool:
            stats = await api.get("/stats")
            return bool(stats["used"] == 13 and stats["unprotected"] == 0)

        await wait_until(settled, what="all open instances have a proxy")
        yield World(api, sim, ids)
