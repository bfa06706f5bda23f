"""verify_leases: the lease map against the leases."""

from __future__ import annotations

import pytest

from tests.lua.stage import Stage


@pytest.fixture
async def two(stage: Stage) -> Stage:
    await stage.add(2)
    await stage.active("i1")
    await stage.active("i2")
    return stage


async def _found(stage: Stage) -> set[tuple[str, str]]:
    return {(one.id, one.what) async for one in stage.pool.check() if not isinstance(one, int)}


async def test_two_instances_on_one_proxy_are_found(two: Stage) -> None:
    leases = await two.raw("leases:a")
    await two.redis.hset(two.pool.keys.leases("a"), "i2", leases["i1"])
    assert ("a/i2", f"lease of {leases['i1']} names i1") in await _found(two)
    await two.redis.hset(two.pool.keys.leases("a"), "i2", leases["i2"])


async def test_an_entry_without_a_lease_is_found(two: Stage) -> None:
    await two.redis.hset(two.pool.keys.leases("a"), "i3", "x")
    assert ("a/i3", "lease of x names nobody") in await _found(two)
    await two.redis.hdel(two.pool.keys.leases("a"), "i3")


async def test_a_tail_in_the_lease_map_is_found(two: Stage) -> None:
    leases = await two.raw("leases:a")
    await two.redis.hset(two.pool.keys.lease(leases["i1"]), "tail", "1")
    assert ("a/i1", f"the lease map names the tail {leases['i1']}") in await _found(two)
    await two.redis.hset(two.pool.keys.lease(leases["i1"]), "tail", "0")


async def test_a_whole_map_is_found_whole(two: Stage) -> None:
    assert await _found(two) == set()


@pytest.mark.parametrize("status", ["free", None])
async def test_a_lease_of_a_proxy_that_is_not_used_is_found(two: Stage, status: str | None) -> None:
    proxy_id = (await two.raw("leases:a"))["i1"]
    key = two.pool.keys.proxy(proxy_id)
    before = await two.redis.hgetall(key)
    await (two.redis.hset(key, "status", status) if status else two.redis.delete(key))
    assert ("a/i1", f"holds {proxy_id}, which is {status or 'unknown'}") in await _found(two)
    await two.redis.hset(key, mapping=before)


async def test_the_leases_of_a_server_that_is_not_configured_any_more_are_looked_at(two: Stage) -> None:
    await two.pool.configure(["b"], events_max=100_000)
    assert await _found(two) == set()
    leases = await two.raw("leases:a")
    await two.redis.hset(two.pool.keys.lease(leases["i1"]), "tail", "1")
    assert ("a/i1", f"the lease map names the tail {leases['i1']}") in await _found(two)
    await two.redis.hset(two.pool.keys.lease(leases["i1"]), "tail", "0")
