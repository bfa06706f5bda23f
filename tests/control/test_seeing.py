"""What is seen before anything is handed out: the first reading, rows of others, what is left alone."""

from __future__ import annotations

import pytest

from service.errors import EvolutionError, RefusedError
from service.evolution.simulator import OFF
from service.pool.batches import Wish
from service.pool.models import Applied, Phase, Status
from tests.control.scene import MINUTE, Scene, spec

MANY = 2_000


async def test_what_evolution_used_before_the_first_import_is_never_handed_out(blank: Scene) -> None:
    scene = blank
    users = [scene.instance(f"u{number}", row=spec(number)) for number in range(1, MANY + 1)]
    await scene.tick()
    await scene.pool.import_proxies([spec(number) for number in range(1, MANY + 1)], stamp="s", actor="cli:test")
    newcomer = scene.instance("newcomer")
    scene.instance("stranger", integration="WHATSAPP-BUSINESS")
    assert (await scene.assign_refused("newcomer")) == "no_proxy_available"
    await scene.tick()
    assert await scene.find_lease(newcomer) is None
    leases = await scene.pool.leases_of("a")
    for number, user in enumerate(users, 1):
        lease = leases[user.id]
        assert (lease.proxy_id, lease.phase, lease.applied) == (spec(number).id, Phase.ACTIVE, Applied.UNKNOWN)
    assert scene.calls("proxy/set", "instance/restart") == 0
    await scene.add(1, first=MANY + 1)
    await scene.tick()
    assert scene.exit(newcomer) == spec(MANY + 1).id


async def test_rows_of_unmanaged_instances_are_remembered_too(blank: Scene) -> None:
    scene = blank
    await scene.restarted(exclude=("vip*",))
    scene.instance("vip1", row=spec(1))
    scene.instance("bot", row=spec(2), integration="EVOLUTION")
    await scene.tick()
    await scene.add(3)
    managed = scene.instance("x")
    await scene.ticks(2)
    assert scene.exit(managed) == spec(3).id
    assert [await scene.status(spec(number).id) for number in (1, 2)] == [Status.QUARANTINED] * 2


async def test_one_of_two_servers_is_down_at_the_very_first_start(pool_of_two: Scene) -> None:
    scene = pool_of_two
    await scene.add(3)
    scene.sims["b"].warts.db_down = True
    scene.sims["b"].create("other", state="open", row=spec(1))
    instance = scene.instance("x")
    for _ in range(2):
        await scene.tick()
        with pytest.raises(EvolutionError):
            await scene.tick(server="b")
    assert await scene.find_lease(instance) is None
    servers = (await scene.pool.stats()).servers
    assert "read_epoch" in servers["a"].remembered
    assert "read_epoch" not in servers["b"].remembered
    scene.sims["b"].warts.db_down = False
    await scene.tick(server="b")
    await scene.tick()
    assert scene.exit(instance) == spec(2).id


async def test_a_server_that_a_human_ignores_holds_nothing_up(pool_of_two: Scene) -> None:
    scene = pool_of_two
    await scene.add(1)
    instance = scene.instance("x")
    await scene.tick()
    assert await scene.assign_refused("x") == "not_reconciled"
    await scene.pool.ignore_server("b", ignored=True, actor="cli:test")
    await scene.tick()
    assert scene.exit(instance) == spec(1).id


async def test_two_instances_with_one_proxy_in_their_rows(scene: Scene) -> None:
    """It was shared before evoproxy came; that is told once, and one of them moves."""
    first = scene.instance("first", state="close")
    second = scene.instance("second", state="close")
    for name in ("first", "second"):
        scene.sim.set_row_by_hand(name, spec(1))
    await scene.ticks(3)
    scene.sim.set_row_by_hand("second", spec(1))
    holder = first if await scene.find_lease(first) else second
    moved = second if holder is first else first
    assert [event["level"] for event in await scene.events("lease.conflict")] == ["error"]
    await scene.restarted(assign_in=frozenset({"open", "close"}))
    await scene.ticks(2)
    assert scene.row(holder) == spec(1).id
    assert scene.row(moved) == spec(2).id
    scene.sim.open("first")
    scene.sim.open("second")
    await scene.ticks(2)


async def test_external_instances_are_left_alone_and_shown(scene: Scene) -> None:
    instance = scene.instance("x", row=spec(99))
    await scene.ticks(3)
    assert (scene.row(instance), scene.exit(instance)) == (spec(99).id, spec(99).id)
    assert (await scene.pool.stats()).external == 1
    assert scene.calls("proxy/set", "instance/restart") == 0
    scene.sim.set_row_by_hand("x", OFF)
    await scene.tick()
    assert scene.exit(instance) == spec(1).id
    assert (await scene.pool.stats()).external == 0


async def test_an_external_proxy_that_is_imported_later_is_adopted(scene: Scene) -> None:
    instance = scene.instance("x", row=spec(99))
    await scene.tick()
    await scene.add(1, first=99)
    other = scene.instance("y")
    await scene.tick()
    assert (await scene.lease(instance)).proxy_id == spec(99).id
    assert scene.exit(other) == spec(1).id


@pytest.mark.parametrize("state", ["close", "connecting"])
async def test_by_default_only_open_instances_are_given_a_proxy(scene: Scene, state: str) -> None:
    instance = scene.instance("x", state=state)
    await scene.tick()
    assert await scene.find_lease(instance) is None


async def test_observe_mode_writes_nothing_to_evolution(scene: Scene) -> None:
    await scene.served("x")
    await scene.kill()
    await scene.start(mode="observe")
    scene.instance("y")
    scene.instance("z", row=spec(2))
    scene.sim.logout("x")
    before = len(scene.sim.calls.recent)
    await scene.ticks(3)
    made = list(scene.sim.calls.recent)[before:]
    assert {(call.method, call.route) for call in made} == {("GET", "instance/fetchInstances")}
    assert scene.control.planned == {"release": 1, "assign": 1, "restart": 1, "adopt": 1}
    for call in (scene.assign("y"), scene.release("x"), scene.rotate("x")):
        with pytest.raises(RefusedError, match="observe_mode"):
            await call


async def test_a_reading_that_a_lease_overtook_is_told_again(scene: Scene) -> None:
    """The row was read before the lease last changed, so it did not count; the next reading is the same."""
    instance = scene.instance("x", row=spec(50), integration="EVOLUTION")
    await scene.tick()
    listed = scene.clients["a"].fetch_instances

    async def overtaken() -> object:
        scene.sim.set_row_by_hand("x", spec(77))
        found = await listed()
        scene.clock.move(1)
        given = await scene.pool.acquire("a", [Wish(instance.id, "x")], reason="by_hand", actor="cli:test", human=True)
        lease = await scene.pool.lease(given[0].proxy_id)
        assert lease is not None
        await scene.pool.abandon(lease, "unsent")
        return found

    scene.clients["a"].fetch_instances = overtaken  # type: ignore[assignment, method-assign]
    await scene.tick()
    scene.clients["a"].fetch_instances = listed  # type: ignore[method-assign]
    await scene.tick()
    await scene.add(1, first=77)
    assert await scene.status(spec(77).id) is Status.QUARANTINED


# reservations


async def test_a_reservation_becomes_the_lease_of_the_instance_whose_row_names_it(scene: Scene) -> None:
    proxy_id, _ = await scene.pool.reserve(
        "a", "new", reservation="r1", expires_at=scene.clock.at + 2 * MINUTE, actor="cli:test"
    )
    other = scene.instance("other")
    await scene.tick()
    instance = scene.instance("new", row=spec(1))
    await scene.tick(2 * MINUTE)  # the time of the reservation is over in the very tick that sees the row
    lease = await scene.lease(instance)
    assert (lease.proxy_id, lease.reservation, lease.phase) == (proxy_id, None, Phase.ACTIVE)
    assert scene.exit(other) == spec(2).id
    assert (await scene.pool.stats()).reservations == 0


async def test_a_reservation_that_nobody_uses_expires_after_a_complete_reading_and_rests(scene: Scene) -> None:
    await scene.pool.reserve("a", "new", reservation="r1", expires_at=scene.clock.at + 2 * MINUTE, actor="cli:test")
    await scene.tick(2 * MINUTE - 1)
    assert await scene.status(spec(1).id) is Status.USED
    scene.sim.warts.db_down = True
    with pytest.raises(EvolutionError):
        await scene.tick(MINUTE)
    assert await scene.status(spec(1).id) is Status.USED
    scene.sim.warts.db_down = False
    await scene.tick()
    proxy = await scene.proxy(spec(1).id)
    assert (proxy.status, proxy.available_at) == (Status.COOLING, scene.clock.at + 15 * MINUTE)


async def test_two_replicas_expire_one_reservation(scene: Scene) -> None:
    await scene.pool.reserve("a", "new", reservation="r1", expires_at=scene.clock.at + 1, actor="cli:test")
    await scene.start()
    expire = scene.pool.expire_reservation

    async def twice(*args: object, **more: object) -> str:
        await expire(*args, **more)  # type: ignore[arg-type]
        return await expire(*args, **more)  # type: ignore[arg-type]

    scene.pool.expire_reservation = twice  # type: ignore[method-assign]
    scene.instance("x")
    await scene.tick()
    assert (await scene.pool.stats()).reservations == 0
