"""verify: a broken promise is found, whatever broke it."""

from __future__ import annotations

from typing import Any

import pytest
from redis.asyncio import Redis

from service.pool.pool import Pool
from tests.lua.stage import MovedClock, Stage

BREAKS: dict[str, tuple[tuple[Any, ...], str]] = {
    "in two places": (("zadd", "disabled", {"PROXY": 0}), "status used but in used+disabled"),
    "in no place": (("zrem", "used", "PROXY"), "status used but in no place"),
    "not listed": (("zrem", "all", "PROXY"), "known but not listed"),
    "unknown": (("delete", "proxy:PROXY"), "listed but unknown"),
    "no lease": (("delete", "lease:PROXY"), "used without a lease"),
    "no entry": (("hdel", "leases:a", "i1"), "lease map names nothing"),
    "another entry": (("hset", "leases:a", "i1", "x"), "lease map names x"),
    "phase": (("hset", "lease:PROXY", "phase", "releasing"), "phase releasing and index releasing disagree"),
    "index": (("zadd", "reserved", {"PROXY": 0}), "phase active and index reserved disagree"),
    "tail": (("hset", "lease:PROXY", "tail", "1"), "tail not in the tails"),
    "tail in the map": (("hset", "lease:PROXY", "tail", "1"), "tail in the lease map"),
    "free with a lease": (("hset", "proxy:PROXY", "status", "free"), "lease on a proxy that is not used"),
    "line of its group": (("zrem", "free:", "OTHER"), "not in the line of its group"),
}


@pytest.fixture
async def broken(redis: Redis) -> Stage:
    """A pool that a test may break: nothing is checked afterwards."""
    clock = MovedClock()
    stage = Stage(Pool(redis, "test", clock=clock), clock)
    await stage.pool.renew_epoch("life")
    await stage.open()
    return stage


@pytest.mark.parametrize("what", BREAKS)
async def test_a_broken_promise_is_named(broken: Stage, what: str) -> None:
    first, second = await broken.add(2)
    await broken.active()
    (command, key, *arguments), found = BREAKS[what]

    def named(value: object) -> object:
        if isinstance(value, dict):
            return {first if member == "PROXY" else member: score for member, score in value.items()}
        return {"PROXY": first, "OTHER": second}.get(str(value), value)

    name = broken.pool.keys.named(key.replace("PROXY", first))
    await getattr(broken.redis, command)(name, *map(named, arguments))
    reports = [one async for one in broken.pool.check() if not isinstance(one, int)]
    assert (second if what == "line of its group" else first, found) in [(one.id, one.what) for one in reports]


async def test_a_whole_pool_is_found_whole(stage: Stage) -> None:
    await stage.add(4)
    await stage.tail()
    await stage.releasing("i2")
    assert [one async for one in stage.pool.check() if not isinstance(one, int)] == []
    looked_at = sum([one async for one in stage.pool.check() if isinstance(one, int)])
    assert looked_at >= 4
