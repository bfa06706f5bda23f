"""finish_release: the proofs, and where the proxy goes."""

from __future__ import annotations

import pytest
from redis.exceptions import ResponseError

from service.pool.models import Evidence, Waits
from tests.lua.stage import HOUR, MINUTE, SETTLE, Stage, refused


async def test_moved_frees_the_proxy_after_its_rest(stage: Stage) -> None:
    await stage.add()
    proxy_id = await stage.released(rest_ms=MINUTE, rest_reason="cooldown")
    proxy = await stage.pool.proxy(proxy_id)
    assert proxy is not None
    assert (proxy.status.value, proxy.rest_reason) == ("cooling", "cooldown")
    stage.clock.move(MINUTE)
    assert await stage.status(proxy_id) == "free"
    assert await stage.raw("leases:a") == {}
    [event] = await stage.events("lease.released")
    assert (event["evidence"], event["reason"]) == ("moved", "test")


async def test_moved_needs_a_release_whose_row_was_read_back(stage: Stage) -> None:
    await stage.add(3)
    with refused("wrong_phase", "active", ""):
        await stage.pool.finish_release(await stage.active("i1"), Evidence.MOVED)
    with refused("wrong_phase", "releasing", "row"):
        await stage.pool.finish_release(await stage.releasing("i2"), Evidence.MOVED)
    with refused("wrong_phase", "releasing", "grace"):
        await stage.pool.finish_release(await stage.releasing("i3", Waits.GRACE), Evidence.MOVED)


async def test_the_longer_rest_of_release_and_end_counts(stage: Stage) -> None:
    await stage.add()
    lease = await stage.cleared("i1", rest_ms=HOUR, rest_reason="ban")
    await stage.moved(lease, rest_ms=MINUTE)
    stage.clock.move(HOUR - 1)
    proxy = await stage.pool.proxy(lease.proxy_id)
    assert proxy is not None
    assert (proxy.status.value, proxy.rest_reason) == ("cooling", "ban")
    stage.clock.move(1)
    assert await stage.status(lease.proxy_id) == "free"


@pytest.mark.parametrize("evidence", [Evidence.GONE, Evidence.RECREATED])
async def test_an_instance_that_does_not_exist_ends_a_lease_in_any_phase(stage: Stage, evidence: Evidence) -> None:
    await stage.add(4)
    leases = [await stage.active("i1"), await stage.releasing("i2"), await stage.cleared("i3")]
    for lease in leases:
        await stage.see(lease.instance, row=lease.proxy_id)
        assert await stage.pool.finish_release(lease, evidence, rest_ms=MINUTE) == "free"
        assert (await stage.try_acquire("i9", pin=lease.proxy_id, human=True)).word == "RESTING"
    assert await stage.raw("rows") == {}
    stage.clock.move(MINUTE)
    assert [await stage.status(lease.proxy_id) for lease in leases] == ["free"] * 3


async def test_a_reserved_lease_may_have_a_set_under_way(stage: Stage) -> None:
    [proxy_id] = await stage.add()
    assert await stage.pool.finish_release(await stage.reserved(), Evidence.RECREATED) == "quarantined"
    stage.clock.move(SETTLE)
    await stage.pool.sweep(limit=10)
    assert await stage.status(proxy_id) == "free"


async def test_an_unknown_set_keeps_the_proxy_back_until_it_can_no_longer_land(stage: Stage) -> None:
    await stage.add()
    lease = await stage.active()
    await stage.pool.mark(lease, "unknown")
    marked = stage.clock.at
    stage.clock.move(MINUTE)
    await stage.pool.begin_release(lease, Waits.ROW, reason="final", socket_gone=True)
    await stage.pool.row_cleared(lease, "off")
    assert await stage.moved(lease) == "quarantined"
    proxy = await stage.pool.proxy(lease.proxy_id)
    assert proxy is not None
    assert (proxy.quarantine_reason, proxy.available_at) == ("set_unknown", marked + SETTLE)


async def test_a_row_that_still_names_it_keeps_the_proxy_back(stage: Stage) -> None:
    await stage.add()
    lease = await stage.cleared()
    await stage.see("i2", row=lease.proxy_id)
    assert await stage.moved(lease) == "quarantined"
    await stage.see("i2", row="off")
    await stage.assert_let_go(lease.proxy_id)


async def test_forced_keeps_the_proxy_back_until_its_row_is_seen_cleared(stage: Stage) -> None:
    [proxy_id] = await stage.add()
    await stage.see()
    assert await stage.pool.finish_release(await stage.active(), Evidence.FORCED, rest_ms=MINUTE) == "quarantined"
    stage.clock.move(30 * 24 * HOUR)
    await stage.pool.sweep(limit=10)
    await stage.see(row="")
    assert await stage.status(proxy_id) == "quarantined"
    await stage.see(row="off")
    await stage.assert_let_go(proxy_id)


async def test_forcing_both_leases_of_a_rotation_frees_neither(stage: Stage) -> None:
    await stage.add(2)
    new, old = await stage.tail()
    for lease in (old, new):
        await stage.pool.finish_release(lease, Evidence.FORCED)
    assert [await stage.status(lease.proxy_id) for lease in (old, new)] == ["quarantined"] * 2
    await stage.see(row=old.proxy_id)
    stage.clock.move(SETTLE)
    assert [await stage.status(lease.proxy_id) for lease in (old, new)] == ["quarantined", "free"]
    await stage.see(row="off")
    await stage.assert_let_go(old.proxy_id)


async def test_unmanage_keeps_policy_away_and_is_told_once(stage: Stage) -> None:
    await stage.add()
    for _ in range(2):
        await stage.pool.finish_release(await stage.active(human=True), Evidence.FORCED, unmanage=True, actor="cli:ana")
        await stage.see(row="off")
        stage.clock.move(SETTLE)
    assert await stage.pool.unmanaged("a") == {"i1"}
    assert [event["actor"] for event in await stage.events("instance.unmanaged")] == ["cli:ana"] * 2


async def test_unmanage_is_too_late_for_a_tail(stage: Stage) -> None:
    await stage.add(2)
    _, old = await stage.tail()
    with refused("stale", old.proxy_id, old.token):
        await stage.pool.finish_release(old, Evidence.FORCED, unmanage=True)
    assert (await stage.pool.unmanaged("a"), await stage.status(old.proxy_id)) == (set(), "used")


async def test_after_force_a_reading_counts_that_says_what_the_last_one_said(stage: Stage) -> None:
    [proxy_id] = await stage.add()
    lease = await stage.active()
    await stage.see(row="off")
    await stage.pool.finish_release(lease, Evidence.FORCED)
    instance = await stage.pool.instance("a", "i1")
    assert instance is not None
    assert (instance.row, await stage.status(proxy_id)) == ("", "quarantined")
    await stage.see(row="off")
    await stage.assert_let_go(proxy_id)


async def test_the_number_is_remembered_and_has_one_memory(stage: Stage) -> None:
    first, second = await stage.add(2)
    for proxy_id in (first, second):
        lease = await stage.active("i1", owner="5511", pin=proxy_id)
        await stage.pool.begin_release(lease, Waits.ROW, reason="final")
        await stage.pool.row_cleared(lease, "off")
        await stage.moved(lease)
        assert await stage.raw("memory") == {"phone:5511": proxy_id, "name:a/name-i1": proxy_id}


async def test_it_is_remembered_by_the_number_that_was_paired_after_the_lease_was_made(stage: Stage) -> None:
    [proxy_id] = await stage.add()
    await stage.see(state="close")
    lease = await stage.cleared("i1")
    await stage.see(owner="5511")
    await stage.moved(lease)
    assert await stage.raw("memory") == {"phone:5511": proxy_id, "name:a/name-i1": proxy_id}


async def test_another_number_takes_over_the_name_and_not_the_phone(stage: Stage) -> None:
    first, second = await stage.add(2)
    for proxy_id, phone in ((first, "5511"), (second, "5522")):
        await stage.see(owner=phone)
        lease = await stage.active("i1", owner=phone, pin=proxy_id)
        await stage.pool.begin_release(lease, Waits.ROW, reason="final")
        await stage.pool.row_cleared(lease, "off")
        await stage.moved(lease)
    assert await stage.raw("memory") == {"phone:5511": first, "phone:5522": second, "name:a/name-i1": second}


@pytest.mark.parametrize("evidence", [Evidence.MOVED, Evidence.FORCED])
async def test_a_tail_or_a_forced_end_leaves_no_memory(stage: Stage, evidence: Evidence) -> None:
    await stage.add(2)
    lease = await stage.active("i1", owner="5511")
    if evidence is Evidence.MOVED:
        await stage.pool.rotate(lease, reason="signs")
        await stage.pool.row_cleared(await stage.lease(lease.proxy_id), "off")
        await stage.moved(lease)
    else:
        await stage.pool.finish_release(lease, evidence)
    assert await stage.raw("memory") == {}


async def test_only_the_lease_of_this_token_and_known_evidence(stage: Stage) -> None:
    await stage.add()
    lease = await stage.active()
    await stage.pool.finish_release(lease, Evidence.GONE)
    with refused("stale", lease.proxy_id):
        await stage.pool.finish_release(lease, Evidence.GONE)
    with pytest.raises(ResponseError, match="BADARG evidence"):
        await stage.pool.run(
            "finish_release",
            actor="auto",
            proxy=lease.proxy_id,
            token=lease.token,
            evidence="hearsay",
            rest_ms=0,
            rest_reason="",
            settle_ms=0,
            memory_ms=0,
            unmanage=False,
        )


async def test_a_pin_waits_while_an_unknown_set_may_land_though_the_rest_is_longer(stage: Stage) -> None:
    [proxy_id] = await stage.add()
    lease = await stage.active()
    await stage.pool.mark(lease, "unknown")
    await stage.pool.begin_release(lease, Waits.ROW, reason="final", socket_gone=True)
    await stage.pool.row_cleared(lease, "off")
    await stage.moved(lease, rest_ms=HOUR, rest_reason="ban")
    stage.clock.move(SETTLE - 1)
    assert (await stage.try_acquire("i2", pin=proxy_id, human=True)).word == "RESTING"
    stage.clock.move(1)
    assert (await stage.try_acquire("i2", pin=proxy_id, human=True)).word == "LEASED"
