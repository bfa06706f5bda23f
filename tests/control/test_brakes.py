"""A wrong answer from upstream never empties the pool; a check that is down never burns it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from service.errors import EvolutionError, EvolutionRejectedError
from service.evolution.simulator import OFF, Condition, Instance
from service.pool.models import Phase, Status
from tests.control.scene import HOUR, SECOND, Scene, spec

MANY = 30


async def crowd(scene: Scene, number: int = MANY) -> list[Instance]:
    """Open instances with proxies of their own, adopted."""
    await scene.add(number + 20)
    instances = [scene.instance(f"i{index:03}", row=spec(index)) for index in range(1, number + 1)]
    await scene.tick()
    assert len(await scene.pool.leases_of("a")) == number
    return instances


async def engaged(scene: Scene) -> bool:
    return (await scene.pool.server("a")).get("release_brake") == "1"


async def test_an_absent_instance_is_asked_for_and_only_a_404_ends_its_lease(scene: Scene) -> None:
    instances = await crowd(scene, 3)
    scene.sim.warts.hidden = {"i001", "i002"}
    scene.sim.delete("i002")
    await scene.tick()
    assert [bool(await scene.find_lease(one)) for one in instances] == [True, False, True]
    assert (await scene.proxy(spec(2).id)).available_at == scene.clock.at + 900 * SECOND


Wrong = Callable[[Scene], None]


def empty(scene: Scene) -> None:
    scene.sim.warts.hidden = True
    scene.sim.warts.not_loaded = True


def shrunken(scene: Scene) -> None:
    hidden = {f"i{index:03}" for index in range(1, 16)}
    scene.sim.warts.hidden = scene.sim.warts.not_loaded = hidden


def closed(scene: Scene) -> None:
    for index in range(1, 16):
        scene.sim.warts.shown_status[f"i{index:03}"] = "close"


def unknown(scene: Scene) -> None:
    for index in range(1, 16):
        scene.sim.warts.shown_status[f"i{index:03}"] = "?"


@pytest.mark.parametrize("wrong", [empty, shrunken, closed, unknown])
async def test_a_wrong_list_releases_nothing(scene: Scene, wrong: Wrong) -> None:
    await crowd(scene)
    wrong(scene)
    await scene.ticks(8, HOUR)
    assert await engaged(scene)
    assert len(await scene.pool.leases_of("a")) == MANY
    assert scene.calls("proxy/set", "instance/restart") == 0
    scene.sim.warts.hidden = scene.sim.warts.not_loaded = False
    scene.sim.warts.shown_status.clear()
    await scene.ticks(2)
    assert await engaged(scene)
    await scene.tick()
    assert not await engaged(scene)
    await scene.tick()
    assert {lease.phase.value for lease in (await scene.pool.leases_of("a")).values()} == {"active"}


async def test_a_server_that_errs_engages_it_and_three_whole_lists_let_go(scene: Scene) -> None:
    await crowd(scene)
    scene.sim.warts.db_down = True
    with pytest.raises(EvolutionError):
        await scene.tick()
    scene.sim.warts.db_down = False
    scene.sim.delete("i001")
    for expected in (True, True, False):
        await scene.tick()
        assert await engaged(scene) is expected
    assert len(await scene.pool.leases_of("a")) == MANY - 1


async def test_final_closes_are_proof_and_never_wait(scene: Scene) -> None:
    await crowd(scene)
    scene.sim.warts.db_down = True
    with pytest.raises(EvolutionError):
        await scene.tick()
    scene.sim.warts.db_down = False
    for index in range(1, 21):
        scene.sim.logout(f"i{index:03}")
    await scene.tick()
    assert await engaged(scene)
    assert len(await scene.pool.leases_of("a")) == MANY - 20


async def test_a_human_lets_go_and_the_backlog_goes_by_tens(scene: Scene) -> None:
    await crowd(scene)
    for index in range(1, 26):
        scene.sim.delete(f"i{index:03}")
    await scene.ticks(3)
    assert len(await scene.pool.leases_of("a")) == MANY
    await scene.pool.brake("a", "release", engaged=False, reason="they are gone", actor="cli:test")
    left = []
    for _ in range(4):
        await scene.tick()
        left.append(len(await scene.pool.leases_of("a")))
    assert left == [20, 10, 5, 5]
    assert not await engaged(scene)
    await scene.ticks(2)
    assert (await scene.pool.server("a"))["release_override"] == "0"


async def test_the_brake_outlives_the_process(scene: Scene) -> None:
    await crowd(scene)
    empty(scene)
    await scene.tick()
    await scene.restarted()
    scene.sim.warts.hidden = scene.sim.warts.not_loaded = False
    await scene.ticks(2)
    assert await engaged(scene)
    await scene.tick()
    assert not await engaged(scene)


async def test_humans_pass_it(scene: Scene) -> None:
    instances = await crowd(scene)
    empty(scene)
    await scene.tick()
    scene.sim.warts.hidden = scene.sim.warts.not_loaded = False
    assert await engaged(scene)
    await scene.release("i001")
    await scene.settle()
    assert (await scene.find_lease(instances[0]), scene.exit(instances[0])) == (None, None)


# the set half


async def braked(scene: Scene) -> bool:
    return (await scene.pool.server("a")).get("set_brake") == "1"


async def test_five_refusals_of_different_proxies_stop_and_a_probe_with_the_last_good_one_reopens(scene: Scene) -> None:
    """EVOLUTION.md, B22: Invalid proxy may mean that icanhazip.com is down."""
    await scene.add(17, first=4)
    good = await scene.served("good")
    scene.sim.warts.invalid_proxy = True
    waiting = [scene.instance(f"w{index}") for index in range(4)]
    before = scene.calls("proxy/set")
    await scene.tick()
    assert await braked(scene)
    sets = scene.calls("proxy/set") - before
    assert 5 <= sets <= 5 + len(waiting)
    assert [await scene.status(spec(number).id) for number in range(2, 21)] == [Status.FREE] * 19
    await scene.ticks(3)
    assert scene.calls("proxy/set") - before == sets
    await scene.control.probe()
    assert scene.sim.calls.to("proxy/set")[-1].name == "good"
    assert (scene.calls("proxy/set") - before, await braked(scene)) == (sets + 1, True)
    scene.sim.warts.invalid_proxy = False
    await scene.control.probe()
    assert not await braked(scene)
    await scene.ticks(2)
    assert len({scene.exit(one) for one in (*waiting, good)} - {None, "-"}) == 5


async def test_without_a_good_one_the_probe_is_the_assignment_of_one_that_waits(scene: Scene) -> None:
    await scene.add(7, first=4)
    scene.sim.warts.invalid_proxy = True
    instance = scene.instance("x")
    await scene.tick()
    assert await braked(scene)
    await scene.tick()
    before = scene.calls("proxy/set")
    await scene.control.probe()
    assert (scene.calls("proxy/set") - before, await braked(scene)) == (1, True)
    scene.sim.warts.invalid_proxy = False
    await scene.control.probe()
    await scene.tick()
    assert (scene.exit(instance) is not None, await braked(scene)) == (True, False)


async def test_one_bad_instance_or_one_bad_proxy_does_not_engage_it(scene: Scene) -> None:
    scene.sim.conditions[scene.endpoint(1)] = Condition.DEAD
    for index in range(6):
        scene.instance(f"x{index}", state="close")
        with pytest.raises(EvolutionRejectedError):
            await scene.assign(f"x{index}", pin=spec(1).id)
    assert not await braked(scene)


async def test_a_probe_never_races_with_the_release_of_its_instance(scene: Scene) -> None:
    instance = await scene.served("x")
    await scene.pool.brake("a", "set", engaged=True, reason="test")
    scene.sim.conditions[scene.endpoint(1)] = Condition.SILENT
    await scene.tick(settle=False)
    probe = asyncio.create_task(scene.control.probe())
    await scene.held()
    release = asyncio.create_task(scene.release("x"))
    await asyncio.sleep(0.02)
    scene.sim.conditions.clear()
    scene.sim.release()
    await probe
    await release
    await scene.settle()
    await scene.ticks(2)
    assert (scene.row(instance), scene.exit(instance), await scene.find_lease(instance)) == (None, None, None)


async def test_pause_stops_policy_and_not_humans(scene: Scene) -> None:
    await scene.pool.pause(paused=True, actor="cli:test")
    instance = scene.instance("x")
    await scene.ticks(2)
    assert await scene.find_lease(instance) is None
    await scene.assign("x")
    await scene.settle()
    assert scene.exit(instance) == spec(1).id
    await scene.release("x")
    await scene.ticks(2)
    assert (scene.exit(instance), await scene.find_lease(instance)) == (None, None)


async def test_what_policy_holds_is_left_as_it_is_while_the_pool_is_paused(scene: Scene) -> None:
    instance = await scene.served("x")
    await scene.pool.pause(paused=True, actor="cli:test")
    scene.sim.logout("x", 401)
    scene.sim.set_row_by_hand("x", OFF)
    before = scene.calls()
    await scene.ticks(3)
    assert (await scene.phase(instance), scene.calls() - before) == (Phase.ACTIVE, 3)
    await scene.pool.pause(paused=False, actor="cli:test")
    await scene.ticks(2)
    assert await scene.find_lease(instance) is None
