"""configure: the servers that the gate asks for."""

from __future__ import annotations

from service.pool.batches import Wish
from tests.lua.stage import Stage, refused


async def test_exactly_the_named_servers_count(stage: Stage) -> None:
    await stage.pool.configure(["b", "c"], events_max=7)
    stats = await stage.pool.stats()
    assert (set(stats.servers), stats.events_max) == ({"b", "c"}, 7)
    await stage.pool.configure(["c"], events_max=8)
    assert set((await stage.pool.stats()).servers) == {"c"}


async def test_a_server_that_comes_back_has_to_be_read_again(stage: Stage) -> None:
    await stage.add()
    await stage.pool.configure(["b"], events_max=7)
    await stage.pool.configure(["a"], events_max=7)
    with refused("not_reconciled", "a"):
        await stage.try_acquire()
    await stage.open()
    assert (await stage.try_acquire()).word == "LEASED"


async def test_one_that_was_ignored_when_it_left_is_read_again_as_well(stage: Stage) -> None:
    await stage.add()
    await stage.pool.ignore_server("a", ignored=True, actor="cli:ana")
    await stage.pool.configure(["b"], events_max=7)
    await stage.pool.configure(["a"], events_max=7)
    with refused("not_reconciled", "a"):
        await stage.try_acquire()


async def test_a_server_that_leaves_keeps_what_it_holds_as_a_former_one(stage: Stage) -> None:
    await stage.add(3)
    new, old = await stage.tail()
    for servers in (["b"], ["b"], ["a", "b"], ["b"]):
        await stage.pool.configure(servers, events_max=100)
        stats = await stage.pool.stats()
        assert stats.former == ({} if "a" in servers else {"a": 2})
    assert [(event["server"], event["leases"]) for event in await stage.events("server.left")] == [("a", "2")] * 2
    assert (await stage.lease(new.proxy_id), await stage.lease(old.proxy_id)) == (new, old)


async def test_one_that_only_names_a_proxy_is_a_former_one_too(stage: Stage) -> None:
    [proxy_id] = await stage.add()
    await stage.see(row=proxy_id)
    await stage.pool.configure(["b"], events_max=100)
    assert ((await stage.pool.stats()).former, await stage.status(proxy_id)) == ({"a": 0}, "quarantined")


async def test_one_that_holds_nothing_is_simply_gone(stage: Stage) -> None:
    await stage.pool.configure(["b"], events_max=100)
    assert (await stage.pool.stats()).former == {}
    assert await stage.events("server.left") == []


async def test_a_former_server_closes_no_gate_and_is_given_nothing(stage: Stage) -> None:
    await stage.add(2)
    await stage.active()
    await stage.open("b")
    with refused("not_configured", "a"):
        await stage.try_acquire("i2")
    outcomes = await stage.pool.acquire("b", [Wish("i2", "x")], reason="open")
    assert outcomes[0].word == "LEASED"
