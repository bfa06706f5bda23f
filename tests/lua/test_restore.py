"""restore: proxies and leases come back as they were; what nobody can prove any more stays held back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from service.pool.models import Evidence, Waits
from service.pool.records import Snapshot
from service.pool.restoring import Brought
from service.pool.vault import Vault
from tests.lua.stage import HOUR, MINUTE, Stage, refused, spec
from tests.lua.test_begin_restore import begin


async def taken(stage: Stage) -> list[Snapshot]:
    """All that there is, as a mirror holds it: without what follows from the rest."""
    found = await stage.pool.snapshots(await stage.pool.page_ids("", 100))
    return [replace(one, proxy={k: v for k, v in one.proxy.items() if k not in ("line", "stamp")}) for one in found]


async def emptied(stage: Stage) -> None:
    await stage.redis.flushall()
    await stage.pool.renew_epoch("life")
    await begin(stage)


async def restore(stage: Stage, *snapshots: Snapshot) -> list[Brought]:
    return await stage.pool.restore("r1", snapshots, actor="cli:ana")


async def restored(stage: Stage, *snapshots: Snapshot) -> list[Brought]:
    """Into an emptied pool."""
    await emptied(stage)
    return await restore(stage, *snapshots)


async def kept(stage: Stage) -> Any:
    return await stage.redis.zrange(stage.pool.keys.named("keeping"), 0, -1, withscores=True)


def changed(snapshot: Snapshot, **fields: str) -> Snapshot:
    return replace(snapshot, proxy={**snapshot.proxy, **fields})


async def test_every_kind_of_proxy_and_lease_comes_back(stage: Stage) -> None:
    [*ids] = await stage.add(9, group="br", labels=("x", "y"), expires_at=stage.clock.at + HOUR)
    await stage.active("i1")
    await stage.reserved("i2")
    await stage.releasing("i3", waits=Waits.GRACE, grace_until=stage.clock.at + 9)
    await stage.tail("i4")
    await stage.pool.reserve("a", "shop", reservation="x", expires_at=stage.clock.at + 9, actor="cli:ana")
    await stage.pool.disable(ids[7], reason="human", actor="cli:ana")
    await stage.pool.quarantine(ids[8], reason="dead", probation_ms=HOUR, actor="auto")
    before = await taken(stage)
    meta = await stage.raw("meta")
    found = await restored(stage, *before)
    assert sorted(one.outcome for one in found) == ["LEASED"] * 6 + ["RESTORED"] * 3
    assert await taken(stage) == before
    lease = (await stage.pool.leases_of("a"))["i1"]
    await begin(stage, "r2", token=int(meta["token"]))
    await stage.pool.begin_release(lease, Waits.ROW, reason="human", unmanage=False)  # the token of before still counts
    assert int((await stage.raw("meta"))["token"]) >= int(meta["token"])
    told = {event["proxy"]: event.get("token") for event in await stage.events("proxy.rebuilt")}
    assert told == {one.id: one.lease.get("token") for one in before}


async def test_what_is_there_stays_as_it_is(stage: Stage) -> None:
    await stage.add(2)
    await stage.active()
    before = await taken(stage)
    await begin(stage, merge=True)
    assert [one.outcome for one in await restore(stage, *before)] == ["KNOWN", "KNOWN"]
    other = [changed(one, secret="plain:other", host="9.9.9.9") for one in before]
    assert [one.outcome for one in await restore(stage, *other)] == ["KNOWN", "KNOWN"]
    assert await taken(stage) == before


async def test_a_lease_that_is_there_wins(stage: Stage) -> None:
    """The instance was adopted on another proxy meanwhile; a socket of its may still use the old one."""
    await stage.add(2)
    lease = await stage.active()
    [old] = [one for one in await taken(stage) if one.lease]
    await emptied(stage)
    await stage.pool.import_proxies([spec(7)], stamp="s", actor="cli:ana")
    await stage.pool.configure(["a"], events_max=100)
    await stage.see(row=spec(7).id)
    stage.clock.move(1)
    assert (await stage.adopt("i1", spec(7).id)).word == "ADOPTED"
    assert await restore(stage, old) == [Brought("UNLEASED", "free")]
    assert await stage.status(lease.proxy_id) == "cooling"
    await stage.assert_let_go(lease.proxy_id)
    assert [event["level"] for event in await stage.events("proxy.rebuilt")] == ["warning"]


@pytest.mark.parametrize("reason", ["seen", "forced"])
async def test_what_a_row_held_back_rests_until_rows_are_read_again(stage: Stage, reason: str) -> None:
    [proxy_id] = await stage.add()
    if reason == "seen":
        await stage.see("i9", row=proxy_id)
    else:
        await stage.pool.finish_release(await stage.active(), Evidence.FORCED)
    assert await stage.status(proxy_id) == "quarantined"
    await restored(stage, *await taken(stage))
    assert await stage.status(proxy_id) == "cooling"
    await stage.pool.configure(["a"], events_max=100)
    await stage.see("i9", row=proxy_id)
    assert await stage.status(proxy_id) == "quarantined"
    await stage.see("i9", row="off")
    await stage.assert_let_go(proxy_id)


async def test_a_row_that_is_known_by_now_holds_its_proxy_back(stage: Stage) -> None:
    [proxy_id] = await stage.add()
    before = await taken(stage)
    await emptied(stage)
    await stage.pool.configure(["a"], events_max=100)
    await stage.see("i9", row=proxy_id)
    assert [one.status for one in await restore(stage, *before)] == ["quarantined"]
    assert (await stage.raw(f"proxy:{proxy_id}"))["quarantine_reason"] == "seen"


async def test_rests_strikes_and_memory_come_back(stage: Stage) -> None:
    ids = await stage.add(2)
    await stage.pool.quarantine(ids[1], reason="dead", probation_ms=MINUTE, actor="auto")
    lease = await stage.active(owner="5511")
    await stage.pool.finish_release(lease, Evidence.GONE, rest_ms=HOUR, rest_reason="ban")
    assert lease.proxy_id == ids[0]
    before = await taken(stage)
    memory, keeping = await stage.raw("memory"), await kept(stage)
    await restored(stage, *before)
    assert await taken(stage) == before
    assert await stage.raw("memory") == memory
    assert (len(memory), await kept(stage)) == (2, keeping)
    proxy = await stage.pool.proxy(ids[1])
    assert proxy is not None
    assert proxy.strikes == 1
    stage.clock.move(stage.pool.rests.memory_ms)
    await restored(stage, *before)
    assert await stage.raw("memory") == {}


async def test_the_servers_of_leases_are_known_as_former_ones_until_they_are_configured(stage: Stage) -> None:
    await stage.add()
    await stage.active()
    await restored(stage, *await taken(stage))
    assert (await stage.pool.stats()).former == {"a": 1}
    await stage.pool.configure(["a"], events_max=100)
    stats = await stage.pool.stats()
    assert (stats.former, stats.servers["a"].leases) == ({}, 1)


async def test_a_stuck_release_and_its_instance_are_counted(stage: Stage) -> None:
    await stage.add()
    lease = await stage.releasing()
    for _ in range(6):
        await stage.pool.refuse_release(lease, "400")
    before = await taken(stage)
    await emptied(stage)
    await stage.pool.configure(["a"], events_max=100)
    await stage.see()
    await restore(stage, *before)
    stats = await stage.pool.stats()
    assert (stats.stuck, stats.releasing, stats.unprotected) == (1, 1, 1)


async def test_only_within_a_restore_and_with_the_pool_s_key(stage: Stage) -> None:
    await stage.add()
    before = await taken(stage)
    with refused("stale"):
        await restore(stage, *before)
    await begin(stage, merge=True)
    stage.pool.vault = Vault(["another key"])
    with refused("wrong_encryption_key"):
        await restore(stage, *before)


async def test_nothing_to_bring_back(stage: Stage) -> None:
    await begin(stage)
    nothing: list[Any] = await restore(stage)
    assert nothing == []
