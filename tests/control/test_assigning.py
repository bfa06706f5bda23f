"""An instance opens and is given its proxy."""

from __future__ import annotations

import logging

import pytest

from service.evolution.simulator import Condition, Fault
from service.pool.models import Applied, Phase, Status
from tests.control.scene import MINUTE, SECOND, Scene, spec


async def test_an_open_instance_gets_a_proxy_and_goes_out_through_it(scene: Scene) -> None:
    instance = scene.instance("x")
    await scene.tick()
    lease = await scene.lease(instance)
    assert (lease.phase, lease.applied) == (Phase.ACTIVE, Applied.YES)
    assert scene.row(instance) == scene.exit(instance) == lease.proxy_id
    assert scene.calls("instance/restart") == 1


async def test_the_log_tells_four_steps_with_the_name_and_the_address_and_no_password(
    blank: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    scene = blank
    await scene.add(1, username="maria", password="hunter2")
    await scene.tick()
    caplog.set_level(logging.DEBUG)
    await scene.served("loja 7")
    steps = [record for record in caplog.records if hasattr(record, "step")]
    assert [getattr(record, "step", "") for record in steps] == [
        "step_connected",
        "step_assigning",
        "step_assigned",
        "step_configured",
    ]
    assert all("loja 7" in record.getMessage() for record in steps)
    assert spec(1).address in steps[2].getMessage()
    assert not [secret for secret in ("hunter2", scene.sim.api_key) if secret in caplog.text]


async def test_the_steady_state_costs_one_list_a_tick(scene: Scene) -> None:
    await scene.served("x")
    scene.instance("closed", state="close")
    await scene.ticks(2)
    before = scene.calls()
    await scene.ticks(5, pause=30_000)
    assert (scene.calls() - before, scene.calls("instance/connect")) == (5, 0)


async def test_a_refused_proxy_is_given_back_and_another_is_tried(scene: Scene) -> None:
    scene.sim.conditions[scene.endpoint(1)] = Condition.DEAD
    instance = await scene.served("x")
    assert scene.exit(instance) == spec(2).id
    assert await scene.status(spec(1).id) is Status.FREE


async def test_a_lost_save_is_not_believed(scene: Scene) -> None:
    """EVOLUTION.md, B1."""
    scene.sim.warts.silent_loss = True
    instance = scene.instance("x")
    await scene.tick()
    lease = await scene.lease(instance)
    assert (lease.phase, lease.unknown_at) == (Phase.RESERVED, scene.clock.at)
    scene.sim.warts.silent_loss = False
    await scene.tick(40_000)
    assert (await scene.lease(instance)).proxy_id == lease.proxy_id == scene.exit(instance)


async def test_an_unknown_set_is_sent_again_for_the_same_proxy_and_then_given_up(scene: Scene) -> None:
    scene.sim.conditions[scene.endpoint(1)] = Condition.SILENT
    instance = scene.instance("x")
    await scene.tick()
    assert (await scene.lease(instance)).phase is Phase.RESERVED
    await scene.tick(39_999)
    assert scene.calls("proxy/set") == 1
    await scene.tick(1)
    assert await scene.find_lease(instance) is None
    assert (await scene.proxy(spec(1).id)).quarantine_reason == "set_unknown"
    await scene.tick()
    assert scene.exit(instance) == spec(2).id


@pytest.mark.parametrize("cut", ["before", "after"])
async def test_a_cut_connection_is_unknown_and_the_row_is_asked_first(scene: Scene, cut: str) -> None:
    scene.sim.warts.faults.append(Fault("proxy/set", times=1, cut=cut))  # type: ignore[arg-type]
    instance = scene.instance("x")
    await scene.tick()
    assert (await scene.lease(instance)).phase is Phase.RESERVED
    await scene.tick(40_000)
    assert scene.exit(instance) == spec(1).id
    assert scene.calls("proxy/set") == (2 if cut == "before" else 1)


async def test_not_loaded_yet_is_no_verdict_on_the_proxy(scene: Scene) -> None:
    """EVOLUTION.md, C7: a 404 on a set just after a server start."""
    instance = scene.instance("x")
    scene.sim.warts.not_loaded = {"x"}
    await scene.tick()
    assert await scene.phase(instance) is Phase.RESERVED
    scene.sim.warts.not_loaded = False
    await scene.tick(40_000)
    assert scene.exit(instance) == spec(1).id


async def test_a_null_on_reading_back_is_no_evidence(scene: Scene) -> None:
    """EVOLUTION.md, B2."""
    scene.sim.warts.null_on_read = {"x"}
    instance = scene.instance("x")
    await scene.tick()
    assert await scene.phase(instance) is Phase.RESERVED
    scene.sim.warts.null_on_read = False
    await scene.tick(40_000)
    assert await scene.phase(instance) is Phase.ACTIVE


async def test_a_prototype_name_ends_with_the_attempts_and_burns_one_proxy_at_a_time(scene: Scene) -> None:
    """EVOLUTION.md, B27: proxy/set answers 500 to it for ever."""
    instance = scene.instance("constructor")
    await scene.tick()
    await scene.tick(40_000)
    assert (await scene.find_lease(instance), scene.calls("proxy/set")) == (None, 2)
    assert await scene.status(spec(1).id) is Status.QUARANTINED
    await scene.tick(15 * MINUTE)
    await scene.pool.sweep(limit=10)
    assert await scene.status(spec(1).id) is Status.FREE


NAMES = ["a b", "a/b", "50%", "%2F", "ação ✓", "🦜" * 3, "..", ".", "?x=1#y", "'\\\"", " leading", "日本", "z" * 255]


@pytest.mark.parametrize("name", NAMES)
async def test_any_name_goes_the_whole_way(scene: Scene, name: str) -> None:
    instance = await scene.served(name)
    assert await scene.release(name) is not None or await scene.find_lease(instance) is None
    await scene.settle()
    assert (await scene.find_lease(instance), scene.row(instance), scene.exit(instance)) == (None, None, None)


async def test_an_instance_in_a_reconnect_loop_is_not_called_applied(scene: Scene) -> None:
    """EVOLUTION.md, B8: the list says open all through the loop."""
    await scene.hurry()
    instance = scene.instance("x")

    def dies(endpoint: object) -> bool:
        scene.sim.conditions[scene.endpoint(1)] = Condition.REFUSING
        return False

    scene.sim.warts.silent_loss = dies  # asked when the test of the proxy has passed
    await scene.tick()
    lease = await scene.lease(instance)
    assert (lease.phase, lease.applied, lease.down) == (Phase.ACTIVE, Applied.NO, True)
    await scene.ticks(3)
    assert (await scene.lease(instance)).applied is Applied.NO
    scene.sim.conditions.clear()
    scene.sim.connector.drop(instance)
    await scene.sim.until(lambda: instance.state == "open")
    await scene.tick()
    assert (await scene.lease(instance)).applied is Applied.YES


async def test_no_restart_while_the_database_is_down(scene: Scene) -> None:
    """EVOLUTION.md, B11: it would be open for ever without a session. The list was read before the DB went down."""
    instance = scene.instance("x")
    await scene.tick(settle=False)
    confirm = scene.pool.confirm

    async def confirmed(*args: object, **more: object) -> None:
        await confirm(*args, **more)  # type: ignore[arg-type]
        scene.sim.warts.db_down = True

    scene.pool.confirm = confirmed  # type: ignore[method-assign]
    await scene.settle()
    assert (await scene.phase(instance), scene.calls("instance/restart")) == (Phase.ACTIVE, 0)
    assert not instance.falsely_open
    scene.sim.warts.db_down = False
    await scene.tick()
    assert (await scene.lease(instance)).applied is Applied.YES


async def test_a_restart_that_does_nothing_is_not_believed(scene: Scene) -> None:
    """EVOLUTION.md, B13."""
    await scene.hurry()
    scene.sim.warts.restart_ignored = True
    instance = scene.instance("x")
    await scene.tick()
    assert (await scene.lease(instance)).applied is Applied.NO
    assert (await scene.pool.stats()).unprotected == 1
    scene.sim.warts.restart_ignored = False
    await scene.tick(30 * SECOND)
    assert (await scene.lease(instance)).applied is Applied.YES
    assert (await scene.pool.stats()).unprotected == 0


async def test_one_that_no_restart_moves_is_restarted_ever_more_rarely(scene: Scene) -> None:
    """EVOLUTION.md, B11: it would take the turns of those that a restart helps."""
    await scene.hurry()
    instance = scene.instance("x")
    instance.socket = None  # falsely open
    restarts = []
    for _ in range(40):
        await scene.tick(30 * SECOND)
        restarts.append(scene.calls("instance/restart"))
    assert [restarts.index(number) for number in range(1, restarts[-1] + 1)] == [0, 1, 3, 7, 15, 31]
    scene.sim.restart_server()
    await scene.ticks(20, 30 * SECOND)
    assert (await scene.lease(instance)).applied is Applied.YES


async def test_a_human_does_not_wait_for_the_next_restart_of_one_that_did_not_move(scene: Scene) -> None:
    await scene.hurry()
    instance = scene.instance("x")
    scene.sim.warts.restart_ignored = True
    await scene.ticks(3)
    assert scene.calls("instance/restart") == 1
    scene.sim.warts.restart_ignored = False
    await scene.rotate("x")
    await scene.tick()
    assert (scene.calls("instance/restart"), (await scene.lease(instance)).applied) == (2, Applied.YES)


async def test_a_password_that_changes_is_written_into_the_holders_row_and_applied(scene: Scene) -> None:
    instance = await scene.served("x")
    held = (await scene.lease(instance)).proxy_id
    await scene.pool.update(held, password="another", actor="cli:test")
    await scene.tick()
    row = await scene.control.context.client.find_proxy("x")
    assert row is not None
    assert row.password == "another"
    lease = await scene.lease(instance)
    assert (lease.proxy_id, lease.phase, lease.applied, lease.outdated) == (held, Phase.ACTIVE, Applied.YES, False)
    assert (scene.calls("proxy/set"), scene.calls("instance/restart")) == (2, 2)
    await scene.tick()
    assert scene.calls("proxy/set") == 2
