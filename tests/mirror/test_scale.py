"""A hundredth or less of what ``make soak`` does with the mirror (tests/load)."""

from __future__ import annotations

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from service.pool.pool import open_pool
from tests.load.killed import killed
from tests.load.lives import ready
from tests.load.million import million
from tests.load.outage import outage
from tests.load.paced import paced

pytestmark = [pytest.mark.redis, pytest.mark.slow]

ROUNDS = 3


@pytest.fixture(autouse=True)
def an_empty_redis(redis: object) -> None:
    """These open pools of their own."""


@pytest.mark.postgresql
async def test_killed_under_load(redis_url: str) -> None:
    found = await killed(redis_url, 5)
    assert found.broken == []
    assert found.figures["amid"] == 5
    assert found.figures["events"] > 5


@pytest.mark.postgresql
@pytest.mark.timeout(120)
async def test_nothing_is_lost_while_sql_is_away(redis_url: str) -> None:
    found = await outage(redis_url, 1_400)
    assert found.broken == []
    assert found.figures["compared"] >= 2 * 1_400


@pytest.mark.alone
async def test_the_mirror_keeps_up(redis_url: str, engine: AsyncEngine) -> None:
    """At a fifth of the pace; the best of some rounds counts: what else the machine does can only make one slower."""
    async with open_pool(redis_url, "paced") as pool:
        await ready(pool, 100)
        for _ in range(ROUNDS):
            found = await paced(pool, engine, 3, pace=200)
            if not found.broken:
                break
        assert found.broken == []


@pytest.mark.alone
@pytest.mark.postgresql
async def test_a_full_comparison_takes_little_at_a_time(redis_url: str) -> None:
    """So few calls say nothing of the longest one."""
    found = await million(redis_url, 3_000, seconds=1)
    assert [one for one in found.broken if "blocked" not in one and "following" not in one] == []
    assert found.figures["comparing"]["redis_ms"]["exec"]["p99"] < 5
