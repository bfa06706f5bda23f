"""EVOPROXY_GROUP_RULES, the whole way."""

from __future__ import annotations

from service.pool.choice import Why
from service.setting_types import GroupRule
from tests.control.scene import MINUTE, Scene, spec

EARLY = frozenset({"open", "connecting", "close"})


async def test_a_strict_rule_waits_for_its_group_and_another_falls_back(scene: Scene) -> None:
    await scene.restarted(
        group_rules=(GroupRule(name="vip-*", group="gold", strict=True), GroupRule(name="eco-*", group="cheap"))
    )
    waiting, easy = scene.instance("vip-1"), scene.instance("eco-1")
    await scene.ticks(2)
    assert await scene.find_lease(waiting) is None
    assert scene.exit(easy) == spec(1).id
    assert (await scene.lease(easy)).chosen.why is Why.LINE
    await scene.add(1, first=50, group="gold")
    await scene.tick()
    assert scene.exit(waiting) == spec(50).id
    lease = await scene.lease(waiting)
    assert (lease.chosen.why, lease.chosen.group) == (Why.GROUP, "gold")
    assert lease.chosen.counts is not None
    assert (lease.chosen.counts.candidates, lease.chosen.counts.elsewhere) == (1, 2)


async def test_the_first_rule_that_matches_wins(scene: Scene) -> None:
    await scene.add(1, first=50, group="gold")
    await scene.add(1, first=60, group="cheap")
    rules = (GroupRule(server="b", group="gold"), GroupRule(name="x*", group="cheap"), GroupRule(group="gold"))
    await scene.restarted(group_rules=rules)
    first, second = scene.instance("x1"), scene.instance("y1")
    await scene.tick()
    assert (scene.exit(first), scene.exit(second)) == (spec(60).id, spec(50).id)


async def test_a_number_that_is_not_known_yet_matches_no_phone_prefix_and_is_not_moved_later(scene: Scene) -> None:
    await scene.add(1, first=50, group="br")
    await scene.restarted(group_rules=(GroupRule(phone_prefix="5511", group="br", strict=True),), assign_in=EARLY)
    created = scene.instance("x", state="close", number="5511987650001")
    await scene.tick()
    assert scene.row(created) == spec(1).id
    scene.sim.open("x")
    await scene.ticks(3, MINUTE)
    assert (scene.exit(created), scene.row(created)) == (spec(1).id, spec(1).id)
    known = scene.instance("y", state="close", number="5511987650002")
    scene.sim.open("y")
    await scene.tick()
    assert scene.exit(known) == spec(50).id


async def test_a_returning_number_keeps_to_its_group(scene: Scene) -> None:
    instance = await scene.served("x")
    scene.sim.delete("x")
    await scene.ticks(2)
    await scene.add(1, first=50, group="gold")
    await scene.restarted(group_rules=(GroupRule(group="gold", strict=True),))
    back = scene.instance("x", number=instance.number)
    await scene.tick(15 * MINUTE)
    assert scene.exit(back) == spec(50).id
