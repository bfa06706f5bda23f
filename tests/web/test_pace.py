"""What waits for its turn, and why a server is braked or suspected: each server by itself, in the reader's language."""

from __future__ import annotations

from pathlib import Path

import pytest
from redis.asyncio import Redis

from service.evolution.simulator import Simulator
from service.messages import Locale
from tests.helpers import wait_until
from tests.web.api import Api
from tests.web.conftest import serving, settings_for


async def test_the_queue_counts_down_and_says_how_long(
    redis: Redis, redis_url: str, tmp_path: Path, sim: Simulator
) -> None:
    settings = settings_for(redis_url, tmp_path, sim, restart_rate=0.01, restart_burst=2)
    for number in range(6):
        sim.create(f"n{number}", state="open")
    async with serving(settings) as api:
        await api.add(6)

        async def waits() -> bool:
            return bool((await api.get("/stats"))["unprotected"] == 4)

        await wait_until(waits, what="two of six were restarted")
        stats = await api.get("/stats")
        [server] = stats["servers"]
        pace = server["pace"]
        assert (pace["setsInFlight"], pace["setsWaiting"], pace["restartsWaiting"]) == (0, 0, 4)
        assert pace["restartsPerSecond"] == 0.01
        assert 390 < pace["etaSeconds"] <= 400
        assert stats["etaSeconds"] == pace["etaSeconds"]
        assert server["unprotected"] == 4

        async def counts_down() -> bool:
            return bool((await api.get("/stats"))["etaSeconds"] < pace["etaSeconds"])

        await wait_until(counts_down, what="less is left")


async def test_nothing_waits(api: Api) -> None:
    stats = await api.get("/stats")
    [server] = stats["servers"]
    assert (stats["etaSeconds"], server["pace"]["etaSeconds"], server["pace"]["restartsWaiting"]) == (None, None, 0)


@pytest.mark.parametrize(
    ("locale", "missing", "failed"),
    [
        (
            "pt-BR",
            "das 40 instâncias com proxy, 31 faltam na lista e 0 aparecem fechadas sem motivo",
            "5 configurações de proxy falharam seguidas",
        ),
        (
            "en",
            "of 40 leased instances 31 are missing and 0 are closed without a reason",
            "5 settings of a proxy failed in a row",
        ),
    ],
)
async def test_reasons_are_codes_in_the_pool_and_words_outside(
    api: Api, locale: Locale, missing: str, failed: str
) -> None:
    await api.controller.polls["a"].stop()
    await api.pool.brake("a", "release", engaged=True, reason="missing leased=40 missing=31 closed=0")
    await api.pool.brake("a", "set", engaged=True, reason="failed_sets count=5")
    await api.pool.suspect("a", suspected=True, reason="failed_sets count=5")
    stats = (await api.call("GET", "/stats", headers={"Accept-Language": locale})).body
    assert [half["reason"] for half in stats["brake"]["servers"]] == [missing, failed]
    assert stats["servers"][0]["suspect"]["reason"] == failed
    assert stats["servers"][0]["suspect"]["since"].endswith("Z")
    [event] = [event for event in await api.events("brake.engaged") if event["half"] == "release"]
    assert event["reason"] == "missing leased=40 missing=31 closed=0"
