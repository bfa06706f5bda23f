"""Twenty dashboards on a large pool: how soon there is something to see, how soon it moves, and what that costs."""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import orjson
from playwright.async_api import Page, async_playwright

from service.pool.models import Status
from service.pool.pool import Pool, open_pool
from tests.helpers import CHROMIUM, wait_until
from tests.load.first_day import POOL, TOKEN, Service, serving
from tests.load.measure import fill, specs
from tests.load.result import Result
from tests.load.simulated import simulated

LISTENERS = 20
MOST_FIRST_MS = 1000
MOST_UPDATE_MS = 200
MOST_PAGE_MS = 200
MOST_CPU = 0.5
CHANGES_A_SECOND = 20

_READY_WITHIN = 900
_ROUNDS = 20
_AUTHORIZED = {"Authorization": f"Bearer {TOKEN}"}
_TABLE = (
    "limit=100",
    "limit=100&status=free",
    "limit=100&sort=host",
    "limit=100&sort=-updatedAt",
    "limit=100&sort=instance&status=used",
    "limit=100&status=free&sort=host",
    "limit=100&status=free&sort=-updatedAt",
    "limit=100&q=198.18.77",
    "limit=100&q=nowhere",
    "limit=100&label=nobody",
    "limit=100&label=nobody&sort=host",
)

_DRAWN = "[...document.querySelectorAll('#main .tiles a, #main .tiles dd')].some((one) => /\\d/.test(one.textContent))"
_SHOWS = "(text) => document.querySelector('#main')?.textContent.includes(text)"


@dataclass
class Listener:
    """Follows the live figures; ``disabled`` is the latest, ``news`` tells of each."""

    disabled: int = -1
    news: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def follow(self, session: aiohttp.ClientSession, url: str) -> None:
        async with session.get(f"{url}/api/v1/stats/stream", timeout=aiohttp.ClientTimeout(total=None)) as stream:
            async for line in stream.content:
                if line.startswith(b"data: "):
                    stats = orjson.loads(line[6:])
                    async with self.news:
                        self.disabled = stats.get("disabled", -1)
                        self.news.notify_all()

    async def shows(self, disabled: int) -> float:
        async with self.news:
            await self.news.wait_for(lambda: self.disabled == disabled)
        return time.perf_counter()


async def dashboards(redis_url: str, proxies: int, seconds: float = 30) -> Result:
    """``proxies``, a twentieth as many open instances, and :data:`LISTENERS` that watch.

    The service's share of a core is that of some ``seconds``, while nothing and while much changes. Times are over
    loopback, on cores that the simulated server, Redis and Chromium share with the service.
    """
    with tempfile.TemporaryDirectory() as folder:
        async with (
            simulated(at_once=True) as server,
            open_pool(redis_url, POOL) as pool,
            aiohttp.ClientSession(headers=_AUTHORIZED, read_bufsize=1 << 20) as session,
        ):
            await fill(pool, specs(proxies), batch=50)
            await server.create("n", proxies // 20)
            async with serving(redis_url, server, Path(folder), EVOPROXY_APPLY="next-connect") as service:
                ready = partial(_settled, service, proxies // 20)
                await wait_until(ready, deadline=_READY_WITHIN, what="all is assigned and mirrored")
                async with listening(session, service.url) as listeners, reading(service.url) as page:
                    figures = {
                        "first_picture_ms": await _first_pictures(page, service.url),
                        "updates_ms": await _updates(pool, listeners, page),
                        "pages_ms": {query: await _pages(session, service.url, query) for query in _TABLE},
                        "cpu_quiet": round(await service.cpu(seconds), 3),
                        "cpu_busy": await _busy(pool, service, seconds),
                    }
    return Result(figures, _broken(figures))


@asynccontextmanager
async def listening(session: aiohttp.ClientSession, url: str) -> AsyncIterator[list[Listener]]:
    listeners = [Listener() for _ in range(LISTENERS)]
    tasks = [asyncio.create_task(one.follow(session, url)) for one in listeners]
    try:
        yield listeners
    finally:
        for task in tasks:
            task.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.gather(*tasks)


@asynccontextmanager
async def reading(url: str) -> AsyncIterator[Page]:
    """Somebody who has logged in to the dashboard, in Chromium."""
    async with AsyncExitStack() as stack:
        playwright = await stack.enter_async_context(async_playwright())
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        stack.push_async_callback(browser.close)
        page = await browser.new_page(locale="en-US", bypass_csp=True)  # wait_for_function evaluates
        await page.goto(url)
        await page.locator("#token").fill(TOKEN)
        await page.locator("#login button").click()
        await page.wait_for_function(_DRAWN)
        yield page


async def _settled(service: Service, instances: int) -> bool:
    service.assert_runs()
    try:
        stats = await service.stats()
    except aiohttp.ClientConnectionError:
        return False  # it has just been started
    mirrored = stats["mirrorLag"] is not None and stats["mirrorLag"] < 2
    return bool(mirrored and stats["used"] == instances and not stats["reserved"])


async def _first_pictures(page: Page, url: str) -> dict[str, float]:
    taken: list[float] = []
    for _ in range(_ROUNDS // 2):
        await page.goto("about:blank")
        begun = time.perf_counter()
        await page.goto(url, wait_until="commit")
        await page.wait_for_function(_DRAWN)
        taken.append(time.perf_counter() - begun)
    return _told(taken)


async def _updates(pool: Pool, listeners: Sequence[Listener], page: Page) -> dict[str, dict[str, float]]:
    """From the change in the pool to the figure: with every listener, and in the page."""
    _, found = await pool.page("", 500)
    free = [one.id for one in found if one.status is Status.FREE][:_ROUNDS]
    disabled = (await pool.stats()).counts.disabled
    heard: list[float] = []
    drawn: list[float] = []
    for nth, proxy_id in enumerate(free, disabled + 1):
        begun = time.perf_counter()
        change = asyncio.create_task(pool.disable(proxy_id, reason="by_hand", actor="cli:load"))
        shown = asyncio.create_task(_timed(page.wait_for_function(_SHOWS, arg=f"Disabled{nth}")))
        heard += [at - begun for at in await asyncio.gather(*(one.shows(nth) for one in listeners))]
        drawn.append(await shown - begun)
        await change
    return {"heard": _told(heard), "drawn": _told(drawn)}


async def _timed(work: Awaitable[object]) -> float:
    await work
    return time.perf_counter()


async def _pages(session: aiohttp.ClientSession, url: str, query: str) -> dict[str, float]:
    """The first page of the table and those after it."""
    taken: list[float] = []
    cursor = ""
    for _ in range(_ROUNDS):
        begun = time.perf_counter()
        params = f"{query}&cursor={cursor}" if cursor else query
        async with session.get(f"{url}/api/v1/proxies?{params}") as answer:
            assert answer.status == 200, await answer.text()
            page: dict[str, Any] = orjson.loads(await answer.read())
        taken.append(time.perf_counter() - begun)
        cursor = page["nextCursor"] or ""
    return _told(taken)


async def _busy(pool: Pool, service: Service, seconds: float) -> float:
    """The service's share of a core while the pool changes :data:`CHANGES_A_SECOND` times a second."""
    _, found = await pool.page("", 500)
    ids = [one.id for one in found if one.status is Status.FREE][:CHANGES_A_SECOND]
    turns: Sequence[Callable[[str], Awaitable[object]]] = (
        lambda one: pool.disable(one, reason="by_hand", actor="cli:load"),
        lambda one: pool.enable(one, actor="cli:load"),
    )

    async def change() -> None:
        turn = 0
        while True:
            for one in ids:
                await turns[turn % 2](one)
                await asyncio.sleep(1 / CHANGES_A_SECOND)
            turn += 1

    changing = asyncio.create_task(change())
    try:
        return round(await service.cpu(seconds), 3)
    finally:
        changing.cancel()


def _told(seconds: list[float]) -> dict[str, float]:
    ordered = sorted(seconds)
    places = {"least": ordered[0], "p50": statistics.median(ordered), "p95": ordered[-1 - len(ordered) // 20]}
    return {name: round(taken * 1000, 1) for name, taken in (places | {"worst": ordered[-1]}).items()}


def _broken(figures: dict[str, Any]) -> list[str]:
    """Half of the answers keep the promise: the others pay for what else the machine does."""
    bounds = [
        ("the first picture", figures["first_picture_ms"], MOST_FIRST_MS),
        *((f"updates {name}", taken, MOST_UPDATE_MS) for name, taken in figures["updates_ms"].items()),
        *((f"the page {query}", taken, MOST_PAGE_MS) for query, taken in figures["pages_ms"].items()),
    ]
    slow = [f"{what} took {taken['p50']} ms" for what, taken, most in bounds if taken["p50"] > most]
    if figures["cpu_busy"] > MOST_CPU:
        slow.append(f"the service took {figures['cpu_busy']} of a core")
    return slow
