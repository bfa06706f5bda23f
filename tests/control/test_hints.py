"""Hints, as webhooks bring them: the look by name that follows does what a tick would, and never more."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence

import pytest

from service.background import Clock
from service.control.hints import EVENTS, Hints
from service.errors import EvolutionUnavailableError, StoreUnavailableError
from service.evolution.models import Observation
from service.evolution.simulator import OFF, Condition
from service.pool.models import Applied, Phase, Status, Waits
from tests.control.scene import SECOND, Scene, spec

NEVER_RELEASES = ["connection.update", "instance.delete", "status.instance", "logout.instance", "remove.instance"]
FETCH = "instance/fetchInstances"


class Told(Clock):
    """Hints about ``a`` in seconds that the test moves together with the pool's clock. ``lists`` counts the whole lists
    that were asked for; each is read at once."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.seconds = 0.0
        self.lists = 0
        self.hints = Hints("a", scene.control.look_at, self._list, scene.control.round.hasten, clock=self)
        self._listing = False

    def now(self) -> float:
        return self.seconds

    def _list(self) -> None:
        self.lists += 1
        self._listing = True

    def __call__(self, name: str, *events: str) -> None:
        for event in events or ("connection.update",):
            self.hints.hint(name, event, self.scene.clock.now())

    async def after(self, seconds: float = 0.001) -> None:
        """Time passes, what is due is looked at, and all that follows from it has ended."""
        self.seconds += seconds
        self.scene.clock.move(max(1, round(seconds * 1000)))
        self._listing = False
        await self.hints.follow()
        if self._listing:
            await self.scene.tick(1)
        await self.scene.settle()


@pytest.fixture
def told(scene: Scene) -> Told:
    return Told(scene)


async def test_a_new_open_instance_is_served_without_a_list(scene: Scene, told: Told) -> None:
    instance = scene.instance("x")
    scene.sim.calls.counts.clear()
    told("x")
    await told.after()
    lease = await scene.lease(instance)
    assert (lease.phase, lease.applied, scene.exit(instance)) == (Phase.ACTIVE, Applied.YES, lease.proxy_id)
    assert (scene.calls(FETCH), told.lists) == (1, 0)


async def test_what_a_look_has_seen_is_not_written_again_by_the_next_tick(
    scene: Scene, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.instance("x")
    told("x")
    await told.after()
    await scene.tick()
    written: list[Sequence[object]] = []
    observe = scene.pool.observe

    async def counted(server: str, sightings: Sequence[object], **values: object) -> bool:
        written.append(sightings)
        return await observe(server, sightings, **values)  # type: ignore[arg-type]

    monkeypatch.setattr(scene.pool, "observe", counted)
    told("x")
    await told.after()
    await scene.tick()
    assert written == []


async def test_many_that_hang_at_once_are_all_known_at_once_so_that_the_network_is_the_suspect(
    scene: Scene, told: Told
) -> None:
    """Found one after the other, each would lose its proxy before they are many (EVOLUTION.md, B8)."""
    await scene.add(30, first=101)
    instances = [scene.instance(f"i{number}", row=spec(number)) for number in range(101, 131)]
    await scene.ticks(2)
    for number in range(101, 121):
        scene.sim.conditions[scene.endpoint(number)] = Condition.REFUSING
        scene.sim.drop(f"i{number}")
        told(f"i{number}")
    await scene.until(lambda: all(instance.state == "connecting" for instance in instances[:20]))
    await told.after()
    await scene.control.round.step()
    leases = [await scene.lease(instance) for instance in instances]
    assert [lease.troubled_since is not None for lease in leases] == [True] * 20 + [False] * 10


async def test_two_hundred_events_a_second_from_one_flapping_instance(scene: Scene, told: Told) -> None:
    instance = await scene.served()
    scene.sim.conditions[scene.endpoint(1)] = Condition.DEAD
    scene.sim.drop("x")
    scene.sim.calls.counts.clear()
    for _ in range(2000):
        told("x")
        await told.after(0.005)
    assert told.hints.received == 2000
    assert scene.calls(FETCH) == 6
    assert told.lists == 0
    assert scene.calls() <= 6 * 4
    scene.sim.conditions.clear()
    scene.sim.restart_server()
    await scene.sim.until(lambda: instance.state == "open")
    await told.after(30)
    assert scene.calls(FETCH) == 7


async def test_a_hint_finds_what_the_list_hides(scene: Scene, told: Told) -> None:
    """B8, B9: the list reads open all through a reconnect loop, so the live state is read as well."""
    instance = await scene.served()
    scene.sim.conditions[scene.endpoint(1)] = Condition.DEAD
    scene.sim.drop("x")
    await scene.sim.until(lambda: instance.state != "open")
    assert (await scene.lease(instance)).troubled_since is None
    told("x")
    await told.after(1)
    assert (await scene.lease(instance)).troubled_since is not None


@pytest.mark.parametrize("seed", range(4))
async def test_duplicates_replays_and_any_order_come_to_the_same(scene: Scene, told: Told, seed: int) -> None:
    dice = random.Random(seed)
    instance = scene.instance("x")
    story = [*sorted(EVENTS), "qrcode.updated", "messages.upsert"] * 3
    dice.shuffle(story)
    for event in story:
        told("x", event)
        await told.after(dice.choice([0.001, 0.3, 2]))
    await told.after(60)
    assert (await scene.lease(instance)).applied is Applied.YES
    assert (scene.calls("proxy/set"), scene.calls("instance/restart")) == (1, 1)
    assert told.hints.ignored == 6


@pytest.mark.parametrize("event", NEVER_RELEASES)
async def test_an_event_never_releases(scene: Scene, told: Told, event: str) -> None:
    """B28: it makes evoproxy look, and what it sees then is what counts."""
    instance = await scene.served()
    for _ in range(5):
        told("x", event)
        await told.after(60)
    lease = await scene.lease(instance)
    assert (lease.phase, scene.exit(instance)) == (Phase.ACTIVE, lease.proxy_id)


async def test_a_final_close_that_the_look_sees_releases_at_once(scene: Scene, told: Told) -> None:
    instance = await scene.served()
    scene.clock.move(SECOND)
    scene.sim.logout("x")
    told("x", "logout.instance")
    await told.after(1)
    assert (await scene.find_lease(instance), scene.row(instance)) == (None, None)
    assert await scene.status(spec(1).id) is Status.FREE


async def test_what_waits_for_the_brake_waits_for_the_list(scene: Scene, told: Told) -> None:
    """A close without a reason begins the grace; its end is for a tick, which counts how many there are."""
    instance = await scene.served()
    scene.sim.disconnect("x")
    told("x")
    await told.after(1)
    assert (await scene.lease(instance)).waits is Waits.GRACE
    for _ in range(3):
        told("x")
        await told.after(61)
    assert (await scene.lease(instance)).waits is Waits.GRACE
    await scene.ticks(3)
    assert await scene.find_lease(instance) is None


async def test_a_return_in_the_grace_is_seen_by_a_look(scene: Scene, told: Told) -> None:
    instance = await scene.served()
    scene.sim.disconnect("x")
    told("x")
    await told.after(1)
    scene.sim.open("x")
    told("x")
    await told.after(2)
    assert await scene.phase(instance) is Phase.ACTIVE


async def test_a_deleted_instance_is_left_to_the_list(scene: Scene, told: Told) -> None:
    instance = await scene.served()
    scene.sim.delete("x")
    looked = await scene.control.look_at(["x"])
    assert (looked.present, looked.absent, looked.enough) == ([], ["x"], False)
    assert await scene.phase(instance) is Phase.ACTIVE
    told("x", "instance.delete")
    await told.after()
    await told.after(5)
    assert told.lists == 1
    assert await scene.find_lease(instance) is None


async def test_a_ghost_costs_next_to_nothing(scene: Scene, told: Told) -> None:
    """B15: deleted in its reconnect loop, it lives on and sends events under its old name, 46 a second."""
    await scene.served()
    scene.sim.conditions[scene.endpoint(1)] = Condition.DEAD
    scene.sim.drop("x")
    scene.sim.delete("x")
    told("x")
    await told.after()
    await told.after(5)
    scene.sim.calls.counts.clear()
    lists = told.lists
    for _ in range(46 * 60):
        told("x")
        await told.after(1 / 46)
    assert scene.calls() <= 3
    assert told.lists == lists
    assert (await scene.pool.stats()).instances == 0


async def test_a_name_that_is_created_again_is_served(scene: Scene, told: Told) -> None:
    """The new one is served within a second, by another proxy: that the old one is gone is for the list to tell."""
    old = await scene.served()
    scene.sim.delete("x")
    told("x", "instance.delete")
    await told.after()
    new = scene.instance("x")
    told("x", "instance.create")
    await told.after(1)
    assert scene.exit(new) == (await scene.lease(new)).proxy_id == spec(2).id
    assert await scene.find_lease(old) is None


async def test_an_unknown_name_changes_nothing(scene: Scene, told: Told) -> None:
    before = scene.calls()
    for number in range(3):
        told(f"nobody{number}")
    await told.after()
    assert scene.calls() - before == 3
    assert (await scene.pool.stats()).instances == 0
    assert told.lists == 0


async def test_a_pause_stops_what_a_look_would_begin(scene: Scene, told: Told) -> None:
    instance = scene.instance("x")
    await scene.pool.pause(paused=True, actor="cli:test")
    told("x")
    await told.after()
    assert await scene.find_lease(instance) is None
    await scene.pool.pause(paused=False, actor="cli:test")
    told("x")
    await told.after(1)
    assert await scene.phase(instance) is Phase.ACTIVE


async def test_what_a_human_took_away_stays_away(scene: Scene, told: Told) -> None:
    instance = await scene.served()
    await scene.release("x")
    await scene.settle()
    await scene.ticks(2)
    for row in (OFF, spec(2)):
        scene.sim.set_row_by_hand("x", row)
        told("x")
        await told.after(1)
        assert await scene.find_lease(instance) is None
    assert scene.row(instance) == spec(2).id


async def test_in_observe_mode_a_look_writes_nothing_to_the_server(scene: Scene) -> None:
    await scene.start(mode="observe")
    await scene.tick()
    instance = scene.instance("x", row=spec(1))
    other = scene.instance("y")
    looked = await scene.control.look_at(["x", "y"])
    await scene.settle()
    assert looked.enough
    assert (await scene.find_lease(instance), await scene.find_lease(other)) == (None, None)
    assert scene.calls("proxy/set", "instance/restart") == 0
    assert (await scene.pool.stats()).instances == 2


async def test_while_the_set_half_is_engaged_a_look_assigns_nothing(scene: Scene, told: Told) -> None:
    await scene.pool.brake("a", "set", engaged=True, reason="test", actor="cli:test")
    instance = scene.instance("x")
    told("x")
    await told.after()
    assert await scene.find_lease(instance) is None
    await scene.control.probe()
    assert await scene.phase(instance) is Phase.ACTIVE


async def test_before_the_first_complete_reading_nothing_is_looked_at(blank: Scene) -> None:
    scene = blank
    await scene.add(1)
    instance = scene.instance("x")
    assert not (await scene.control.look_at(["x"])).enough
    assert scene.calls() == 0
    await scene.tick()
    assert await scene.phase(instance) is Phase.ACTIVE


async def test_in_a_new_epoch_and_after_a_force_the_list_comes_first(scene: Scene) -> None:
    instance = await scene.served()
    await scene.pool.renew_epoch("another life")
    before = scene.calls()
    assert not (await scene.control.look_at(["x"])).enough
    await scene.tick()
    await scene.release("x", force=True)
    between = scene.calls()
    assert not (await scene.control.look_at(["x"])).enough
    assert scene.calls() == between > before
    await scene.tick()
    assert await scene.find_lease(instance) is None
    assert (await scene.control.look_at(["x"])).enough


async def test_while_the_server_errs_only_the_list_is_asked_for(scene: Scene, told: Told) -> None:
    scene.instance("x")
    scene.sim.warts.db_down = True
    told("x")
    await told.after()
    with pytest.raises(EvolutionUnavailableError):
        await told.after(5)
    assert told.lists == 1
    before = scene.calls()
    assert not (await scene.control.look_at(["x"])).enough
    assert scene.calls() == before


async def test_a_look_that_the_store_fails_is_left_to_the_list(
    scene: Scene, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def down() -> str:
        raise StoreUnavailableError(store="redis")

    scene.instance("x")
    told("x")
    with monkeypatch.context() as patched:
        patched.setattr(scene.pool, "epoch", down)
        with pytest.raises(StoreUnavailableError):
            await told.hints.follow()
    await told.after(1)
    assert told.lists == 1


async def test_a_row_that_another_one_names_too_is_left_to_the_list(scene: Scene) -> None:
    """After Redis lost writes: whose lease has to give way is seen in the list only."""
    first = await scene.served("first")
    second = scene.instance("second", state="close")
    scene.sim.set_row_by_hand("second", spec(1))
    await scene.tick()
    scene.sim.set_row_by_hand("first", OFF)
    before = scene.calls("proxy/set")
    assert not (await scene.control.look_at(["first"])).enough
    await scene.settle()
    assert ((await scene.lease(first)).phase, scene.calls("proxy/set")) == (Phase.ACTIVE, before)
    assert await scene.find_lease(second) is None


async def test_a_row_whose_proxy_is_held_elsewhere_is_left_to_the_list(scene: Scene) -> None:
    await scene.served("first")
    second = scene.instance("second", row=spec(9))
    scene.sim.set_row_by_hand("second", spec(1))
    before = scene.calls("proxy/set")
    await scene.control.look_at(["second"])
    await scene.settle()
    assert (await scene.find_lease(second), scene.calls("proxy/set")) == (None, before)
    await scene.sim.until(lambda: second.state == "open")
    await scene.tick()
    assert (await scene.lease(second)).proxy_id == spec(2).id


async def test_a_server_whose_list_tells_no_rows(blank: Scene) -> None:
    """Version 1: the row is asked for as well."""
    scene = blank
    scene.sim.warts.version_1 = True
    await scene.add(1)
    await scene.tick()
    told = Told(scene)
    instance = scene.instance("x")
    told("x")
    await told.after()
    assert ((await scene.lease(instance)).applied, told.lists) == (Applied.YES, 0)


async def test_one_instance_on_two_servers_is_served_by_neither(pool_of_two: Scene) -> None:
    scene = pool_of_two
    await scene.add(2)
    for server in ("a", "b"):
        await scene.tick(server=server)
    twin = scene.instance("x")
    other = scene.sims["b"].create("x", state="open")
    other.id, other.element = twin.id, None
    controls = [scene.controller.servers[server] for server in ("a", "b")]
    found = [(await control.look_at(["x"])).enough for control in controls]
    await scene.settle()
    assert found == [True, False]
    assert scene.sims["b"].calls.counts["proxy/set"] == 0
    with pytest.raises(EvolutionUnavailableError):
        await scene.tick(server="b")


async def test_looks_and_ticks_take_turns(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """A list that was read before a look would undo what the look has seen."""
    instance = scene.instance("x", state="close")
    fetch, going_on = scene.clients["a"].fetch_instances, asyncio.Event()

    async def late() -> list[Observation]:
        listed = await fetch()
        await going_on.wait()
        return listed

    monkeypatch.setattr(scene.clients["a"], "fetch_instances", late)
    before = scene.calls(FETCH)
    tick = asyncio.create_task(scene.control.tick())
    await scene.until(lambda: scene.calls(FETCH) > before)
    scene.sim.open("x")
    scene.clock.move(SECOND)
    look = asyncio.create_task(scene.control.look_at(["x"]))
    await asyncio.wait({look}, timeout=0.2)
    going_on.set()
    await asyncio.wait({tick, look})
    await scene.settle()
    assert look.result().enough
    assert await scene.phase(instance) is Phase.ACTIVE
    assert (await scene.pool.stats()).states == {"open": 1}


async def test_many_at_once_cost_one_list(scene: Scene, told: Told) -> None:
    await scene.add(27, first=4)
    instances = [scene.instance(f"i{number}") for number in range(30)]
    scene.sim.calls.counts.clear()
    for _ in range(3):
        for instance in instances:
            told(instance.name)
        await told.after(0.01)
    assert (scene.calls(FETCH), told.lists) == (1, 1)
    assert len({scene.exit(instance) for instance in instances} - {None, "-"}) == 30


async def test_a_loop_that_hints_wake_looks_by_itself(scene: Scene) -> None:
    """The real loop and clock: nothing has to be driven."""
    instance = scene.instance("x")
    hints = scene.controller.hints["a"]
    hints.loop.start()
    try:
        await scene.until(lambda: hints.loop.last_success is not None)
        hints.hint("x", "connection.update", 0)
        await scene.until(lambda: instance.row is not None, "the proxy is set")
    finally:
        await hints.loop.stop()
