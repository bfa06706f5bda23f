"""A proxy dies under an instance: noticed, cured where it can be, else rotated away; or it is the server's fault."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace

import pytest

from service.control.evidence import cure_due, ripe
from service.errors import EvolutionError
from service.evolution.simulator import Condition, Instance
from service.pool.models import Applied, Status
from tests.control.scene import MINUTE, SECOND, Scene, spec

POLL = 30 * SECOND


async def look_around(scene: Scene, pause: int = 5 * SECOND) -> None:
    """The slow round goes once over all, as far as they are few."""
    for _ in range(MINUTE // pause + 2):
        scene.clock.move(pause)
        await scene.control.round.step()


async def dying(scene: Scene, condition: Condition, name: str = "x") -> Instance:
    """An instance that was served and whose proxy dies: the list goes on showing it open."""
    instance = await scene.served(name)
    await scene.tick()
    await break_down(scene, instance, condition)
    await look_around(scene)
    assert (await scene.lease(instance)).troubled_since is not None
    return instance


async def break_down(scene: Scene, instance: Instance, condition: Condition) -> None:
    assert instance.socket is not None
    assert instance.socket.exit is not None
    scene.sim.conditions[instance.socket.exit] = condition
    scene.sim.drop(instance.name)
    await scene.until(lambda: instance.state == "connecting")


@pytest.mark.parametrize("condition", [Condition.DEAD, Condition.REFUSING, Condition.SILENT])
async def test_a_dead_proxy_is_rotated_away_and_goes_under_probation(scene: Scene, condition: Condition) -> None:
    instance = await dying(scene, condition)
    await scene.ticks(8, POLL)
    lease = await scene.lease(instance)
    assert (scene.exit(instance), lease.proxy_id) == (spec(2).id, spec(2).id)
    assert (lease.applied, lease.reason, lease.troubled_since) == (Applied.YES, "dead_proxy", None)
    proxy = await scene.proxy(spec(1).id)
    assert (proxy.status, proxy.quarantine_reason, proxy.strikes) == (Status.QUARANTINED, "dead_proxy", 1)
    assert scene.calls("instance/connect") == 0
    [event] = await scene.events("lease.rotated")
    assert (event["reason"], event["replaces"], event["actor"]) == ("dead_proxy", spec(1).id, "auto")


async def test_in_a_reconnect_loop_nothing_is_restarted(scene: Scene) -> None:
    """EVOLUTION.md, B9: a set alone is enough."""
    scene.sim.paces.attempt = 0.3
    scene.patience = replace(scene.patience, glances=(0.01,) * 100)
    await scene.restarted()
    instance = await dying(scene, Condition.DEAD)
    restarts = scene.calls("instance/restart")
    await scene.ticks(6, POLL)
    assert scene.exit(instance) == spec(2).id
    assert scene.calls("instance/restart") == restarts


async def test_a_stuck_instance_whose_proxy_is_back_is_cured_by_set_and_restart(scene: Scene) -> None:
    """EVOLUTION.md, B10: connecting for ever, though the proxy works again."""
    instance = await dying(scene, Condition.REFUSING)
    scene.sim.conditions.clear()
    sets, restarts = scene.calls("proxy/set"), scene.calls("instance/restart")
    began = (await scene.lease(instance)).troubled_since
    assert began is not None
    while scene.clock.at + POLL <= began + MINUTE:
        await scene.tick(POLL)
    assert (scene.calls("proxy/set"), scene.calls("instance/restart"), instance.state) == (sets, restarts, "connecting")
    await scene.tick(POLL)
    assert (scene.calls("proxy/set"), scene.calls("instance/restart")) == (sets + 1, restarts + 1)
    assert (instance.state, scene.exit(instance)) == ("open", spec(1).id)
    await scene.ticks(3, POLL)
    lease = await scene.lease(instance)
    assert (lease.proxy_id, lease.applied, lease.troubled_since, lease.signs) == (spec(1).id, Applied.YES, None, ())
    assert await scene.events("lease.rotated") == []


async def test_an_instance_that_comes_back_by_itself_is_left_alone(scene: Scene) -> None:
    instance = await dying(scene, Condition.DEAD)
    scene.sim.conditions.clear()
    await scene.until(lambda: instance.state == "open")
    sets = scene.calls("proxy/set")
    await scene.ticks(6, POLL)
    lease = await scene.lease(instance)
    assert (lease.proxy_id, lease.troubled_since, scene.calls("proxy/set")) == (spec(1).id, None, sets)


async def test_a_single_reading_that_is_not_open_proves_nothing(scene: Scene) -> None:
    instance = await scene.served()
    await scene.tick()
    scene.sim.warts.shown_state["x"] = "close"
    await look_around(scene)
    scene.sim.warts.shown_state.clear()
    await scene.ticks(2, POLL)
    lease = await scene.lease(instance)
    assert (lease.troubled_since, await scene.events("lease.troubled")) == (None, [])


@pytest.mark.parametrize("state", [None, "open"])
async def test_a_state_that_is_missing_or_open_is_no_evidence(scene: Scene, state: str | None) -> None:
    instance = await scene.served()
    await scene.tick()
    scene.sim.warts.shown_state["x"] = state
    await look_around(scene)
    assert (await scene.lease(instance)).troubled_since is None


async def test_the_same_group_comes_first(blank: Scene) -> None:
    scene = blank
    await scene.add(1, group="br")
    await scene.add(1, first=2)
    await scene.add(1, first=3, group="br")
    await scene.tick()
    instance = await dying(scene, Condition.DEAD)
    await scene.ticks(6, POLL)
    assert scene.exit(instance) == spec(3).id


async def test_a_new_proxy_that_is_refused_is_given_back_and_the_next_is_tried(scene: Scene) -> None:
    instance = await dying(scene, Condition.DEAD)
    scene.sim.conditions[scene.endpoint(2)] = Condition.DEAD
    await scene.ticks(6, POLL)
    assert scene.exit(instance) == spec(3).id
    assert await scene.status(spec(2).id) is Status.FREE


async def test_without_another_proxy_it_keeps_the_old_one_and_says_so_once(
    blank: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    scene = blank
    await scene.add(1)
    await scene.tick()
    instance = await dying(scene, Condition.DEAD)
    with caplog.at_level(logging.WARNING):
        await scene.ticks(8, POLL)
    told = [record for record in caplog.records if getattr(record, "code", "") == "rotation_waits"]
    assert (len(told), (await scene.lease(instance)).proxy_id) == (1, spec(1).id)
    await scene.add(1, first=2)
    await scene.ticks(2, POLL)
    assert scene.exit(instance) == spec(2).id


async def test_after_the_rotations_of_a_day_it_waits_for_a_human_and_says_so(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    await scene.restarted(rotations_per_day=1)
    instance = await dying(scene, Condition.DEAD)
    await scene.ticks(6, POLL)
    await break_down(scene, instance, Condition.DEAD)
    await look_around(scene)
    with caplog.at_level(logging.WARNING):
        await scene.ticks(8, POLL)
    told = [record for record in caplog.records if getattr(record, "code", "") == "rotations_spent"]
    assert (len(told), len(await scene.events("rotation.spent"))) == (1, 1)
    lease = await scene.lease(instance)
    assert (lease.proxy_id, lease.spent, (await scene.pool.stats()).spent) == (spec(2).id, True, 1)
    await scene.rotate("x")
    await scene.until(lambda: scene.exit(instance) == spec(3).id)
    assert (await scene.pool.stats()).spent == 0


async def test_found_open_again_it_waits_no_more(scene: Scene) -> None:
    await scene.restarted(rotations_per_day=0)
    instance = await dying(scene, Condition.DEAD)
    await scene.ticks(6, POLL)
    assert (await scene.lease(instance)).spent
    scene.sim.conditions.clear()
    await scene.until(lambda: instance.state == "open")
    await scene.tick(POLL)
    assert not (await scene.lease(instance)).spent


async def test_what_policy_leaves_alone_is_neither_cured_nor_rotated(scene: Scene) -> None:
    instance = await dying(scene, Condition.DEAD)
    await scene.restarted(exclude=("x",))
    sets = scene.calls("proxy/set")
    await scene.ticks(6, POLL)
    assert ((await scene.lease(instance)).proxy_id, scene.calls("proxy/set")) == (spec(1).id, sets)


async def test_a_pause_stops_cures_and_rotations(scene: Scene) -> None:
    instance = await dying(scene, Condition.DEAD)
    await scene.ticks(2, POLL)
    await scene.pool.pause(paused=True, actor="cli:test")
    sets = scene.calls("proxy/set")
    await scene.ticks(6, POLL)
    assert ((await scene.lease(instance)).proxy_id, scene.calls("proxy/set")) == (spec(1).id, sets)


async def test_the_signs_outlive_the_process(scene: Scene) -> None:
    instance = await dying(scene, Condition.DEAD)
    for _ in range(6):
        await scene.restarted()
        await scene.tick(POLL)
    assert scene.exit(instance) == spec(2).id


async def refused_without_restarts(scene: Scene) -> Instance:
    """With ``next_connect``: it connected by itself, and now its proxy refuses it."""
    await scene.restarted(restart=False)
    instance = scene.instance("x")
    await scene.ticks(2)
    scene.sim.drop("x")
    await scene.until(lambda: instance.state == "open")
    await break_down(scene, instance, Condition.REFUSING)
    await look_around(scene)
    return instance


async def test_with_next_connect_nothing_is_restarted_not_even_as_a_cure(scene: Scene) -> None:
    instance = await refused_without_restarts(scene)
    scene.sim.conditions.clear()
    await scene.ticks(3, POLL)
    assert (scene.calls("instance/restart"), instance.state) == (0, "connecting")
    assert scene.calls("proxy/set") > 1


async def test_with_next_connect_a_stuck_instance_costs_no_second_proxy(scene: Scene) -> None:
    instance = await refused_without_restarts(scene)
    await scene.ticks(20, POLL)
    assert (scene.row(instance), await scene.events("lease.rotated")) == (spec(1).id, [])


# the server as the suspect

MANY = 8


async def crowd(scene: Scene, condition: Condition) -> list[Instance]:
    """Instances that were served, and all lose their connection at once, as in a failure of the server's network."""
    await scene.add(2 * MANY, first=10)
    instances = [scene.instance(f"i{number}") for number in range(MANY)]
    await scene.ticks(2)
    for instance in instances:
        await break_down(scene, instance, condition)
    await look_around(scene)
    return instances


async def test_many_at_once_speak_against_the_server_and_nothing_is_rotated(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    await crowd(scene, Condition.DEAD)
    with caplog.at_level(logging.WARNING):
        await scene.ticks(18, POLL)
    assert await scene.events("lease.rotated") == []
    server = await scene.pool.server("a")
    assert server["suspect_reason"] == f"troubled leased={MANY} troubled={MANY}"
    assert len(await scene.events("server.suspect")) == 1
    assert len([record for record in caplog.records if getattr(record, "code", "") == "server_suspect"]) == 1


async def test_an_outage_of_a_small_server_costs_no_proxy(scene: Scene) -> None:
    """All of its three hang at once, on proxies that work."""
    await scene.add(20, first=10)
    instances = [scene.instance(f"i{number}") for number in range(3)]
    await scene.ticks(2)
    held = [(await scene.lease(instance)).proxy_id for instance in instances]
    for instance in instances:
        await break_down(scene, instance, Condition.REFUSING)
    await look_around(scene)
    await scene.ticks(16, POLL)
    scene.sim.conditions.clear()
    await scene.ticks(12, POLL)
    assert await scene.events("lease.rotated") == []
    assert [scene.exit(instance) for instance in instances] == held


async def test_the_suspect_s_instances_are_cured_one_at_a_look_until_one_success(scene: Scene) -> None:
    instances = await crowd(scene, Condition.REFUSING)
    await scene.ticks(2, POLL)
    before = scene.calls("proxy/set")
    sets = []
    for _ in range(4):
        await scene.tick(POLL)
        sets.append(scene.calls("proxy/set"))
    assert sets == [before + 1, before + 2, before + 3, before + 4]
    scene.sim.conditions.clear()
    since = scene.clock.at
    while not await scene.events("server.cleared"):
        assert scene.clock.at < since + 5 * MINUTE
        await scene.tick(POLL)
    await scene.ticks(2, POLL)
    assert all(instance.state == "open" for instance in instances)
    assert await scene.events("lease.rotated") == []
    assert len(await scene.events("server.cleared")) == 1


async def test_a_trial_that_is_applied_clears_the_server_and_all_are_rotated(scene: Scene) -> None:
    instances = await crowd(scene, Condition.DEAD)
    since = scene.clock.at
    while not await scene.events("lease.rotated"):
        assert scene.clock.at < since + 15 * MINUTE
        await scene.tick(POLL)
    assert len(await scene.events("lease.rotated")) == 1
    await scene.ticks(4, POLL)
    assert all(instance.state == "open" for instance in instances)
    assert "suspect_since" not in await scene.pool.server("a")


async def test_while_trials_fail_there_is_one_a_window(scene: Scene) -> None:
    await scene.hurry()
    await crowd(scene, Condition.REFUSING)

    def dies(endpoint: object) -> bool:
        scene.sim.conditions[endpoint] = Condition.REFUSING  # type: ignore[index]
        return False

    scene.sim.warts.silent_loss = dies  # each proxy dies when its test has passed
    await scene.ticks(20, POLL)
    before = len(await scene.events("lease.rotated"))
    await scene.ticks(20, POLL)
    assert len(await scene.events("lease.rotated")) - before == 2


async def test_sets_that_nobody_answers_stop_the_sets_too(scene: Scene) -> None:
    """EVOLUTION.md, B22: a server whose tests hang would cost the pool one proxy an instance."""
    await scene.add(10, first=10)
    await scene.hurry()
    for number in range(10):
        scene.instance(f"i{number}")
    for endpoint in [scene.endpoint(number) for number in (1, 2, 3, *range(10, 20))]:
        scene.sim.conditions[endpoint] = Condition.SILENT
    await scene.tick()
    await scene.tick(41 * SECOND)
    assert (await scene.pool.server("a"))["set_brake"] == "1"
    sets = scene.calls("proxy/set")
    await scene.tick(41 * SECOND)
    assert scene.calls("proxy/set") == sets


@pytest.mark.parametrize("remedy", ["cure", "rotate"])
async def test_one_that_came_back_since_the_last_look_is_left_alone(scene: Scene, remedy: str) -> None:
    instance = await dying(scene, Condition.DEAD)
    lease = await scene.lease(instance)
    while not (cure_due if remedy == "cure" else ripe)(lease, scene.clock.at + POLL, scene.policy):
        await scene.tick(POLL)
        lease = await scene.lease(instance)
    scene.sim.conditions.clear()
    await scene.until(lambda: instance.state == "open")
    sets = scene.calls("proxy/set")
    await scene.tick(POLL)
    lease = await scene.lease(instance)
    assert (lease.proxy_id, lease.troubled_since, scene.calls("proxy/set")) == (spec(1).id, None, sets)


async def test_a_restart_that_waits_its_turn_is_not_sent_while_the_list_errs(scene: Scene) -> None:
    """EVOLUTION.md, B11, C5: between its decision and its turn the server began to err."""
    turn = asyncio.Event()

    async def take(*, urgent: bool = False) -> None:
        await turn.wait()

    scene.control.context.restarts.take = take  # type: ignore[method-assign]
    scene.instance("x")
    await scene.tick(settle=False)
    await scene.until(lambda: scene.calls("proxy/find") > 0)
    scene.sim.warts.db_down = True
    with pytest.raises(EvolutionError):
        await scene.tick(settle=False)
    scene.sim.warts.db_down = False
    turn.set()
    await scene.settle()
    assert scene.calls("instance/restart") == 0
