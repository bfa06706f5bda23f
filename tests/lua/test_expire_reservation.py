"""expire_reservation: a reservation that no row fulfilled."""

from __future__ import annotations

from tests.lua.stage import Stage, refused

SETTLE = 900_000


async def _reserve(stage: Stage, ttl: int = 1000) -> str:
    proxy_id, _ = await stage.pool.reserve(
        "a", "shop", reservation="r1", expires_at=stage.clock.at + ttl, actor="token:x"
    )
    return proxy_id


async def test_it_ends_at_its_time_and_not_before(stage: Stage) -> None:
    await stage.add()
    proxy_id = await _reserve(stage)
    stage.clock.move(999)
    with refused("not_due", str(stage.clock.at + 1)):
        await stage.pool.expire_reservation("a", "r1")
    stage.clock.move(1)
    assert await stage.pool.expire_reservation("a", "r1") == proxy_id
    assert (await stage.pool.stats()).reservations == 0
    with refused("no_reservation"):
        await stage.pool.expire_reservation("a", "r1")


async def test_its_proxy_rests_as_the_create_may_be_under_way(stage: Stage) -> None:
    await stage.add()
    proxy_id = await _reserve(stage)
    await stage.pool.expire_reservation("a", "r1", cancelled=True, actor="token:x")
    assert [event["actor"] for event in await stage.events("reservation.cancelled")] == ["token:x"]
    stage.clock.move(SETTLE - 1)
    assert (await stage.try_acquire()).word == "NO_PROXY_AVAILABLE"
    assert (await stage.try_acquire(pin=proxy_id, human=True)).word == "RESTING"
    stage.clock.move(1)
    assert (await stage.try_acquire()).word == "LEASED"


async def test_a_late_row_keeps_it_back_and_is_adopted(stage: Stage) -> None:
    await stage.add()
    proxy_id = await _reserve(stage)
    stage.clock.move(1000)
    await stage.pool.expire_reservation("a", "r1")
    await stage.see("i1", name="shop", row=proxy_id)
    assert await stage.status(proxy_id) == "quarantined"
    stage.clock.move(1)
    assert (await stage.adopt("i1", proxy_id, name="shop")).word == "ADOPTED"


async def test_one_that_became_a_lease_is_left_alone(stage: Stage) -> None:
    await stage.add()
    proxy_id = await _reserve(stage)
    await stage.adopt("i1", proxy_id, name="shop")
    stage.clock.move(1000)
    with refused("no_reservation"):
        await stage.pool.expire_reservation("a", "r1")
