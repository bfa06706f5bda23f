"""rotate: another proxy for an instance."""

from __future__ import annotations

from service.pool.models import Lease, Phase, Waits
from tests.lua.stage import HOUR, MINUTE, Stage, refused


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


async def rotated(stage: Stage, lease: Lease, *, per_day: int = 2) -> Lease:
    """The confirmed lease after a rotation on evidence."""
    proxy_id, _ = await stage.pool.rotate(lease, reason="dead_proxy", per_day=per_day, probation_ms=MINUTE)
    await stage.pool.confirm(await stage.lease(proxy_id))
    stage.clock.move(1)
    return await stage.lease(proxy_id)


async def test_policy_rotates_so_often_a_day_and_then_the_instance_waits_for_a_human(stage: Stage) -> None:
    await stage.add(5)
    await stage.see()
    began = stage.clock.at
    lease = await rotated(stage, await rotated(stage, await stage.active()))
    for _ in range(2):
        with refused("rotations_spent"):
            await stage.pool.rotate(lease, reason="dead_proxy", per_day=2)
    assert ((await stage.lease(lease.proxy_id)).spent, (await stage.pool.stats()).spent) == (True, 1)
    [event] = await stage.events("rotation.spent")
    assert (event["level"], event["reason"], event["proxy"]) == ("error", "per_day", lease.proxy_id)
    stage.clock.at = began + 24 * HOUR - 1
    with refused("rotations_spent"):
        await stage.pool.rotate(lease, reason="dead_proxy", per_day=2)
    stage.clock.move(1)
    assert (await rotated(stage, lease)).proxy_id != lease.proxy_id
    assert (await stage.pool.stats()).spent == 0


async def test_a_human_s_rotation_is_not_limited_and_counts_anew(stage: Stage) -> None:
    await stage.add(5)
    await stage.see()
    lease = await rotated(stage, await stage.active(), per_day=1)
    proxy_id, _ = await stage.pool.rotate(lease, reason="by_hand", human=True, actor="cli:ana", per_day=1)
    await stage.pool.confirm(await stage.lease(proxy_id))
    again = await rotated(stage, await stage.lease(proxy_id), per_day=1)
    assert again.phase is Phase.ACTIVE


async def test_a_rotation_that_was_undone_does_not_count(stage: Stage) -> None:
    await stage.add(5)
    lease = await stage.active()
    for _ in range(3):
        proxy_id, _ = await stage.pool.rotate(lease, reason="dead_proxy", per_day=1)
        await stage.pool.abandon(await stage.lease(proxy_id), "refused")
        lease = await stage.lease(lease.proxy_id)
    assert not lease.spent


async def test_what_a_human_pinned_is_not_rotated_by_policy(stage: Stage) -> None:
    [first, *_] = await stage.add(3)
    lease = await stage.active(pin=first, human=True)
    with refused("rotations_spent"):
        await stage.pool.rotate(lease, reason="dead_proxy")
    [event] = await stage.events("rotation.spent")
    assert event["reason"] == "pinned"


async def test_the_word_of_a_human_lets_policy_rotate_again(stage: Stage) -> None:
    await stage.add(5)
    await stage.see()
    lease = await rotated(stage, await stage.active(), per_day=1)
    with refused("rotations_spent"):
        await stage.pool.rotate(lease, reason="dead_proxy", per_day=1)
    await stage.pool.unmanage("a", "i1", unmanaged=False, actor="cli:ana")
    assert (await stage.pool.stats()).spent == 0
    assert (await rotated(stage, lease, per_day=1)).replaces is None


async def test_the_old_proxy_goes_under_a_probation_that_doubles(stage: Stage) -> None:
    await stage.add(4)
    lease = await stage.active()
    proxy_id = lease.proxy_id
    for minutes in (15, 30):
        await rotated_away(stage, await stage.lease(proxy_id), 15 * MINUTE)
        proxy = await stage.pool.proxy(proxy_id)
        assert proxy is not None
        assert (proxy.status.value, proxy.quarantine_reason) == ("quarantined", "dead_proxy")
        assert proxy.available_at == stage.clock.at + minutes * MINUTE
        stage.clock.move(minutes * MINUTE)
        await stage.pool.sweep(limit=10)
        assert await stage.status(proxy_id) == "free"
        await stage.active(f"of-{minutes}", pin=proxy_id, human=True)
    assert [event["strikes"] for event in await stage.events("proxy.quarantined")] == ["1", "2"]


async def test_a_proxy_that_drains_is_disabled_and_keeps_its_strike(stage: Stage) -> None:
    await stage.add(4)
    lease = await stage.active()
    await stage.pool.disable(lease.proxy_id, reason="human", actor="cli:ana")
    await rotated_away(stage, lease, 15 * MINUTE)
    proxy = await stage.pool.proxy(lease.proxy_id)
    assert proxy is not None
    assert (proxy.status.value, proxy.strikes) == ("disabled", 1)
    await stage.pool.enable(lease.proxy_id, actor="cli:ana")
    stage.clock.move(15 * MINUTE - 1)
    assert await stage.status(lease.proxy_id) == "cooling"


async def rotated_away(stage: Stage, lease: Lease, probation_ms: int) -> None:
    """Rotated, and its tail ended on proof."""
    await stage.pool.rotate(lease, reason="dead_proxy", human=True, actor="cli:ana", probation_ms=probation_ms)
    tail = await stage.lease(lease.proxy_id)
    await stage.pool.row_cleared(tail, "off")
    await stage.moved(tail)
