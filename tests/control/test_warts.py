"""Surprises of EVOLUTION.md, part B, that no other file of this room is about."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from service.errors import EvolutionUnauthorizedError
from service.evolution.simulator import ProxyRow
from service.models import Protocol
from service.pool.models import Applied, Phase, Status
from tests.control.scene import HOUR, MINUTE, Scene, spec


async def test_a_direct_reconnect_shows_nowhere_and_the_next_one_is_right(scene: Scene) -> None:
    """B5: applied says that the instance reconnected after the write; more the API does not show."""
    scene.sim.warts.direct_reconnect = {"x"}
    instance = scene.instance("x")
    await scene.tick()
    assert ((await scene.lease(instance)).applied, scene.exit(instance)) == (Applied.YES, None)
    scene.sim.warts.direct_reconnect = False
    scene.sim.drop("x")
    await scene.sim.until(lambda: instance.state == "open")
    assert scene.exit(instance) == spec(1).id


async def test_where_off_means_the_servers_own_proxy_a_release_ends_all_the_same(scene: Scene) -> None:
    """B7: that proxy must not be in the pool; nothing in the API shows it."""
    scene.sim.warts.default_proxy = ProxyRow.of(spec(50))
    instance = await scene.served()
    await scene.release("x")
    await scene.settle()
    await scene.ticks(2)
    assert (scene.row(instance), scene.exit(instance)) == (None, spec(50).id)
    assert await scene.status(spec(1).id) is Status.FREE


async def test_a_state_that_is_missing_proves_no_absence(scene: Scene) -> None:
    """B14."""
    instance = await scene.served()
    scene.sim.warts.hidden = {"x"}
    scene.sim.warts.shown_state["x"] = None
    await scene.ticks(3, HOUR)
    assert await scene.phase(instance) is Phase.ACTIVE


async def test_a_state_that_is_missing_proves_no_close(scene: Scene) -> None:
    """B14: nor does it end a release."""
    instance = await scene.served()
    scene.sim.warts.shown_state["x"] = None
    scene.sim.logout("x")
    await scene.ticks(3)
    assert (scene.row(instance), await scene.status(spec(1).id)) == (None, Status.USED)
    scene.sim.warts.shown_state.clear()
    await scene.tick()
    assert await scene.status(spec(1).id) is Status.FREE


async def test_the_proxy_of_a_deleted_instance_that_lives_on_rests(scene: Scene) -> None:
    """B15: deleted during its reconnect loop, its socket comes back and uses the proxy until the server restarts."""
    instance = await scene.served()
    scene.sim.drop("x")
    scene.sim.delete("x")
    await scene.tick()
    await scene.sim.until(lambda: instance.state == "open")
    assert (scene.exit(instance), await scene.find_lease(instance)) == (spec(1).id, None)
    others = [scene.instance(f"y{index}") for index in range(3)]
    await scene.tick(15 * MINUTE - 2000)
    assert sum(scene.exit(other) is not None for other in others) == 2
    scene.sim.restart_server()
    await scene.sim.until(lambda: all(other.state == "open" for other in others))
    await scene.ticks(3)
    assert len({scene.exit(other) for other in others} - {None, "-"}) == 3


async def test_a_delete_that_takes_its_time(scene: Scene) -> None:
    """B17: answered, and the instance is there until the retries of its webhook are over."""
    instance = await scene.served()
    scene.sim.warts.delete_delay = None
    scene.sim.request_delete(instance)
    await scene.ticks(2)
    assert (await scene.find_lease(instance), scene.row(instance)) == (None, None)
    scene.sim.warts.hidden = {"x"}
    await scene.ticks(2)
    assert (await scene.pool.stats()).instances == 1
    scene.sim.release()
    await scene.sim.until(lambda: "x" not in scene.sim.database)
    await scene.ticks(2)
    assert (await scene.pool.stats()).instances == 0


async def test_a_wrong_key_releases_nothing(scene: Scene) -> None:
    """B19: a 404 comes before a 401, so that the key is judged by the list."""
    instance = await scene.served()
    scene.sim.api_key = "another"
    for _ in range(3):
        with pytest.raises(EvolutionUnauthorizedError):
            await scene.tick(HOUR)
    assert await scene.phase(instance) is Phase.ACTIVE
    assert (await scene.pool.server("a"))["release_brake"] == "1"


@pytest.mark.parametrize("row", [ProxyRow(True, "192.0.2.9", "1", "https"), ProxyRow(True, "", "x", "socks9")])
async def test_a_row_that_the_server_can_not_use_is_external(scene: Scene, row: ProxyRow) -> None:
    """B23: somebody's explicit value all the same."""
    instance = scene.instance("x", state="close")
    scene.sim.set_row_by_hand("x", row)
    scene.sim.warts.shown_status["x"] = "open"
    await scene.ticks(2)
    assert (await scene.find_lease(instance), scene.calls("proxy/set")) == (None, 0)
    assert (await scene.pool.stats()).external == 1


async def test_what_the_server_can_not_use_is_never_handed_out(blank: Scene) -> None:
    """B23."""
    scene = blank
    await scene.add(1, protocol=Protocol.HTTPS)
    await scene.add(1, first=2, protocol=Protocol.SOCKS4)
    await scene.tick()
    instance = scene.instance("x")
    await scene.ticks(2)
    assert (await scene.find_lease(instance), scene.calls("proxy/set")) == (None, 0)
    assert await scene.assign_refused("x", pin=replace(spec(1), protocol=Protocol.HTTPS).id) == "unusable"


async def test_a_storm_of_looks_is_harmless(scene: Scene) -> None:
    """B9, B28: whoever asks to look, however often: acts are one at a time, and nothing is done twice."""
    instances = [scene.instance(f"i{index}") for index in range(3)]
    scene.sim.paces.service["proxy/set"] = (0.02, 0.03)
    for _ in range(20):
        await scene.tick(10, settle=False)
        await asyncio.sleep(0.002)
    await scene.settle()
    await scene.tick()
    assert len({scene.exit(one) for one in instances} - {None, "-"}) == 3
    assert scene.calls("proxy/set") == 3
    assert scene.calls("instance/restart") == 3
