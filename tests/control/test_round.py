"""The slow round: every leased instance that is shown open is read within five minutes, evenly, and nothing else."""

from __future__ import annotations

import asyncio

import pytest

from service.errors import EvolutionError
from service.evolution.simulator import Condition
from service.pool.models import Applied
from tests.control.scene import MINUTE, SECOND, Scene, spec

STATE = "instance/connectionState"


async def crowd(scene: Scene, number: int) -> None:
    """So many adopted instances, and a list that was read since."""
    await scene.add(number)
    for index in range(1, number + 1):
        scene.instance(f"i{index:03}", row=spec(index))
    await scene.ticks(2)
    await scene.control.round.step()


async def steps(scene: Scene, seconds: int) -> list[int]:
    """How often live states were read in each of so many seconds."""
    read = []
    for _ in range(seconds):
        before = scene.calls(STATE)
        scene.clock.move(SECOND)
        await scene.control.round.step()
        read.append(scene.calls(STATE) - before)
    return read


@pytest.mark.parametrize(("number", "period", "most"), [(6, 60, 1), (40, 60, 1), (200, 240, 1), (480, 240, 2)])
async def test_each_one_is_read_once_a_period_and_the_reads_are_even(
    blank: Scene, number: int, period: int, most: int
) -> None:
    await crowd(blank, number)
    read = await steps(blank, period)
    assert number - 1 <= sum(read) <= number
    assert max(read) <= most
    names = [call.name for call in blank.sim.calls.to(STATE)][-sum(read) :]
    assert len(set(names)) == len(names)


async def test_where_many_hang_they_are_known_before_the_evidence_against_one_is_complete(blank: Scene) -> None:
    """Of 200 that an even round would take four minutes for; one that hangs alone costs ten more calls."""
    await crowd(blank, 200)
    blank.sim.warts.shown_state = dict.fromkeys(blank.sim.memory, "connecting")
    await steps(blank, 12)
    leases = await blank.pool.leases_of("a")
    assert sum(lease.troubled_since is not None for lease in leases.values()) > 100
    blank.sim.warts.shown_state = {}
    await blank.tick()
    await steps(blank, 60)
    blank.sim.warts.shown_state = {"i150": "connecting"}
    assert sum(await steps(blank, 240)) <= 200 + 10


async def test_the_steady_state_writes_nothing(blank: Scene) -> None:
    await crowd(blank, 20)
    before = await blank.pool.redis.info("commandstats")
    await steps(blank, 120)
    after = await blank.pool.redis.info("commandstats")
    assert {name: count["calls"] for name, count in after.items() if name != "cmdstat_info"} == {
        name: count["calls"] for name, count in before.items() if name != "cmdstat_info"
    }


async def test_it_finds_what_the_list_hides_and_reads_it_no_more(scene: Scene) -> None:
    instance = await scene.served()
    await scene.tick()
    scene.sim.conditions[scene.endpoint(1)] = Condition.REFUSING
    scene.sim.drop("x")
    await scene.until(lambda: instance.state == "connecting")
    await steps(scene, 62)
    assert (await scene.lease(instance)).troubled_since is not None
    await scene.tick()
    assert sum(await steps(scene, 120)) == 0


async def test_an_adopted_one_that_reconnects_becomes_applied(scene: Scene) -> None:
    instance = scene.instance("x", row=spec(1))
    await scene.ticks(2)
    assert (await scene.lease(instance)).applied is Applied.UNKNOWN
    scene.sim.warts.shown_state["x"] = "close"
    await steps(scene, 62)
    scene.sim.warts.shown_state.clear()
    await scene.tick()
    assert (await scene.lease(instance)).applied is Applied.YES


async def test_only_what_the_list_shows_open_is_read(scene: Scene) -> None:
    await scene.served("x")
    scene.sim.warts.shown_status["x"] = "connecting"
    await scene.tick()
    assert sum(await steps(scene, 120)) == 0


async def test_one_whose_act_is_under_way_is_left_to_it(scene: Scene) -> None:
    instance = await scene.served("x")
    await scene.tick()
    over = asyncio.Event()
    scene.control.acts.start((await scene.lease(instance)).instance, over.wait())
    assert sum(await steps(scene, 120)) == 0
    over.set()


async def test_while_the_list_errs_nothing_is_read(scene: Scene) -> None:
    await scene.served("x")
    await scene.tick()
    scene.sim.warts.db_down = True
    with pytest.raises(EvolutionError):
        await scene.tick()
    assert sum(await steps(scene, 120)) == 0


async def test_in_observe_mode_nothing_is_read(scene: Scene) -> None:
    await scene.served("x")
    await scene.start(mode="observe")
    await scene.ticks(2)
    assert sum(await steps(scene, 120)) == 0


async def test_a_pause_ends_in_no_burst(blank: Scene) -> None:
    await crowd(blank, 40)
    blank.clock.move(10 * MINUTE)
    before = blank.calls(STATE)
    await blank.control.round.step()
    assert blank.calls(STATE) - before <= 4
