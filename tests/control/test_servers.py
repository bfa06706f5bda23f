"""Several servers: each by itself, none in the way of another, and what is left of one that leaves."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from pydantic import SecretStr

from service.control.forgetting import forget_server
from service.control.plan import Step
from service.control.planning import foresee
from service.errors import EvolutionError, EvolutionUnauthorizedError, RefusedError
from service.evolution.client import EvolutionClient
from service.evolution.simulator import OFF, Fault
from service.pool.models import Phase, Status
from tests.control.scene import HOUR, LIMITS, MINUTE, SECOND, Scene, spec

REST = 15 * MINUTE


@pytest.fixture
async def both(pool_of_two: Scene) -> Scene:
    """Servers ``a`` and ``b``, both read, and four proxies."""
    await pool_of_two.add(4)
    await tick(pool_of_two)
    return pool_of_two


async def tick(scene: Scene, pause: int = SECOND) -> None:
    for server in ("a", "b"):
        await scene.tick(pause, server=server)


async def leave(scene: Scene) -> None:
    """``b`` is taken out of the settings and evoproxy is started anew."""
    await scene.kill()
    del scene.clients["b"]
    await scene.start()


async def come_back(scene: Scene, client: EvolutionClient) -> None:
    await scene.kill()
    scene.clients["b"] = client
    await scene.start()


async def forget(scene: Scene) -> tuple[int, int]:
    done = await forget_server(scene.pool, "b", actor="token:ana", rest_ms=REST, limit=1)
    return done.leases, done.instances


# each by itself


async def test_one_name_on_both_is_two_instances_with_a_proxy_each(both: Scene) -> None:
    first, second = both.instance("x"), both.sims["b"].create("x", state="open")
    await tick(both)
    one, other = await both.lease(first), await both.lease(second, "b")
    assert {one.proxy_id, other.proxy_id} == {spec(1).id, spec(2).id}
    assert (both.exit(first), both.exit(second)) == (one.proxy_id, other.proxy_id)
    stats = await both.pool.stats()
    assert {name: (of.leases, of.states) for name, of in stats.servers.items()} == {
        "a": (1, {"open": 1}),
        "b": (1, {"open": 1}),
    }


@pytest.mark.parametrize("trouble", ["hangs", "errs", "refuses the key"])
async def test_a_server_in_trouble_delays_no_other(both: Scene, trouble: str) -> None:
    faults: dict[str, dict[str, Any]] = {
        "hangs": {"hang": True},
        "errs": {"status": 500},
        "refuses the key": {"status": 401},
    }
    both.sims["b"].warts.faults.append(Fault("instance/fetchInstances", **faults[trouble]))
    looking = asyncio.create_task(both.controller.servers["b"].tick())
    if trouble == "hangs":
        await both.until(lambda: both.sims["b"].gate.waiting == 1, "the call is held")
    instance = both.instance("x")
    await both.tick()
    assert both.exit(instance) == spec(1).id
    assert looking.done() is (trouble != "hangs")
    both.sims["b"].gate.release()
    if trouble == "hangs":
        await looking
    else:
        with pytest.raises(EvolutionError):
            await looking
    assert both.control.error is None


@pytest.mark.parametrize(
    ("fault", "advised"),
    [
        (Fault(status=401), "O servidor b recusa a chave"),
        (Fault(status=404), "O que o servidor b responde não é da Evolution API"),
        (Fault(body=b"<html></html>"), "O que o servidor b responde não é da Evolution API"),
        (Fault(status=429), ""),
        (Fault(status=503), ""),
        (Fault(cut="before"), ""),
    ],
    ids=["key", "route", "page", "limit", "error", "silence"],
)
async def test_what_no_waiting_mends_is_told_once_in_words(
    both: Scene, caplog: pytest.LogCaptureFixture, fault: Fault, advised: str
) -> None:
    both.sims["b"].warts.faults.append(fault)
    for _ in range(2):
        with pytest.raises(EvolutionError):
            await both.tick(server="b")
    told = [one.getMessage() for one in caplog.records if one.name == "service.control.server" and one.levelno > 30]
    assert [one[: len(advised)] for one in told] == [advised] * bool(advised)


async def test_a_refused_key_is_told_and_the_other_server_goes_on(both: Scene) -> None:
    held = both.sims["b"].create("y", state="open")
    await tick(both)
    both.sims["b"].warts.faults.append(Fault("instance/fetchInstances", status=401))
    with pytest.raises(EvolutionUnauthorizedError):
        await both.tick(server="b")
    error = both.controller.servers["b"].error
    assert error is not None
    assert error.code == "evolution_unauthorized"
    remembered = await both.pool.server("b")
    assert (remembered["release_brake"], remembered["release_brake_reason"]) == (
        "1",
        "server_error error=evolution_unauthorized",
    )
    assert "release_brake" not in await both.pool.server("a")
    assert (await both.lease(held, "b")).phase is Phase.ACTIVE
    both.sims["b"].warts.faults.clear()
    await both.tick(server="b")
    assert both.controller.servers["b"].error is None


async def test_drift_and_brakes_are_each_servers_own(both: Scene) -> None:
    both.instance("x")
    both.sims["b"].create("x", state="open")
    await tick(both)
    await both.pool.brake("b", "set", engaged=True, reason="by_hand")
    both.sims["a"].set_row_by_hand("x", OFF)
    both.sims["b"].set_row_by_hand("x", OFF)
    await tick(both)
    await tick(both)
    drift = {name: list(control.drift.values()) for name, control in both.controller.servers.items()}
    assert (drift["a"], [(one.server, one.name) for one in drift["b"]]) == ([], [("b", "x")])


async def test_a_server_that_is_configured_twice_is_told_once_as_an_event(pool_of_two: Scene) -> None:
    scene = pool_of_two
    instance = scene.instance("x")
    scene.sims["b"].create("x", state="open").id = instance.id
    await scene.tick(server="a")
    for server in ("b", "a", "b", "a"):
        with pytest.raises(EvolutionError):
            await scene.tick(server=server)
    events = await scene.events("brake.engaged")
    assert sorted((event["server"], event["level"], event["reason"]) for event in events) == [
        (server, "error", "configured_twice first=a second=b") for server in ("a", "b")
    ]


# one that leaves


async def test_a_server_that_leaves_keeps_its_proxies_and_holds_nothing_up(both: Scene) -> None:
    gone = both.sims["b"].create("y", state="open")
    await tick(both)
    await leave(both)
    instance = both.instance("x")
    await both.tick()
    assert both.exit(instance) == spec(2).id
    assert (await both.lease(gone, "b")).proxy_id == spec(1).id
    stats = await both.pool.stats()
    assert (stats.former, set(stats.servers["b"].states)) == ({"b": 1}, {"open"})
    with pytest.raises(RefusedError, match="not_configured"):
        both.controller.server("b")
    for _ in range(5):
        await both.tick(HOUR)
    assert await both.status(spec(1).id) is Status.USED


async def test_what_a_former_servers_rows_name_is_not_handed_out(both: Scene) -> None:
    both.sims["b"].create("bot", state="open", integration="EVOLUTION", row=spec(1))
    await tick(both)
    await leave(both)
    instance = both.instance("x")
    await both.tick(HOUR)
    assert both.exit(instance) == spec(2).id
    assert await both.status(spec(1).id) is Status.QUARANTINED


async def test_a_server_that_comes_back_is_read_before_anything_and_goes_on_with_its_leases(both: Scene) -> None:
    client, kept = both.clients["b"], both.sims["b"].create("y", state="open")
    await tick(both)
    await both.pool.ignore_server("b", ignored=True, actor="token:ana")
    await leave(both)
    await both.tick()
    both.sims["b"].set_row_by_hand("y", spec(3))
    await come_back(both, client)
    both.instance("w", state="close")  # has the number of y, and so its memory
    instance = both.instance("x")
    await both.tick()
    assert await both.find_lease(instance) is None
    await tick(both)
    await tick(both)
    assert both.exit(instance) == spec(2).id
    assert (await both.lease(kept, "b")).proxy_id == spec(3).id
    assert (await both.pool.stats()).former == {}


async def test_a_former_server_is_forgotten_on_a_humans_word(both: Scene) -> None:
    for name in ("x", "y"):
        both.sims["b"].create(name, state="open")
    both.sims["b"].create("bot", state="open", integration="EVOLUTION", row=spec(4))
    await tick(both)
    await leave(both)
    for name in ("x", "y", "bot"):
        both.sims["b"].delete(name)
    assert await forget(both) == (2, 3)
    assert [event["actor"] for event in await both.events("lease.released")] == ["token:ana"] * 2
    assert [event["server"] for event in await both.events("server.forgotten")] == ["b"]
    stats = await both.pool.stats()
    assert (stats.former, set(stats.servers), stats.counts.used) == ({}, {"a"}, 0)
    instance = both.instance("x")
    await both.tick()
    assert both.exit(instance) == spec(3).id
    both.clock.move(REST)
    assert [await both.status(spec(number).id) for number in (1, 2)] == [Status.FREE] * 2
    with pytest.raises(RefusedError, match="unknown_server"):
        await forget(both)


async def test_a_configured_server_is_not_forgotten(both: Scene) -> None:
    instance = both.sims["b"].create("y", state="open")
    await tick(both)
    with pytest.raises(RefusedError, match="still_configured"):
        await forget(both)
    assert (await both.lease(instance, "b")).phase is Phase.ACTIVE


async def test_a_server_that_comes_back_while_it_is_forgotten_stays(both: Scene) -> None:
    """A replica with other settings configures it between two batches."""
    for name in ("x", "y"):
        both.sims["b"].create(name, state="open")
    await tick(both)
    client = both.clients["b"]
    await leave(both)
    await both.pool.forget_server("b", actor="token:ana", rest_ms=REST, limit=1)
    await come_back(both, client)
    with pytest.raises(RefusedError, match="still_configured"):
        await forget(both)
    for _ in range(3):
        await tick(both)
    assert len(await both.pool.leases_of("b")) == 2


async def test_a_server_under_another_name_goes_on_with_its_leases(both: Scene) -> None:
    """What its rows prove moves at once; what they do not waits under the old name until that is forgotten."""
    instance, proved = both.sims["b"].create("y", state="open"), both.sims["b"].create("z", state="open")
    await tick(both)
    before = {one.id: (await both.lease(one, "b")).proxy_id for one in (instance, proved)}
    sim = both.sims["b"]
    async with EvolutionClient.open("c", sim.url, SecretStr(sim.api_key), limits=LIMITS) as renamed:
        await both.kill()
        both.clients = {"a": both.clients["a"], "c": renamed}
        sim.set_row_by_hand("y", OFF)
        planned = (await foresee((await both.start()).servers["c"].context)).planned
        assert {one.name: one.steps for one in planned} == {"z": (Step.ADOPT,), "y": (Step.ASSIGN, Step.RESTART)}
        calls = sim.calls.counts["proxy/set"]
        both.clock.move(SECOND)
        await both.controller.servers["c"].tick()
        await both.settle()
        assert (await both.lease(proved, "c")).proxy_id == before[proved.id]
        assert both.exit(proved) == before[proved.id]
        assert (await both.pool.stats()).former == {"b": 1}
        await both.controller.servers["c"].tick()
        await both.settle()
        assert sim.calls.counts["proxy/set"] == calls + 1
        assert (await both.lease(instance, "c")).proxy_id not in before.values()
        assert await forget(both) == (1, 1)
        assert (await both.pool.stats()).counts.used == 2
        await both.kill()
