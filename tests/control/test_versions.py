"""Servers of other versions: the list of version 1 tells no rows, and 2.3.6 knows no ``socks5``."""

from __future__ import annotations

import logging
from typing import Any

import orjson
import pytest

from service.errors import EvolutionUnavailableError, RefusedError
from service.evolution.simulator import OFF, Condition, Endpoint, Fault, Simulator
from service.models import Protocol
from service.pool.models import Applied, Phase, Status
from tests.control.scene import MINUTE, SECOND, Scene, spec

LIST, FIND, SET = "instance/fetchInstances", "proxy/find", "proxy/set"


def older(sim: Simulator) -> None:
    sim.warts.protocols = frozenset({"http", "socks"})


def version_1(sim: Simulator) -> None:
    """Only the shape of the list differs; how the other routes answered then is not known (EVOLUTION.md)."""
    sim.warts.version_1 = True


@pytest.fixture
async def old(blank: Scene) -> Scene:
    """Version 1 that was read, three proxies and no instance."""
    version_1(blank.sim)
    await blank.add(3)
    await blank.tick()
    return blank


def others(scene: Scene) -> None:
    """So many that the slow round takes its time."""
    for index in range(60):
        scene.instance(f"other{index}", state="close")


@pytest.mark.parametrize("version", [older, version_1])
async def test_a_whole_life(blank: Scene, version: Any) -> None:
    scene = blank
    version(scene.sim)
    first, second = await scene.add(2, protocol=Protocol.SOCKS5)
    await scene.tick()
    instance = await scene.served()
    assert instance.row is not None
    assert (instance.row.protocol, scene.exit(instance)) == ("socks", first)
    await scene.rotate("x")
    await scene.settle()
    await scene.ticks(2)
    assert (scene.exit(instance), (await scene.lease(instance)).applied) == (second, Applied.YES)
    await scene.restarted()
    await scene.ticks(2)
    lease = await scene.lease(instance)
    assert (lease.proxy_id, lease.phase, lease.applied) == (second, Phase.ACTIVE, Applied.YES)
    await scene.release("x")
    await scene.settle()
    await scene.ticks(2)
    assert (await scene.find_lease(instance), scene.row(instance), scene.exit(instance)) == (None, None, None)
    assert scene.calls("instance/connect") == 0


async def test_rows_of_the_list_that_evoproxy_never_wrote_are_adopted_or_external(old: Scene) -> None:
    scene = old
    await scene.restarted(exclude=("bot",))
    ours, theirs = scene.instance("ours", row=spec(1)), scene.instance("theirs", row=spec(50))
    scene.instance("bot", row=spec(2))
    newcomer = scene.instance("newcomer")
    await scene.ticks(2)
    assert ((await scene.lease(ours)).proxy_id, (await scene.lease(ours)).applied) == (spec(1).id, Applied.UNKNOWN)
    assert (await scene.find_lease(theirs), (await scene.pool.stats()).external) == (None, 1)
    assert await scene.status(spec(2).id) is Status.QUARANTINED
    assert scene.exit(newcomer) == spec(3).id
    assert scene.sim.calls.peak[FIND] <= 8


async def test_nothing_is_handed_out_before_every_row_was_read(blank: Scene) -> None:
    scene = blank
    version_1(scene.sim)
    await scene.add(1)
    scene.instance("user", row=spec(1))
    scene.instance("x", state="close")
    scene.sim.warts.faults.append(Fault(FIND, "user", times=1, status=500))
    await scene.tick()
    assert await scene.assign_refused("x") == "not_reconciled"
    await scene.tick()
    assert await scene.assign_refused("x") == "no_proxy_available"


async def test_a_database_that_goes_down_behind_the_list_proves_no_missing_row(blank: Scene) -> None:
    scene = blank
    version_1(scene.sim)
    await scene.add(1)
    instance = scene.instance("x", row=spec(1))
    find = scene.clients["a"].find_proxy

    async def down(name: str) -> Any:
        scene.sim.warts.db_down = True
        return await find(name)

    scene.clients["a"].find_proxy = down  # type: ignore[method-assign]
    with pytest.raises(EvolutionUnavailableError):
        await scene.tick()
    with pytest.raises((EvolutionUnavailableError, RefusedError)):
        await scene.assign("x")
    scene.sim.warts.db_down = False
    scene.clients["a"].find_proxy = find  # type: ignore[method-assign]
    await scene.tick()
    assert (await scene.lease(instance)).proxy_id == spec(1).id
    assert scene.calls(SET) == 0


async def test_an_instance_whose_row_can_not_be_read_is_left_alone(old: Scene) -> None:
    scene = old
    external = scene.instance("external", row=spec(50))
    await scene.tick()
    await scene.restarted()
    unread = scene.instance("unread")
    scene.sim.warts.faults.append(Fault(FIND, "unread", status=500))
    scene.sim.warts.faults.append(Fault(FIND, "external", body=b'{"enabled":false,"instanceId":"of another"}'))
    await scene.served("x")
    scene.sim.drop("external")
    await scene.ticks(2)
    assert (await scene.find_lease(unread), await scene.find_lease(external), scene.calls(SET)) == (None, None, 1)
    assert (await scene.pool.stats()).external == 1
    scene.sim.warts.faults.clear()
    await scene.tick()
    assert scene.exit(unread) == spec(2).id


async def test_a_reservation_waits_for_the_row_of_its_name(old: Scene) -> None:
    await old.pool.reserve("a", "x", reservation="r1", expires_at=old.clock.at + MINUTE, actor="token:panel")
    instance = old.instance("x", row=spec(1))
    old.sim.warts.faults.append(Fault(FIND, status=500))
    await old.ticks(2, MINUTE)
    assert (await old.pool.stats()).reservations == 1
    old.sim.warts.faults.clear()
    await old.tick()
    assert (await old.lease(instance)).proxy_id == spec(1).id


async def test_a_server_that_answers_no_row_is_not_asked_for_all_of_them(old: Scene) -> None:
    scene = old
    for index in range(100):
        scene.instance(f"i{index}")
    scene.sim.warts.faults.append(Fault(FIND, status=500))
    await scene.tick()
    assert scene.calls(FIND) <= 16


async def test_the_steady_state_is_one_list_a_tick_and_a_slow_even_round_over_the_rows(old: Scene) -> None:
    scene = old
    await scene.add(17, first=4)
    instances = [scene.instance(f"i{index}") for index in range(20)]
    await scene.ticks(3)
    assert {one.state for one in instances} == {"open"}
    scene.sim.calls.recent.clear()
    for _ in range(10):
        before = len(scene.sim.calls.to(FIND))
        await scene.tick(30 * SECOND)
        assert 2 <= len(scene.sim.calls.to(FIND)) - before <= 3
    asked = {call.name for call in scene.sim.calls.to(FIND)}
    assert asked == {one.name for one in instances}
    assert len(scene.sim.calls.to(LIST)) == 10
    assert len(scene.sim.calls.recent) - len(scene.sim.calls.to(FIND)) == 10


async def test_instances_that_are_not_in_the_servers_memory_hold_no_others_up(old: Scene) -> None:
    scene = old
    for index in range(20):
        scene.instance(f"i{index}", state="close")
    await scene.tick()
    scene.sim.warts.not_loaded = {"i0", "i1", "i2"}
    scene.sim.calls.recent.clear()
    await scene.ticks(10, 30 * SECOND)
    assert len({call.name for call in scene.sim.calls.to(FIND)}) == 20


async def test_a_row_that_was_set_by_hand_is_seen_within_five_minutes(old: Scene) -> None:
    scene = old
    others(scene)
    instance = await scene.served()
    await scene.tick()
    scene.sim.set_row_by_hand("x", OFF)
    await scene.tick()
    assert scene.row(instance) is None
    await scene.ticks(10, 30 * SECOND)
    assert scene.row(instance) == spec(1).id
    assert len(await scene.events("lease.asserted")) == 1


async def test_a_row_is_asked_again_once_another_process_changed_what_the_instance_holds(old: Scene) -> None:
    """Else a proxy that was released would be adopted again, from a row that is cleared."""
    scene = old
    others(scene)
    instance = await scene.served()
    await scene.tick()
    await scene.start()
    scene.sim.disconnect("x")
    await scene.tick()
    await scene.tick(MINUTE)
    await scene.ticks(2)
    assert (await scene.find_lease(instance), scene.row(instance)) == (None, None)
    scene.sim.open("x")
    await scene.controllers[0].servers["a"].tick()
    await scene.settle()
    await scene.until(lambda: len(scene.controllers[0].servers["a"].acts) == 0)
    assert (await scene.lease(instance)).proxy_id == scene.row(instance)
    assert await scene.events("lease.adopted") == []


async def test_in_a_new_epoch_every_row_is_read_again(old: Scene) -> None:
    """Redis has lost the lease of a set that landed since."""
    scene = old
    others(scene)
    instance = scene.instance("x", state="close")
    await scene.tick()
    scene.sim.set_row_by_hand("x", spec(3))
    scene.sim.open("x")
    await scene.pool.renew_epoch("another life")
    await scene.ticks(2)
    assert (await scene.lease(instance)).proxy_id == spec(3).id
    assert scene.calls(SET) == 0


async def test_a_close_has_no_code_and_is_never_final(old: Scene) -> None:
    scene = old
    instance = await scene.served()
    scene.sim.logout("x")
    await scene.tick()
    lease = await scene.lease(instance)
    assert (lease.release_reason, lease.grace_until is not None) == ("disconnected", True)
    await scene.tick(MINUTE)
    await scene.ticks(2)
    assert (await scene.find_lease(instance), await scene.status(spec(1).id)) == (None, Status.FREE)


async def test_absence_ends_a_lease_only_with_a_404(old: Scene) -> None:
    scene = old
    instance = await scene.served()
    scene.sim.warts.hidden = {"x"}
    await scene.tick()
    assert await scene.phase(instance) is Phase.ACTIVE
    scene.sim.warts.hidden = False
    scene.sim.delete("x")
    await scene.tick()
    assert await scene.status(spec(1).id) is Status.COOLING


async def test_by_hand_an_instance_keeps_the_proxy_of_its_row(old: Scene) -> None:
    scene = old
    instance = scene.instance("x", row=spec(2))
    given = await scene.assign("x")
    assert (given.lease.proxy_id, scene.row(instance)) == (spec(2).id, spec(2).id)
    assert scene.calls(SET) == 0


async def test_a_reconnect_loop_is_cured_by_rotation(old: Scene) -> None:
    scene = old
    instance = await scene.served()
    scene.sim.conditions[Endpoint.of(spec(1))] = Condition.DEAD
    scene.sim.drop("x")
    await scene.rotate("x")
    await scene.settle()
    await scene.ticks(2)
    assert (scene.exit(instance), (await scene.lease(instance)).applied) == (spec(2).id, Applied.YES)


@pytest.mark.parametrize(
    "shape", [[{"Instance": {}}], {"instances": []}, "mixed", [{"instance": {"instanceName": "x"}}], [None]]
)
async def test_an_unknown_shape_is_refused_loudly_and_releases_nothing(
    scene: Scene, shape: Any, caplog: pytest.LogCaptureFixture
) -> None:
    instance = await scene.served()
    if shape == "mixed":
        shape = [
            {"id": "i1", "name": "a", "Proxy": None},
            {"instance": {"instanceId": "i2", "instanceName": "b", "status": "open"}},
        ]
    scene.sim.warts.faults.append(Fault(LIST, body=orjson.dumps(shape)))
    with caplog.at_level(logging.ERROR):
        await scene.controller.polls["a"]._run_once()
    (line,) = [record for record in caplog.records if hasattr(record, "error")]
    assert "server='a'" in str(line.__dict__["error"])
    assert (await scene.pool.server("a"))["release_brake"] == "1"
    assert (await scene.phase(instance), scene.row(instance)) == (Phase.ACTIVE, spec(1).id)
    scene.sim.warts.faults.clear()
    await scene.tick()
    assert scene.exit(instance) == spec(1).id
