"""A reply that is lost after its script ran: the client sends it again, and the effect is that of one call."""

from __future__ import annotations

import json

import pytest
from redis.asyncio import Redis

from service.pool.pool import Pool, open_pool
from service.pool.scripts import load_all
from tests.integration.lossy import lossy
from tests.lua.headers import MUTATING
from tests.lua.invariants import dump
from tests.lua.stage import MovedClock, Stage
from tests.lua.transitions import TRANSITIONS

pytestmark = pytest.mark.redis


async def _effect(pool: Pool) -> str:
    """The whole pool but the answers it remembers, whatever its name and epochs."""
    found = await dump(pool.redis, pool.keys.root)
    plain = {name: value for name, value in found.items() if not name.startswith("op:")}
    text = json.dumps(plain, sort_keys=True, default=sorted)
    for number, epoch in enumerate(sorted({entry_id.partition("-")[0] for entry_id, _ in plain["events"]})):
        text = text.replace(epoch, f"EPOCH {number}")
    return text


@pytest.mark.parametrize("name", MUTATING)
async def test_its_effect_is_that_of_one_call(redis: Redis, redis_url: str, name: str) -> None:
    async with lossy(redis_url.removeprefix("unix://")) as (proxy, url):
        effects, answers = [], []
        for pool_name, lost in (("whole", 0), ("lossy", 1)):
            async with open_pool(url, pool_name) as pool:
                pool.clock = clock = MovedClock()
                stage = Stage(pool, clock)
                await stage.open()
                call = await TRANSITIONS[name](stage)
                await redis.script_load(load_all()[name].text)
                proxy.armed = lost
                before = await _effect(pool)
                answers.append(await call(pool))
                effects.append(await _effect(pool))
                assert (proxy.lost, proxy.armed) == (lost, 0)
                assert effects[-1] != before
        assert effects[0] == effects[1]
        assert answers[0] == answers[1]
