"""observe: what a server says of its instances."""

from __future__ import annotations

import pytest

from service.pool.batches import Sighting
from service.pool.models import Applied, Lease
from tests.lua.stage import Stage, spec


async def test_a_sighting_is_remembered(stage: Stage) -> None:
    await stage.see("i1", state="connecting", owner="5511", row="off", address="", code="401", disc_at="77")
    instance = await stage.pool.instance("a", "i1")
    assert instance is not None
    assert (instance.name, instance.state, instance.owner, instance.code) == ("name-i1", "connecting", "5511", "401")
    assert (instance.row, instance.seen_at, instance.state_since) == ("off", stage.clock.at, stage.clock.at)
    assert await stage.pool.instance_id("a", "name-i1") == "i1"


async def test_the_state_is_counted_and_dated_by_its_change(stage: Stage) -> None:
    for state in ("open", "open", "close"):
        stage.clock.move(10)
        await stage.see("i1", state=state)
    await stage.see("i2", state="open")
    assert (await stage.pool.stats()).states == {"open": 1, "close": 1}
    instance = await stage.pool.instance("a", "i1")
    assert instance is not None
    assert instance.state_since == stage.clock.at


async def test_every_endpoint_of_a_row_is_kept_back_until_the_row_names_another(stage: Stage) -> None:
    first, second = await stage.add(2)
    await stage.see("foreign", row=first, managed=False)
    assert await stage.status(first) == "quarantined"
    await stage.see("foreign", row=second, managed=False)
    assert [await stage.status(one) for one in (first, second)] == ["cooling", "quarantined"]
    await stage.see("foreign", row="", managed=False)
    assert await stage.status(second) == "quarantined"
    await stage.see("foreign", row="off", managed=False)
    await stage.assert_let_go(second)
    assert [event["proxy"] for event in await stage.events("proxy.unseen")] == [first, second]


async def test_a_proxy_named_by_two_rows_waits_for_both(stage: Stage) -> None:
    [proxy_id] = await stage.add()
    for instance in ("i1", "i2"):
        await stage.see(instance, row=proxy_id)
    await stage.see("i1", row="off")
    assert await stage.status(proxy_id) == "quarantined"
    await stage.see("i2", row="off")
    await stage.assert_let_go(proxy_id)


async def test_a_row_read_before_the_lease_last_changed_says_nothing(stage: Stage) -> None:
    await stage.add()
    await stage.see()
    began = stage.clock.at
    stage.clock.move(10)
    lease = await stage.active()
    old = Sighting("i1", "name-i1", "open", "WHATSAPP-BAILEYS", True, row="off")
    await stage.pool.observe("a", [old], seen_at=began)
    assert await stage.raw("rows") == {"a/i1": lease.proxy_id}
    await stage.pool.observe("a", [old], seen_at=stage.clock.at + 1)
    assert await stage.raw("rows") == {}


async def test_external_and_unprotected_instances_are_told_apart(stage: Stage) -> None:
    await stage.see("external", row=spec(77).id)
    await stage.see("unprotected", row="off")
    await stage.see("closed", state="close")
    await stage.see("left alone", managed=False)
    stats = await stage.pool.stats()
    assert (stats.external, stats.unprotected, stats.instances) == (1, 1, 4)


async def test_a_new_name_replaces_the_old_one(stage: Stage) -> None:
    await stage.see("i1", name="old")
    await stage.see("i1", name="new")
    assert await stage.pool.known("a") == {"new": "i1"}


async def test_a_name_that_passed_to_another_id_forgets_the_old_one(stage: Stage) -> None:
    [proxy_id] = await stage.add()
    await stage.see("i1", name="shop", row=proxy_id)
    await stage.see("i2", name="shop", row="off")
    assert await stage.pool.instance("a", "i1") is None
    await stage.assert_let_go(proxy_id)
    assert await stage.pool.known("a") == {"shop": "i2"}


async def test_one_that_holds_a_lease_is_not_forgotten(stage: Stage) -> None:
    await stage.add()
    await stage.see("i1", name="shop")
    lease = await stage.active("i1", name="shop")
    await stage.see("i2", name="shop")
    assert (await stage.lease(lease.proxy_id)).instance == "i1"
    assert await stage.pool.instance("a", "i1") is not None


@pytest.mark.parametrize("between", ["off", "", "another"])
async def test_a_row_that_is_back_has_to_be_applied_anew(stage: Stage, between: str) -> None:
    """A late set of ours has landed, or somebody has written it by hand: the socket may have come from before."""
    [proxy_id] = await stage.add()
    await stage.see()
    lease = await stage.active()
    await apply(stage, lease)
    await stage.see(row=between)
    assert (await stage.lease(proxy_id)).applied is Applied.YES
    stage.clock.move(1)
    await stage.see(row=proxy_id)
    now = await stage.lease(proxy_id)
    assert (now.applied, now.down, now.since) == (Applied.NO, False, stage.clock.at)
    [event] = await stage.events("lease.asserted")
    assert event["proxy"] == proxy_id
    stage.clock.move(1)
    await apply(stage, lease)
    await stage.see(row=proxy_id, state="close")
    assert (await stage.lease(proxy_id)).applied is Applied.YES


async def test_a_row_that_comes_to_a_lease_that_is_not_active_changes_nothing(stage: Stage) -> None:
    await stage.add(2)
    for lease in (await stage.reserved("i1"), await stage.releasing("i2")):
        await stage.see(lease.instance, row="off")
        await stage.see(lease.instance, row=lease.proxy_id)
        assert await stage.lease(lease.proxy_id) == lease


async def apply(stage: Stage, lease: Lease) -> None:
    for what in ("down", "applied"):
        assert await stage.pool.mark(lease, what)
