"""A number that comes back gets the proxy that it had, while it is free and healthy."""

from __future__ import annotations

import pytest

from service.evolution.simulator import Instance
from service.pool.choice import Why
from tests.control.scene import HOUR, MINUTE, Scene, spec

EARLY = frozenset({"open", "connecting", "close"})
DAY = 24 * HOUR
OWNER = "5511987650001@s.whatsapp.net"


def paired(scene: Scene, name: str, owner: str = OWNER) -> Instance:
    """A new instance of that number, open at once."""
    instance = scene.instance(name, state="close")
    instance.owner = owner
    scene.sim.open(name)
    return instance


async def gone(scene: Scene, name: str) -> None:
    """It is deleted, and its proxy has rested."""
    scene.sim.delete(name)
    await scene.ticks(2)
    scene.clock.move(15 * MINUTE)


async def test_by_its_phone_under_another_name(scene: Scene) -> None:
    paired(scene, "shop")
    await scene.tick()
    await gone(scene, "shop")
    back = paired(scene, "renamed")
    await scene.tick()
    assert scene.exit(back) == spec(1).id
    assert (await scene.lease(back)).chosen.why is Why.MEMORY


async def test_a_number_that_was_paired_after_its_proxy_was_set_is_known_by_its_phone(scene: Scene) -> None:
    await scene.restarted(assign_in=EARLY)
    instance = scene.instance("shop", state="close")
    await scene.tick()
    assert (await scene.lease(instance)).owner == ""
    instance.owner = OWNER
    scene.sim.open("shop")
    await scene.ticks(2)
    await gone(scene, "shop")
    back = paired(scene, "renamed")
    await scene.tick()
    assert scene.exit(back) == spec(1).id


async def test_by_its_name_while_its_phone_is_not_known_yet(scene: Scene) -> None:
    paired(scene, "shop")
    await scene.tick()
    await gone(scene, "shop")
    await scene.restarted(assign_in=EARLY)
    created = scene.instance("shop", state="close")
    await scene.tick()
    assert (scene.row(created), (await scene.lease(created)).chosen.why) == (spec(1).id, Why.MEMORY)


async def test_another_number_under_the_name_gets_one_of_the_line(scene: Scene) -> None:
    paired(scene, "shop")
    await scene.tick()
    await gone(scene, "shop")
    another = paired(scene, "shop", "5511987650002@s.whatsapp.net")
    await scene.tick()
    assert (scene.exit(another), (await scene.lease(another)).chosen.why) == (spec(2).id, Why.LINE)


async def test_what_is_remembered_goes_to_others_last(scene: Scene) -> None:
    paired(scene, "shop")
    await scene.tick()
    await gone(scene, "shop")
    others = [scene.instance(f"other{number}") for number in range(3)]
    await scene.tick()
    assert {scene.exit(other) for other in others} == {spec(number).id for number in (1, 2, 3)}
    kept = next(other for other in others if scene.exit(other) == spec(1).id)
    lease = await scene.lease(kept)
    assert lease.chosen.counts is not None
    assert (lease.chosen.counts.candidates, lease.chosen.counts.kept) == (0, 1)


@pytest.mark.parametrize(("after", "back_to"), [(7 * DAY - 20 * MINUTE, 1), (7 * DAY, 2)])
async def test_the_memory_ends(scene: Scene, after: int, back_to: int) -> None:
    paired(scene, "shop")
    await scene.tick()
    await gone(scene, "shop")
    scene.clock.move(after)
    await scene.pool.sweep(limit=10)
    back = paired(scene, "shop")
    await scene.tick()
    assert scene.exit(back) == spec(back_to).id


async def test_one_that_is_quarantined_is_not_given_back(scene: Scene) -> None:
    paired(scene, "shop")
    await scene.tick()
    await gone(scene, "shop")
    await scene.pool.quarantine(spec(1).id, reason="dead", probation_ms=HOUR, actor="auto")
    back = paired(scene, "shop")
    await scene.tick()
    assert scene.exit(back) == spec(2).id
