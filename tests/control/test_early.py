"""Early: the proxy is there before the number is paired, so that even the QR code is scanned through it."""

from __future__ import annotations

import pytest
from aiohttp import ClientSession

from service.errors import EvolutionError
from service.evolution.simulator import Fault
from service.pool.models import Applied, Phase, Status
from tests.control.scene import HOUR, MINUTE, Scene, spec

CREATED = frozenset({"open", "connecting", "close"})
CONNECTING = frozenset({"open", "connecting"})


async def show_qr(scene: Scene, name: str) -> None:
    """What the operator's panel does: GET /instance/connect, which evoproxy never calls."""
    async with (
        ClientSession(headers={"apikey": scene.sim.api_key}) as session,
        session.get(f"{scene.sim.url}/instance/connect/{name}") as response,
    ):
        assert response.status == 200


async def test_created_its_first_connect_goes_out_through_the_proxy_and_needs_no_restart(scene: Scene) -> None:
    await scene.restarted(assign_in=CREATED)
    instance = scene.instance("x", state="close")
    await scene.ticks(2)
    lease = await scene.lease(instance)
    assert (lease.phase, lease.applied, scene.row(instance)) == (Phase.ACTIVE, Applied.NO, spec(1).id)
    await show_qr(scene, "x")
    assert (instance.state, scene.exit(instance)) == ("connecting", spec(1).id)
    await scene.tick()
    scene.sim.open("x")
    await scene.ticks(2)
    lease = await scene.lease(instance)
    assert (lease.applied, lease.opened, scene.exit(instance)) == (Applied.YES, True, spec(1).id)
    assert scene.calls("instance/restart") == 0
    assert (await scene.pool.stats()).unprotected == 0


async def test_created_many_wait_for_no_turn_to_restart(scene: Scene) -> None:
    """Closed instances have nothing to restart: each waits for its user, not for the pace."""
    await scene.add(20, first=10)
    scene.settings = scene.settings.model_copy(update={"restart_rate": 0.001, "restart_burst": 1})
    await scene.restarted(assign_in=CREATED)
    instances = [scene.instance(f"x{number}", state="close") for number in range(10)]
    await scene.ticks(2)
    assert scene.control.context.restarts.waiting == 0
    assert {(await scene.lease(one)).down for one in instances} == {True}
    assert scene.calls("instance/connectionState") == len(instances)


async def test_created_and_never_paired_it_keeps_its_proxy_and_is_shown(scene: Scene) -> None:
    await scene.restarted(assign_in=CREATED)
    instance = scene.instance("x", state="close")
    await scene.ticks(20, HOUR)
    lease = await scene.lease(instance)
    assert (lease.phase, lease.opened, scene.row(instance)) == (Phase.ACTIVE, False, spec(1).id)
    _, shown = await scene.pool.page_instances(which="unapplied")
    assert [one.name for one in shown] == ["x"]
    assert scene.calls("proxy/set") == 1


async def test_created_and_deleted_it_gives_its_proxy_back(scene: Scene) -> None:
    await scene.restarted(assign_in=CREATED)
    instance = scene.instance("x", state="close")
    await scene.ticks(2)
    scene.sim.delete("x")
    await scene.ticks(2)
    assert await scene.find_lease(instance) is None
    assert await scene.status(spec(1).id) is Status.COOLING


async def test_connecting_the_qr_code_is_shown_through_the_proxy_after_one_restart(scene: Scene) -> None:
    await scene.hurry()
    await scene.restarted(assign_in=CONNECTING)
    instance = scene.instance("x", state="connecting")
    assert scene.exit(instance) is None
    await scene.tick()
    assert (scene.row(instance), scene.calls("instance/restart")) == (spec(1).id, 1)
    await scene.sim.until(lambda: scene.exit(instance) == spec(1).id)
    await scene.ticks(10, MINUTE)
    assert (instance.state, scene.calls("instance/restart"), scene.calls("proxy/set")) == ("connecting", 1, 1)
    assert scene.calls("instance/connect") == 0
    scene.sim.open("x")
    await scene.ticks(2)
    assert ((await scene.lease(instance)).applied, scene.calls("instance/restart")) == (Applied.YES, 1)


async def test_connecting_the_restart_is_made_up_for_when_it_could_not_be(scene: Scene) -> None:
    await scene.hurry()
    await scene.restarted(assign_in=CONNECTING)
    instance = scene.instance("x", state="connecting")
    scene.sim.warts.faults.append(Fault("instance/restart", status=500, times=1))
    await scene.tick()
    assert (scene.row(instance), scene.exit(instance)) == (spec(1).id, None)
    await scene.ticks(2)
    await scene.sim.until(lambda: scene.exit(instance) == spec(1).id)
    assert scene.calls("instance/restart") == 2
    await scene.ticks(5, MINUTE)
    assert scene.calls("instance/restart") == 2


async def test_connecting_and_given_up_it_keeps_its_proxy_and_has_no_grace(scene: Scene) -> None:
    await scene.restarted(assign_in=CONNECTING)
    instance = scene.instance("x", state="connecting")
    await scene.tick()
    scene.sim.disconnect("x")
    await scene.ticks(5, HOUR)
    assert await scene.phase(instance) is Phase.ACTIVE


async def create_with(scene: Scene, name: str, number: int, *, qrcode: bool = True) -> None:
    """What a program does with the proxy of its reservation."""
    proxy = spec(number)
    body = {"instanceName": name, "integration": "WHATSAPP-BAILEYS", "qrcode": qrcode, "proxyHost": proxy.host}
    body |= {"proxyPort": str(proxy.port), "proxyProtocol": proxy.protocol.value}
    body |= {"proxyUsername": proxy.username, "proxyPassword": proxy.password}
    async with (
        ClientSession(headers={"apikey": scene.sim.api_key}) as session,
        session.post(f"{scene.sim.url}/instance/create", json=body) as response,
    ):
        assert response.status == 201


async def reserved(scene: Scene, name: str, *, minutes: int = 2) -> str:
    expires_at = scene.clock.at + minutes * MINUTE
    proxy_id, _ = await scene.pool.reserve("a", name, reservation="r1", expires_at=expires_at, actor="token:panel")
    return proxy_id


async def test_a_reservation_is_created_with_adopted_and_applied_when_it_opens(scene: Scene) -> None:
    assert await reserved(scene, "x") == spec(1).id
    await create_with(scene, "x", 1)
    instance = scene.sim.database["x"]
    assert (instance.state, scene.exit(instance)) == ("connecting", spec(1).id)
    await scene.tick()
    lease = await scene.lease(instance)
    assert (lease.proxy_id, lease.reservation, lease.phase) == (spec(1).id, None, Phase.ACTIVE)
    assert lease.applied is Applied.UNKNOWN
    await scene.tick()
    scene.sim.open("x")
    await scene.ticks(2)
    assert (await scene.lease(instance)).applied is Applied.YES
    await scene.tick(HOUR)  # long after the time of the reservation
    assert (await scene.lease(instance)).proxy_id == spec(1).id
    assert scene.calls("instance/restart", "proxy/set") == 0


async def test_a_reservation_waits_for_a_complete_reading_which_may_still_find_its_instance(scene: Scene) -> None:
    await reserved(scene, "x")
    scene.sim.warts.db_down = True
    for _ in range(3):
        with pytest.raises(EvolutionError):
            await scene.tick(HOUR)
    assert (await scene.pool.stats()).reservations == 1
    scene.sim.warts.db_down = False
    await create_with(scene, "x", 1, qrcode=False)
    await scene.tick()
    assert (await scene.lease(scene.sim.database["x"])).proxy_id == spec(1).id


async def test_a_reservation_whose_proxy_is_used_under_another_name_ends_and_the_row_is_adopted(scene: Scene) -> None:
    await reserved(scene, "x")
    await create_with(scene, "another", 1)
    await scene.tick()
    another = scene.sim.database["another"]
    assert await scene.find_lease(another) is None
    await scene.tick(3 * MINUTE)
    await scene.tick()
    assert (await scene.pool.stats()).reservations == 0
    assert (await scene.lease(another)).proxy_id == spec(1).id
