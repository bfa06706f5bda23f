"""An instance loses its proxy, and nobody gets it before the old socket is gone."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from service.control.releasing import clear
from service.evolution.simulator import OFF, Condition, Fault, Instance, ProxyRow
from service.models import ProxySpec
from service.pool.models import Applied, Phase, Status, Waits
from tests.control.scene import HOUR, MINUTE, Scene, spec

GRACE = 60_000


async def test_released_by_hand_while_open_the_next_one_gets_the_proxy_after_the_socket_has_moved(scene: Scene) -> None:
    await scene.hurry()
    for number in (2, 3):
        await scene.pool.disable(spec(number).id, reason="test", actor="cli:test")
    first = await scene.served("first")
    scene.sim.warts.restart_refused = {"first"}  # its socket does not move for now
    assert await scene.release("first") is not None
    await scene.settle()
    second = scene.instance("second")
    await scene.ticks(3)
    assert (scene.row(first), scene.exit(first)) == (None, spec(1).id)
    assert await scene.find_lease(second) is None
    scene.sim.warts.restart_refused = False
    await scene.tick()
    assert scene.exit(first) is None
    await scene.tick()
    assert scene.exit(second) == spec(1).id
    assert await scene.find_lease(first) is None


async def test_released_in_its_reconnect_loop_it_need_not_come_to_be_open(scene: Scene) -> None:
    """The server has no way out but its proxies: what it tries without one fails as well."""
    instance = await scene.served()
    scene.sim.warts.default_proxy = ProxyRow.of(spec(50))
    for number in (1, 50):
        scene.sim.conditions[scene.endpoint(number)] = Condition.DEAD
    scene.sim.drop("x")
    await scene.until(lambda: instance.state == "connecting")
    await scene.release("x")
    await scene.settle()
    await scene.ticks(2)
    assert (await scene.find_lease(instance), instance.status) == (None, "open")
    assert await scene.status(spec(1).id) is Status.FREE


async def test_a_release_waits_for_no_watch_that_was_begun_for_something_else(scene: Scene) -> None:
    instance = await scene.served()
    scene.patience = replace(scene.patience, watch_for=3600, watch_every=(0.01,))
    await scene.restarted()
    await scene.tick(settle=False)
    scene.sim.paces.open, scene.sim.paces.connecting = 3600, 0.1
    await scene.rotate("x")
    await scene.until(lambda: instance.state == "connecting")
    await scene.release("x")
    scene.sim.paces.open = 0
    await scene.settle()
    await scene.ticks(2)
    assert await scene.find_lease(instance) is None


async def test_released_by_hand_it_is_left_alone_until_the_next_assignment_by_hand(scene: Scene) -> None:
    instance = await scene.served()
    await scene.release("x")
    await scene.ticks(3, MINUTE)
    assert await scene.find_lease(instance) is None
    given = await scene.assign("x")
    await scene.settle()
    assert (given.new, scene.exit(instance)) == (True, given.lease.proxy_id)
    assert (await scene.assign("x")).new is False


async def test_a_disconnected_instance_keeps_its_proxy_for_the_grace(scene: Scene) -> None:
    instance = await scene.served()
    scene.sim.disconnect("x")
    await scene.tick()
    lease = await scene.lease(instance)
    assert (lease.phase, lease.waits) == (Phase.RELEASING, Waits.GRACE)
    await scene.tick(GRACE - 1)
    assert (await scene.lease(instance)).waits is Waits.GRACE
    assert scene.row(instance) == lease.proxy_id
    await scene.tick(1)
    assert scene.row(instance) is None
    assert (await scene.find_lease(instance), await scene.status(lease.proxy_id)) == (None, Status.FREE)


async def test_connecting_is_never_disconnected(scene: Scene) -> None:
    instance = await scene.served()
    scene.sim.warts.shown_status["x"] = "connecting"
    await scene.ticks(5, HOUR)
    assert await scene.phase(instance) is Phase.ACTIVE


@pytest.mark.parametrize("word", ["refused", "other"])
async def test_a_word_that_nobody_knows_releases_nothing(scene: Scene, word: str) -> None:
    instance = await scene.served()
    scene.sim.warts.shown_status["x"] = word
    await scene.ticks(3, HOUR)
    assert await scene.phase(instance) is Phase.ACTIVE
    scene.sim.warts.shown_status["x"] = "close"
    await scene.tick()
    scene.sim.warts.shown_status["x"] = word
    await scene.ticks(3, HOUR)
    assert (await scene.lease(instance)).waits is Waits.GRACE


@pytest.mark.parametrize(("code", "rest"), [(401, 0), (402, 24 * HOUR), (403, 24 * HOUR), (406, 24 * HOUR)])
async def test_a_final_logout_releases_at_once_and_a_ban_rests(scene: Scene, code: int, rest: int) -> None:
    instance = await scene.served()
    scene.sim.logout("x", code)
    await scene.tick()
    assert (await scene.find_lease(instance), scene.row(instance)) == (None, None)
    proxy = await scene.proxy(spec(1).id)
    assert proxy.status is (Status.COOLING if rest else Status.FREE)
    assert (proxy.available_at or scene.clock.at) - scene.clock.at == rest
    scene.clock.move(rest)
    assert await scene.status(spec(1).id) is Status.FREE


async def test_an_old_code_and_time_prove_nothing(scene: Scene) -> None:
    """EVOLUTION.md, C9: they are never cleared."""
    instance = await scene.served()
    scene.sim.logout("x", 401)
    await scene.tick()
    scene.sim.open("x")
    await scene.tick()
    scene.sim.disconnect("x")
    await scene.tick()
    lease = await scene.lease(instance)
    assert (instance.disconnection_code, lease.waits) == (401, Waits.GRACE)
    scene.sim.open("x")
    await scene.tick()
    assert await scene.phase(instance) is Phase.ACTIVE


async def test_paired_again_before_the_row_was_cleared_the_old_close_proves_nothing(scene: Scene) -> None:
    await scene.hurry()
    instance = await scene.served()
    scene.sim.warts.faults.append(Fault("proxy/find", times=1, status=500))
    scene.sim.logout("x", 401)
    await scene.tick()
    assert (await scene.lease(instance)).waits is Waits.ROW
    scene.sim.open("x")  # through the row that still names the proxy
    assert scene.exit(instance) == spec(1).id
    scene.sim.warts.restart_refused = True
    await scene.ticks(2)
    assert scene.row(instance) is None
    assert await scene.status(spec(1).id) is Status.USED
    scene.sim.warts.restart_refused = False
    await scene.tick()
    assert scene.exit(instance) is None
    assert await scene.status(spec(1).id) is Status.FREE


async def test_a_false_close_in_the_list_frees_nothing(scene: Scene) -> None:
    """The list lies for as long as it likes: the socket has to be gone."""
    await scene.hurry()
    instance = await scene.served()
    scene.sim.warts.restart_ignored = True
    scene.sim.warts.shown_status["x"] = "close"
    await scene.ticks(6, GRACE)
    assert (scene.exit(instance), await scene.status(spec(1).id)) == (spec(1).id, Status.USED)


# the return of the instance at each step


async def test_return_in_the_grace(scene: Scene) -> None:
    instance = await scene.served()
    sets = scene.calls("proxy/set")
    scene.sim.disconnect("x")
    await scene.tick()
    scene.sim.open("x")
    await scene.tick()
    lease = await scene.lease(instance)
    assert (lease.phase, lease.applied, scene.calls("proxy/set")) == (Phase.ACTIVE, Applied.YES, sets)


async def test_return_while_it_waits_for_the_row(scene: Scene) -> None:
    instance = await scene.served()
    scene.sim.disconnect("x")
    await scene.tick()
    scene.sim.warts.faults.append(Fault("proxy/find", times=1, status=500))
    await scene.tick(GRACE)
    lease = await scene.lease(instance)
    assert (lease.waits, lease.clear_begun_at) == (Waits.ROW, None)
    scene.sim.open("x")
    await scene.tick()
    assert await scene.phase(instance) is Phase.ACTIVE
    assert scene.row(instance) == scene.exit(instance) == lease.proxy_id


async def test_return_after_the_clear_was_begun_writes_the_row_again(scene: Scene) -> None:
    instance = await scene.served()
    scene.sim.disconnect("x")
    await scene.tick()
    scene.sim.warts.faults.append(Fault("proxy/set", times=1, cut="before"))
    await scene.tick(GRACE)
    lease = await scene.lease(instance)
    assert (lease.waits, bool(lease.clear_begun_at)) == (Waits.ROW, True)
    scene.sim.open("x")
    await scene.tick()
    again = await scene.lease(instance)
    assert (again.phase, again.proxy_id) == (Phase.ACTIVE, lease.proxy_id)
    assert scene.row(instance) == scene.exit(instance) == lease.proxy_id


async def test_return_while_it_waits_for_the_socket_gets_the_proxy_back(scene: Scene) -> None:
    instance = await scene.served()
    scene.sim.disconnect("x")
    await scene.tick()
    scene.sim.warts.shown_state["x"] = None  # proves nothing
    await scene.tick(GRACE)
    lease = await scene.lease(instance)
    assert (lease.waits, scene.row(instance)) == (Waits.SOCKET, None)
    scene.sim.warts.shown_state.clear()
    scene.sim.open("x")
    assert scene.exit(instance) is None
    await scene.tick()
    assert (await scene.lease(instance)).applied is Applied.YES
    assert scene.row(instance) == scene.exit(instance) == lease.proxy_id


async def test_return_while_the_clear_is_on_its_way(scene: Scene) -> None:
    """The clear hangs; the instance comes back, its proxy is written again; then the clear lands."""
    instance = await scene.served()
    scene.sim.disconnect("x")
    await scene.tick()
    scene.sim.warts.faults.append(Fault("proxy/set", times=1, hang=True))
    await scene.tick(GRACE)  # ends with the time limit of the call
    scene.sim.open("x")
    await scene.tick()
    assert await scene.phase(instance) is Phase.ACTIVE
    scene.sim.release()
    await scene.sim.until(lambda: scene.row(instance) is None)
    await scene.tick()
    assert (await scene.lease(instance)).applied is Applied.YES
    assert scene.row(instance) == scene.exit(instance) == spec(1).id


# rows set by hand


@pytest.mark.parametrize("phase", ["active", "grace"])
@pytest.mark.parametrize("row", ["member", "external", "held", "off", "gone"])
async def test_a_row_set_by_hand(scene: Scene, phase: str, row: str) -> None:
    instance = await scene.served("x")
    other = await scene.served("y")
    if phase == "grace":
        scene.sim.disconnect("x")
        await scene.tick()
        assert (await scene.lease(instance)).waits is Waits.GRACE
    rows: dict[str, ProxyRow | ProxySpec | None]
    rows = {"member": spec(3), "external": spec(99), "held": spec(2), "off": OFF, "gone": None}
    scene.sim.set_row_by_hand("x", rows[row])
    await scene.ticks(3, GRACE)
    if phase == "grace":
        assert scene.row(instance) == {"member": spec(3).id, "external": spec(99).id, "held": spec(2).id}.get(row)
        assert await scene.status(spec(1).id) is Status.FREE
        await scene.assert_promises()
        assert (await scene.lease(other)).proxy_id == spec(2).id
        scene.sim.set_row_by_hand("x", OFF)  # it stays away; nobody is to share when it returns
        return
    await scene.tick()
    wanted = {"member": spec(3).id, "external": spec(99).id}.get(row, spec(1).id)
    assert scene.row(instance) == scene.exit(instance) == wanted
    held = await scene.find_lease(instance)
    assert (held and held.proxy_id) == (None if row == "external" else wanted)
    assert await scene.status(spec(1).id) is (Status.USED if wanted == spec(1).id else Status.FREE)


# what refuses to be cleared


async def test_six_refusals_set_it_aside_and_force_quarantines_until_the_row_is_seen_cleared(scene: Scene) -> None:
    instance = await scene.served()
    scene.sim.warts.faults.append(Fault("proxy/set", name="x", status=400))
    await scene.release("x")
    await scene.settle()
    await scene.ticks(4)
    assert (await scene.lease(instance)).stuck is False
    await scene.tick()
    lease = await scene.lease(instance)
    assert (lease.stuck, lease.refusals, (await scene.pool.stats()).stuck) == (True, 6, 1)
    assert [event["level"] for event in await scene.events("lease.stuck")] == ["error"]
    sets = scene.calls("proxy/set")
    await scene.ticks(3)
    assert scene.calls("proxy/set") == sets
    assert await scene.release("x", force=True) is None
    await scene.ticks(3, HOUR)
    proxy = await scene.proxy(spec(1).id)
    assert (proxy.status, proxy.quarantine_reason) == (Status.QUARANTINED, "forced")
    scene.sim.set_row_by_hand("x", OFF)
    await scene.tick()
    assert await scene.status(spec(1).id) is Status.COOLING  # its socket may still be there
    scene.clock.move(15 * MINUTE)
    assert await scene.status(spec(1).id) is Status.FREE


async def test_a_stuck_release_goes_on_when_its_row_is_seen_cleared(scene: Scene) -> None:
    instance = await scene.served()
    scene.sim.warts.faults.append(Fault("proxy/set", name="x", status=400))
    await scene.release("x")
    await scene.ticks(6)
    assert (await scene.lease(instance)).stuck
    scene.sim.set_row_by_hand("x", OFF)
    await scene.ticks(2)
    assert (await scene.find_lease(instance), scene.exit(instance)) == (None, None)


async def test_a_null_row_is_neither_cleared_nor_believed_while_the_database_is_down(scene: Scene) -> None:
    """EVOLUTION.md, B2: null for none and for a DB that is down."""
    instance = await scene.served()
    scene.sim.warts.db_down = True
    lease = await scene.release("x")
    await scene.settle()
    assert lease is not None
    assert (await scene.lease(instance)).waits is Waits.ROW
    assert (await scene.lease(instance)).clear_begun_at is None
    scene.sim.warts.db_down = False
    await scene.ticks(2)
    assert (await scene.find_lease(instance), scene.exit(instance)) == (None, None)


# a set that lands late


async def late_set(scene: Scene) -> Instance:
    """A set of proxy 1 that was given up, and will land when the simulator lets go."""
    scene.sim.conditions[scene.endpoint(1)] = Condition.SILENT
    instance = scene.instance("x")
    await scene.tick()
    await scene.tick(40_000)
    assert await scene.find_lease(instance) is None
    assert (await scene.proxy(spec(1).id)).quarantine_reason == "set_unknown"
    return instance


def land(scene: Scene) -> None:
    scene.sim.conditions.clear()
    scene.sim.release()


async def test_it_lands_over_the_next_proxy(scene: Scene) -> None:
    instance = await late_set(scene)
    await scene.tick()
    assert scene.exit(instance) == spec(2).id
    land(scene)
    await scene.sim.until(lambda: scene.row(instance) == spec(1).id)
    await scene.tick()
    assert scene.row(instance) == scene.exit(instance) == spec(2).id
    assert (await scene.lease(instance)).proxy_id == spec(2).id


async def test_it_lands_after_a_clear(scene: Scene) -> None:
    instance = await late_set(scene)
    await scene.tick()
    await scene.release("x")
    await scene.settle()
    assert (scene.row(instance), await scene.find_lease(instance)) == (None, None)
    land(scene)
    await scene.sim.until(lambda: scene.row(instance) == spec(1).id)
    await scene.tick()
    scene.clock.move(HOUR)
    await scene.pool.sweep(limit=10)
    assert (await scene.proxy(spec(1).id)).quarantine_reason == "seen"
    scene.instance("y")
    scene.sim.drop("x")  # comes back through proxy 1
    await scene.sim.until(lambda: instance.state == "open")
    await scene.ticks(3)


async def test_it_lands_after_the_proxy_has_rested_and_was_given_to_another(scene: Scene) -> None:
    instance = await late_set(scene)
    await scene.tick()
    scene.clock.move(15 * MINUTE)
    await scene.pool.sweep(limit=10)
    assert await scene.status(spec(1).id) is Status.FREE
    scene.sim.conditions.clear()
    other = scene.instance("y")
    await scene.tick()
    third = scene.instance("z")
    await scene.tick()
    assert {scene.exit(other), scene.exit(third)} == {spec(1).id, spec(3).id}
    scene.sim.release()
    await scene.sim.until(lambda: scene.row(instance) == spec(1).id)
    await scene.tick()
    assert scene.row(instance) == scene.exit(instance) == spec(2).id


async def test_it_lands_while_its_own_release_waits_for_the_socket(scene: Scene) -> None:
    """The set of a reservation is on its way; a human releases, the row is cleared, and then it lands."""
    await scene.hurry()
    scene.sim.warts.faults.append(Fault("proxy/set", times=1, hang=True))
    instance = scene.instance("x")
    await scene.tick()
    assert await scene.phase(instance) is Phase.RESERVED
    scene.sim.warts.restart_refused = True
    await scene.release("x")
    await scene.settle()
    assert (await scene.lease(instance)).waits is Waits.SOCKET
    scene.sim.release()
    await scene.sim.until(lambda: scene.row(instance) == spec(1).id)
    scene.sim.warts.restart_refused = False
    await scene.ticks(3)
    assert (await scene.find_lease(instance), scene.row(instance), scene.exit(instance)) == (None, None, None)
    assert (await scene.proxy(spec(1).id)).quarantine_reason == "set_unknown"


async def test_it_lands_between_the_clear_and_the_restart(scene: Scene) -> None:
    """The socket comes back through the proxy that was just taken away: it must not be free."""
    instance = await scene.served()
    restart = scene.clients["a"].restart

    async def overtaken(name: str) -> object:
        scene.sim.set_row_by_hand("x", spec(1))
        return await restart(name)

    scene.clients["a"].restart = overtaken  # type: ignore[assignment, method-assign]
    await scene.release("x")
    await scene.settle()
    assert scene.exit(instance) == spec(1).id
    scene.instance("y", state="close")
    assert await scene.assign_refused("y", pin=spec(1).id) == "held_elsewhere"
    scene.clients["a"].restart = restart  # type: ignore[method-assign]
    await scene.ticks(2)
    assert (scene.exit(instance), await scene.find_lease(instance)) == (None, None)
    assert (await scene.proxy(spec(1).id)).quarantine_reason == "set_unknown"


# deleted and made again


@pytest.mark.parametrize("when", ["reserved", "active", "grace", "row", "socket"])
async def test_deleted_and_created_again_under_the_same_name(scene: Scene, when: str) -> None:
    await scene.hurry()
    if when == "reserved":
        scene.sim.warts.faults.append(Fault("proxy/set", times=1, cut="before"))
        old = scene.instance("x")
        await scene.tick()
        assert await scene.phase(old) is Phase.RESERVED
    else:
        old = await scene.served("x")
    if when in ("grace", "row"):
        scene.sim.disconnect("x")
        await scene.tick()
    if when == "row":
        scene.sim.warts.faults.append(Fault("proxy/find", times=1, status=500))
        await scene.tick(GRACE)
    if when == "socket":
        scene.sim.warts.restart_refused = True
        await scene.release("x")
        await scene.settle()
    new = scene.sim.recreate("x", state="open")
    scene.sim.warts.restart_refused = False
    await scene.ticks(3)
    assert await scene.find_lease(old) is None
    lease = await scene.lease(new)
    assert lease.proxy_id == scene.row(new) == scene.exit(new) != spec(1).id
    assert await scene.status(spec(1).id) in (Status.COOLING, Status.QUARANTINED)
    assert [event["evidence"] for event in await scene.events("lease.released")] == ["recreated"]


async def test_a_clear_for_the_old_instance_does_not_touch_the_new_one_of_its_name(scene: Scene) -> None:
    """The list that the release was decided by is stale by then."""
    old = await scene.served("x")
    lease = await scene.lease(old)
    await scene.pool.begin_release(lease, Waits.ROW, reason="by_hand", actor="cli:test")
    new = scene.sim.recreate("x", state="open")
    sets = scene.calls("proxy/set")
    assert await clear(scene.control.context, await scene.lease(old)) is False
    assert (new.row, scene.calls("proxy/set")) == (None, sets)
    await scene.ticks(3)
    assert await scene.find_lease(old) is None


async def test_two_humans_release_at_once(scene: Scene) -> None:
    instance = await scene.served()
    await asyncio.gather(scene.release("x"), scene.release("x"), return_exceptions=True)
    await scene.settle()
    await scene.tick()
    assert (await scene.find_lease(instance), scene.exit(instance)) == (None, None)


async def test_a_release_overtakes_an_assignment_whose_set_is_on_its_way(scene: Scene) -> None:
    scene.sim.warts.faults.append(Fault("proxy/set", times=1, hang=True))
    instance = scene.instance("x")
    await scene.tick(settle=False)
    await scene.held()
    human = asyncio.create_task(scene.release("x"))
    await scene.until(lambda: scene.pool.lease(spec(1).id))
    await asyncio.sleep(0)
    scene.sim.release()
    await human
    await scene.settle()
    await scene.ticks(3)
    assert (await scene.find_lease(instance), scene.exit(instance)) == (None, None)
