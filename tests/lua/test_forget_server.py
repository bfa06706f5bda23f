"""forget_server: what is left of a server that is no longer configured."""

from __future__ import annotations

import pytest

from service.pool.batches import Sighting, Wish
from service.pool.models import Evidence
from tests.lua.invariants import dump
from tests.lua.stage import HOUR, Stage, refused

EVERYTHING = 100


async def leave(stage: Stage) -> None:
    await stage.pool.configure(["b"], events_max=1000)


async def forget(stage: Stage, limit: int = EVERYTHING) -> tuple[int, int, bool]:
    done = await stage.pool.forget_server("a", actor="cli:ana", rest_ms=HOUR, limit=limit)
    return done.leases, done.instances, done.more


async def test_its_leases_end_and_their_proxies_rest_even_from_a_pin(stage: Stage) -> None:
    [proxy_id] = await stage.add()
    await stage.see()
    await stage.active()
    await leave(stage)
    assert await forget(stage) == (1, 1, False)
    [event] = await stage.events("lease.released")
    assert (event["evidence"], event["actor"], event["proxy"]) == ("gone", "cli:ana", proxy_id)
    assert await stage.status(proxy_id) == "cooling"
    await stage.open("b")
    stage.clock.move(HOUR - 1)
    [outcome] = await stage.pool.acquire("b", [Wish("i", "n", pin=proxy_id)], reason="by_hand", human=True)
    assert outcome.word == "RESTING"
    stage.clock.move(1)
    assert await stage.status(proxy_id) == "free"


async def test_nothing_of_it_is_left_but_its_events(stage: Stage) -> None:
    ids = await stage.add(6)
    await stage.see("i1")
    await stage.tail("i1")
    await stage.see("i2", row=ids[5], state="close")
    await stage.pool.unmanage("a", "i2", unmanaged=True, actor="cli:ana")
    await stage.see("i3", row="f" * 20)
    lease = await stage.active("i4")
    await stage.see("i4")
    await stage.pool.finish_release(lease, Evidence.FORCED)
    await stage.pool.reserve("a", "shop", reservation="r1", expires_at=stage.clock.at + HOUR, actor="cli:ana")
    await leave(stage)
    assert await forget(stage) == (3, 4, False)
    stage.clock.move(200 * HOUR)  # its numbers may return to another server for a week
    await stage.pool.sweep(limit=100)
    assert [await stage.status(one) for one in ids] == ["free"] * 6
    found = await dump(stage.redis, stage.pool.keys.root)
    kept = {"all", "free", "free:", "groups", "hosts", "meta", "servers", "events"}
    assert {name for name in found if not name.startswith(("proxy:", "op:"))} == kept
    assert [event["server"] for event in await stage.events("server.forgotten")] == ["a"]


@pytest.mark.parametrize("limit", [1, 2, 3])
async def test_in_batches(stage: Stage, limit: int) -> None:
    await stage.add(3)
    for instance in ("i1", "i2", "i3"):
        await stage.see(instance)
        await stage.active(instance)
    await leave(stage)
    ended = forgotten = calls = 0
    more = True
    while more:
        assert (await stage.pool.stats()).former == {"a": 3 - ended}
        leases, instances, more = await forget(stage, limit)
        assert max(leases, instances) <= limit
        ended, forgotten, calls = ended + leases, forgotten + instances, calls + 1
    assert (ended, forgotten) == (3, 3)
    assert len(await stage.events("lease.released")) == 3
    assert len(await stage.events("server.forgotten")) == 1
    assert calls > 3 // limit
    assert (await stage.pool.stats()).former == {}


async def test_a_set_that_may_still_land_is_waited_for(stage: Stage) -> None:
    [proxy_id] = await stage.add()
    await stage.reserved()
    await leave(stage)
    await stage.pool.forget_server("a", actor="cli:ana", rest_ms=0)
    assert await stage.status(proxy_id) == "quarantined"


async def test_a_number_that_comes_back_on_another_server_gets_its_proxy(stage: Stage) -> None:
    await stage.add(2)
    lease = await stage.active(owner="5511")
    await leave(stage)
    await forget(stage)
    assert (await stage.raw("memory"))["phone:5511"] == lease.proxy_id


async def test_other_servers_keep_theirs(stage: Stage) -> None:
    others = ["a-1", "a0", "aa"]
    await stage.open("a", *others)
    await stage.add(5)
    await stage.see()
    await stage.active()
    for server in others:
        await stage.pool.observe(server, [Sighting("i1", "name-i1", "open", "X", True)])
        await stage.pool.acquire(server, [Wish("i1", "name-i1")], reason="open")
    await stage.pool.configure(others, events_max=100)
    assert await forget(stage) == (1, 1, False)
    stats = await stage.pool.stats()
    assert {name: (one.leases, one.states) for name, one in stats.servers.items()} == {
        name: (1, {"open": 1}) for name in others
    }


async def test_only_a_former_server(stage: Stage) -> None:
    await stage.add()
    lease = await stage.active()
    with refused("still_configured", "a"):
        await forget(stage)
    assert await stage.lease(lease.proxy_id) == lease
    await leave(stage)
    await forget(stage)
    for server in ("a", "none"):
        with refused("unknown_server", server):
            await stage.pool.forget_server(server, actor="cli:ana", rest_ms=0)
