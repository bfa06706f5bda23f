"""A hundred callers and twenty proxies: twenty win. The same choice in two round trips hands out duplicates."""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from pathlib import Path

import pytest
from redis.asyncio import Redis

from service.pool.batches import Wish
from service.pool.pool import Pool
from tests.lua.invariants import assert_invariants, dump
from tests.lua.stage import MovedClock, Stage

pytestmark = pytest.mark.redis

PROXIES = 20
CALLERS = 100
PROCESSES = 4


@pytest.fixture
async def stage(redis: Redis) -> Stage:
    clock = MovedClock()
    first = Stage(Pool(redis, "first", clock=clock), clock)
    stage = await first.beside("race")
    await stage.add(PROXIES)
    return stage


async def _winners(pool: Pool, callers: range) -> list[tuple[str, str]]:
    """The word and the proxy that each caller was answered, all of them at once."""
    wishes = [[Wish(f"i{number}", f"n{number}")] for number in callers]
    answers = await asyncio.gather(*(pool.acquire("a", wish, reason="race") for wish in wishes))
    return [(one.word, one.proxy_id) for [one] in answers]


async def _assert_exclusive(stage: Stage, outcomes: list[tuple[str, str]]) -> None:
    words = Counter(word for word, _ in outcomes)
    assert words == {"LEASED": PROXIES, "NO_PROXY_AVAILABLE": CALLERS - PROXIES}
    assert len({proxy_id for word, proxy_id in outcomes if word == "LEASED"}) == PROXIES
    assert_invariants(await dump(stage.redis, stage.pool.keys.root), stage.clock.now())


async def test_one_client(stage: Stage) -> None:
    await _assert_exclusive(stage, await _winners(stage.pool, range(CALLERS)))


async def test_several_processes(stage: Stage, redis_url: str) -> None:
    """Each process says that it is ready and waits for the word, so that they all begin at once."""
    share = CALLERS // PROCESSES
    processes = [
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.integration.test_pool_race"),
            *(redis_url, str(start), str(start + share)),
            cwd=Path(__file__).parents[2],
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        for start in range(0, CALLERS, share)
    ]
    for process in processes:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"ready\n"
    outputs = await asyncio.gather(*(process.communicate(b"go\n") for process in processes))
    await _assert_exclusive(stage, [(word, one) for output, _ in outputs for word, one in json.loads(output)])


async def test_the_twin_in_two_round_trips_hands_out_duplicates(stage: Stage) -> None:
    """Reads a free id, then takes it: between the two every other caller has read the same. This is what the race tests
    would see if acquire were not atomic."""
    free = stage.pool.keys.named("free")
    all_have_read = asyncio.Barrier(CALLERS)

    async def acquire() -> str:
        found = await stage.redis.zrange(free, 0, 0)
        await all_have_read.wait()
        await stage.redis.zrem(free, *found)
        return str(found[0])

    winners = Counter(await asyncio.gather(*(acquire() for _ in range(CALLERS))))
    assert winners.total() == CALLERS
    assert max(winners.values()) > 1


async def _process(url: str, start: int, end: int) -> None:
    async with Redis.from_url(url, decode_responses=True) as redis:
        pool = Pool(redis, "race", clock=MovedClock(MovedClock().at + PROXIES))
        await redis.ping()
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        print(json.dumps(await _winners(pool, range(start, end))))


if __name__ == "__main__":
    asyncio.run(_process(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
