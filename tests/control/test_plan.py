"""The plan: what serve would do, told without doing it."""

from __future__ import annotations

import pytest

from service.control.plan import Left, Pace, Planned, Step, counted, shortage
from service.control.planning import Foreseen, foresee
from service.evolution.simulator import OFF
from service.setting_types import GroupRule
from tests.control.scene import MINUTE, Scene, spec
from tests.lua.invariants import dump


async def foreseen(scene: Scene) -> Foreseen:
    """The plan; sees that it wrote nothing, neither to the pool nor to Evolution."""
    before, calls = await dump(scene.pool.redis, scene.pool.keys.root), len(scene.sim.calls.recent)
    found = await foresee(scene.control.context)
    assert await dump(scene.pool.redis, scene.pool.keys.root) == before
    made = list(scene.sim.calls.recent)[calls:]
    assert [(call.method, call.route) for call in made] == [("GET", "instance/fetchInstances")]
    return found


def steps(found: Foreseen) -> dict[str, tuple[str, ...]]:
    return {one.name: (*one.steps, *([one.left] if one.left else [])) for one in found.planned}


async def test_the_first_day(blank: Scene) -> None:
    scene = blank
    await scene.add(4)
    await scene.pool.disable(spec(3).id, reason="human", actor="cli:test")
    await scene.restarted(exclude=("vip-*",))
    scene.instance("adopted", row=spec(1))
    scene.instance("drains", row=spec(3), state="close")
    scene.instance("external", row=spec(99))
    scene.instance("vip-1", row=spec(2))
    scene.instance("bare")
    scene.instance("off", row=OFF)
    scene.instance("later", state="close")
    found = await foreseen(scene)
    assert steps(found) == {
        "adopted": ("adopt",),
        "drains": ("adopt",),
        "bare": ("assign", "restart"),
        "off": ("assign", "restart"),
        "external": ("external",),
        "vip-1": ("not_managed",),
        "later": ("not_yet",),
    }
    assert [one.steps for one in found.planned][:2] == [("adopt",), ("adopt",)]
    assert found.named.total() == 2, "of the free ones rows name two"
    assert counted(found.planned) == {"adopt": 2, "assign": 2, "restart": 2}
    # And serve does just that.
    await scene.tick()
    await scene.tick()
    leases = await scene.pool.leases_of("a")
    named = {lease.name for lease in leases.values()}
    assert {"adopted", "drains", "bare"} <= named
    assert not named & {"external", "vip-1", "later"}


async def test_of_two_rows_with_one_proxy_one_adopts_and_the_other_is_given_its_own(blank: Scene) -> None:
    scene = blank
    await scene.add(2)
    for name in ("first", "second"):
        scene.sim.create(name, state="close", row=spec(1))
    await scene.restarted(assign_in=frozenset({"open", "close"}))
    found = await foreseen(scene)
    assert sorted(steps(found).values()) == [("adopt",), ("assign",)]


async def test_a_reservation_is_fulfilled_by_the_row_of_its_name_alone(scene: Scene) -> None:
    at = scene.clock.at + 10 * MINUTE
    await scene.pool.reserve("a", "new", reservation="r1", expires_at=at, actor="cli:test", pin=spec(1).id)
    scene.sim.create("new", state="close", row=spec(1))
    scene.clock.move(1)
    assert steps(await foreseen(scene)) == {"new": ("adopt",)}


async def test_what_runs_already(scene: Scene) -> None:
    await scene.served("right")
    await scene.add(3, first=10)
    for name in ("cleared", "gone", "logged-out", "by-hand"):
        await scene.served(name)
    scene.sim.set_row_by_hand("cleared", OFF)
    scene.sim.delete("gone")
    scene.sim.logout("logged-out")
    await scene.release("by-hand")
    await scene.settle()
    scene.clock.move(1)
    assert steps(await foreseen(scene)) == {
        "right": (Left.RIGHT,),
        "cleared": (Step.SET, Step.RESTART),
        "gone": (Step.RELEASE,),
        "logged-out": (Step.RELEASE,),
        "by-hand": (Left.BY_HAND,),
    }


async def test_observe_mode_shows_the_plan_and_asks_only(scene: Scene) -> None:
    await scene.served("x")
    await scene.kill()
    await scene.start(mode="observe")
    scene.instance("bare")
    scene.instance("adopted", row=spec(2))
    scene.instance("external", row=spec(99))
    scene.sim.logout("x")
    before = len(scene.sim.calls.recent)
    await scene.ticks(3)
    await scene.control.probe()
    await scene.control.look_at(["bare", "x", "nobody"])
    await scene.settle()
    for act in (scene.assign("bare"), scene.release("x"), scene.rotate("x")):
        with pytest.raises(Exception, match="observe_mode"):
            await act
    assert {call.method for call in list(scene.sim.calls.recent)[before:]} == {"GET"}
    assert scene.control.planned == {"adopt": 1, "assign": 1, "restart": 1, "release": 1}
    assert await scene.pool.lease(spec(2).id) is None


def wishes(number: int, group: str = "", *, strict: bool = False) -> list[Planned]:
    return [
        Planned("a", f"{group}{index}", "n", "open", (Step.ASSIGN,), group=group, strict=strict)
        for index in range(number)
    ]


@pytest.mark.parametrize(
    ("planned", "missing"),
    [
        (wishes(5), {}),
        (wishes(6), {"": 1}),
        (wishes(2, "br", strict=True), {}),
        (wishes(3, "br", strict=True), {"br": 1}),
        (wishes(3, "br"), {}),
        (wishes(2, "br", strict=True) + wishes(4), {"": 1}),
        (wishes(3, "br", strict=True) + wishes(3), {"br": 1}),
        (wishes(1, "none", strict=True), {"none": 1}),
        ([Planned("a", "i", "n", "open", (Step.ADOPT,))] * 9, {}),
    ],
)
def test_whether_the_proxies_suffice(planned: list[Planned], missing: dict[str, int]) -> None:
    assert shortage(planned, 5, {"br": 2, "pt": 3}) == missing


@pytest.mark.parametrize(
    ("sets", "restarts", "seconds"), [(0, 0, 0), (8, 0, 2), (9, 0, 4), (8, 5, 2), (8, 8, 6), (4000, 4000, 7990)]
)
def test_how_long_it_takes(sets: int, restarts: int, seconds: float) -> None:
    planned = [Planned("a", "i", "n", "open", (Step.SET,))] * sets
    planned += [Planned("a", "i", "n", "open", (Step.RESTART,))] * restarts
    assert Pace(8, 0.5, 5).seconds(planned) == seconds


async def test_strict_groups_are_asked_for_in_the_plan(scene: Scene) -> None:
    await scene.restarted(group_rules=(GroupRule(name="vip", group="gold", strict=True),))
    scene.instance("vip")
    scene.instance("x")
    found = await foreseen(scene)
    assert {one.name: (one.group, one.strict) for one in found.planned} == {"vip": ("gold", True), "x": ("", False)}
