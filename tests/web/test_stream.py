"""GET /stats/stream: now, on change, in quiet times, and through an outage; one poller for all."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
import pytest
from aiohttp import ClientResponse

from service.errors import StoreUnavailableError
from service.pool.tokens import Role
from service.web.broadcast import BROADCAST, Broadcast, Reading
from tests.helpers import LONG, wait_until
from tests.web.api import Api


class Stream:
    def __init__(self, response: ClientResponse) -> None:
        self.response = response

    async def next(self) -> tuple[str, Any]:
        """The next event and its data."""
        async with asyncio.timeout(LONG):
            while True:
                block = (await self.response.content.readuntil(b"\n\n")).decode()
                fields = dict(line.split(": ", 1) for line in block.strip().splitlines())
                if "event" in fields:
                    return fields["event"], orjson.loads(fields["data"])


@asynccontextmanager
async def listening(api: Api, language: str = "en") -> AsyncIterator[Stream]:
    headers = {"Authorization": f"Bearer {api.tokens[Role.VIEWER]}", "Accept-Language": language}
    async with api.client.get("/api/v1/stats/stream", headers=headers) as response:
        assert (response.status, response.content_type) == (200, "text/event-stream")
        yield Stream(response)


async def test_the_figures_now_and_on_change(api: Api) -> None:
    await api.controller.polls["a"].stop()
    async with listening(api) as stream:
        event, stats = await stream.next()
        assert (event, stats["total"]) == ("stats", 0)
        assert stats.keys() == (await api.get("/stats")).keys()
        await api.add(3)
        assert (await stream.next())[1]["total"] == 3


async def test_all_listeners_share_one_poller(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    await api.controller.polls["a"].stop()
    asked = 0
    stats = api.pool.stats

    async def counted() -> object:
        nonlocal asked
        asked += 1
        return await stats()

    monkeypatch.setattr(api.pool, "stats", counted)
    async with listening(api) as one, listening(api) as two, listening(api) as three:
        for stream in (one, two, three):
            await stream.next()
        before, begun = asked, time.monotonic()
        await api.add()
        for stream in (one, two, three):
            assert (await stream.next())[1]["total"] == 1
        assert asked - before <= 2 + (time.monotonic() - begun) / api.client.app[BROADCAST].loop.interval


async def test_each_listener_hears_its_own_language(api: Api) -> None:
    await api.controller.polls["a"].stop()
    await api.pool.brake("a", "release", engaged=True, reason="missing leased=40 missing=31 closed=2")
    async with listening(api, "pt-BR") as portuguese, listening(api, "en") as english:
        reasons = [(await stream.next())[1]["brake"]["reason"] for stream in (portuguese, english)]
    told = [
        (await api.call("GET", "/stats", headers={"Accept-Language": language})).body["brake"]["reason"]
        for language in ("pt-BR", "en")
    ]
    assert reasons == told
    assert reasons[0] != reasons[1]


async def test_the_stop_of_the_service_ends_streams(api: Api) -> None:
    async with listening(api) as stream:
        await stream.next()
        await api.client.server.close()
        assert await stream.response.content.read() == b""


async def test_a_revoked_token_gets_no_more_figures(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    await api.controller.polls["a"].stop()
    monkeypatch.setattr("service.web.routes.stats._TRUSTED_SECONDS", 0.0)
    async with listening(api) as stream:
        await stream.next()
        await api.add(1)
        assert (await stream.next())[1]["total"] == 1
        await api.pool.revoke_token("the-viewer", actor="cli:test")
        await api.pool.pause(paused=True, actor="cli:test")
        assert await stream.response.content.read() == b""


async def test_figures_that_fail_are_told_and_do_not_end_the_poller(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    await api.controller.polls["a"].stop()
    stats = api.pool.stats

    async def broken() -> object:
        raise RuntimeError

    async with listening(api) as stream:
        await stream.next()
        monkeypatch.setattr(api.pool, "stats", broken)
        assert (await stream.next())[0] == "unavailable"
        async with api.client.get("/readyz") as answer:
            assert (await answer.json())["parts"]["figures"] == "failing"
        monkeypatch.setattr(api.pool, "stats", stats)
        assert (await stream.next())[0] == "stats"


class Source:
    """Figures that the test sets."""

    def __init__(self) -> None:
        self.now = b"1"
        self.asked = 0
        self.down = False

    async def read(self) -> Reading:
        self.asked += 1
        if self.down:
            raise StoreUnavailableError(store="redis")
        told = b"figures " + self.now
        return self.now, lambda locale: told


@asynccontextmanager
async def broadcasting(source: Source, *, quiet: float = 25.0) -> AsyncIterator[Broadcast]:
    broadcast = Broadcast(source.read, interval=0.01, quiet=quiet)
    broadcast.loop.start()
    yield broadcast
    await broadcast.loop.stop()


@pytest.mark.virtual
async def test_an_outage_is_told_and_its_end() -> None:
    source = Source()
    async with broadcasting(source) as broadcast:
        listener = broadcast.listen("en")
        assert await anext(listener) == b"figures 1"
        source.down = True
        assert await anext(listener) is None
        source.down = False
        assert await anext(listener) == b"figures 1"
        await listener.aclose()


@pytest.mark.virtual
async def test_quiet_times_are_bounded() -> None:
    async with broadcasting(Source(), quiet=0.05) as broadcast:
        listener = broadcast.listen("en")
        assert [await anext(listener) for _ in range(3)] == [b"figures 1"] * 3
        await listener.aclose()


@pytest.mark.virtual
async def test_nobody_listens_nobody_asks() -> None:
    source = Source()
    async with broadcasting(source) as broadcast:
        await asyncio.sleep(0.05)
        assert source.asked == 0
        listener = broadcast.listen("en")
        await anext(listener)
        await listener.aclose()
        source.now = b"2"
        await wait_until(lambda: _idle(source), what="the poller rests")
        late = broadcast.listen("en")
        assert await anext(late) == b"figures 2"
        await late.aclose()


async def _idle(source: Source) -> bool:
    before = source.asked
    await asyncio.sleep(0.05)
    return source.asked == before
