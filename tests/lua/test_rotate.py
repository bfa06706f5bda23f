"""rotate: another proxy for an instance."""

from __future__ import annotations

from service.pool.models import Phase, Waits
from tests.lua.stage import MINUTE, Stage, refused


async def test_the_new_lease_is_reserved_and_the_old_one_becomes_a_tail(stage: Stage) -> None:
    first, second = await stage.add(2)
    new, old = await stage.tail()
    assert (new.proxy_id, new.phase, new.replaces) == (second, Phase.RESERVED, first)
    assert (old.proxy_id, old.tail, old.phase, old.waits) == (first, True, Phase.RELEASING, Waits.ROW)
    assert old.rest_ms == 10 * MINUTE
    assert (await stage.raw("leases:a"), await stage.raw("tails:a")) == ({"i1": second}, {first: "i1"})
    [event] = await stage.events("lease.rotated")
    assert (event["replaces"], event["reason"]) == (first, "signs")


async def test_what_the_new_lease_is_told_of_the_old_one(stage: Stage) -> None:
    await stage.add(2)
    old = await stage.active("i1", owner="5511", disc_at="77", opened=True)
    proxy_id, _ = await stage.pool.rotate(old, reason="human", human=True, actor="cli:ana")
    new = await stage.lease(proxy_id)
    assert (new.owner, new.disconnected_at, new.opened, new.manual) == ("5511", 77, True, True)


async def test_a_human_may_pin_but_not_what_is_held(stage: Stage) -> None:
    first, _, third = await stage.add(3)
    old = await stage.active(pin=first)
    with refused("held_elsewhere"):
        await stage.pool.rotate(old, reason="human", human=True, pin=first)
    assert (await stage.pool.rotate(old, reason="human", human=True, pin=third))[0] == third


async def test_refusals_leave_the_old_lease_as_it_is(stage: Stage) -> None:
    await stage.add(1)
    old = await stage.active()
    with refused("no_proxy_available"):
        await stage.pool.rotate(old, reason="signs")
    await stage.pool.pause(paused=True, actor="cli:ana")
    with refused("paused"):
        await stage.pool.rotate(old, reason="signs")
    assert await stage.lease(old.proxy_id) == old


async def test_only_the_active_lease_of_this_token(stage: Stage) -> None:
    await stage.add(3)
    reserved = await stage.reserved("i1")
    with refused("wrong_phase", "reserved"):
        await stage.pool.rotate(reserved, reason="signs")
    _, old = await stage.tail("i2")
    with refused("stale"):
        await stage.pool.rotate(old, reason="signs")
    await stage.pool.abandon(reserved, "unsent")
    with refused("no_lease"):
        await stage.pool.rotate(reserved, reason="signs")
