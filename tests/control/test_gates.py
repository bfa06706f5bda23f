"""What the brakes let pass, what they stop, and what they count."""

from __future__ import annotations

import pytest

from service.errors import EvolutionError, EvolutionUnavailableError
from service.evolution.simulator import OFF, Fault, ProxyRow
from service.models import ProxySpec
from tests.control.scene import Scene, spec


async def braked(scene: Scene, half: str) -> bool:
    return (await scene.pool.server("a")).get(f"{half}_brake") == "1"


@pytest.mark.parametrize("row", [OFF, spec(2)], ids=["asserted", "released"])
async def test_the_set_half_stops_asserts_and_restarts(scene: Scene, row: ProxyRow | ProxySpec) -> None:
    await scene.served()
    await scene.pool.brake("a", "set", engaged=True, reason="test")
    scene.sim.set_row_by_hand("x", row)
    before = scene.calls("proxy/set", "instance/restart")
    await scene.ticks(3)
    assert scene.calls("proxy/set", "instance/restart") == before
    await scene.pool.brake("a", "set", engaged=False, reason="test")
    await scene.ticks(2)
    assert scene.calls("instance/restart") > 0


async def test_asserts_that_are_refused_for_five_proxies_engage_the_set_half(scene: Scene) -> None:
    await scene.add(2, first=4)
    names = [f"x{index}" for index in range(5)]
    for name in names:
        await scene.served(name)
    scene.sim.warts.invalid_proxy = True
    for name in names[:4]:
        scene.sim.set_row_by_hand(name, OFF)
    await scene.ticks(3)
    assert not await braked(scene, "set")
    scene.sim.set_row_by_hand(names[4], OFF)
    await scene.tick()
    assert await braked(scene, "set")
    sets = scene.calls("proxy/set")
    await scene.ticks(3)
    assert scene.calls("proxy/set") == sets


@pytest.mark.parametrize("hidden", [False, True], ids=["one is gone", "the list is empty"])
async def test_a_human_releases_a_deleted_instance_of_a_server_that_erred(scene: Scene, hidden: bool) -> None:
    instance = await scene.served()
    scene.sim.warts.db_down = True
    with pytest.raises(EvolutionError):
        await scene.tick()
    scene.sim.warts.db_down = False
    scene.sim.warts.hidden = hidden
    scene.sim.delete("x")
    await scene.release("x")
    await scene.settle()
    await scene.tick()
    assert (await scene.pool.server("a"))["release_brake"] == "1"
    assert await scene.find_lease(instance) is None


async def test_one_failed_reading_does_not_take_back_that_a_human_let_go(scene: Scene) -> None:
    await scene.add(30, 10)
    for index in range(20):
        scene.instance(f"x{index}")
    await scene.tick()
    for index in range(15):
        scene.sim.delete(f"x{index}")
    await scene.tick()
    assert await braked(scene, "release")
    await scene.pool.brake("a", "release", engaged=False, reason="they are gone", actor="cli:test")
    scene.sim.warts.faults.append(Fault("instance/fetchInstances", times=1, status=500))
    with pytest.raises(EvolutionError):
        await scene.tick()
    assert not await braked(scene, "release")
    await scene.tick()
    assert len(await scene.pool.leases_of("a")) == 10


async def test_a_server_that_is_configured_twice_is_left_alone_under_both_names(pool_of_two: Scene) -> None:
    scene = pool_of_two
    await scene.add(2)
    instance = scene.instance("x")
    scene.sims["b"].create("x", state="open").id = instance.id
    await scene.tick(server="a")  # the gate is closed until b is read as well
    for server in ("b", "a", "b", "a"):
        with pytest.raises(EvolutionUnavailableError, match="servers a and b both list instance"):
            await scene.tick(server=server)
    assert await scene.find_lease(instance, "a") is await scene.find_lease(instance, "b") is None
    assert sum(sim.calls.counts["proxy/set"] for sim in scene.sims.values()) == 0
