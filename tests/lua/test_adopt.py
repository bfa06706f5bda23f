"""adopt: what a row proves."""

from __future__ import annotations

import pytest

from service.pool.batches import Claim, Sighting
from service.pool.models import Applied, Evidence, Phase, Waits
from tests.lua.stage import HOUR, Stage, spec


async def test_the_proxy_of_a_row_becomes_the_instances_lease(stage: Stage) -> None:
    [proxy_id] = await stage.add()
    await stage.see(row=proxy_id)
    assert (await stage.adopt("i1", proxy_id)).word == "ADOPTED"
    lease = await stage.lease(proxy_id)
    assert (lease.phase, lease.applied, lease.reason) == (Phase.ACTIVE, Applied.UNKNOWN, "adopted")
    stage.clock.move(1)
    assert (await stage.adopt("i1", proxy_id)).word == "HELD"


async def test_cooling_quarantined_and_disabled_proxies_are_adopted_too(stage: Stage) -> None:
    first, second, third = await stage.add(3)
    lease = await stage.active("i0", pin=first)
    await stage.pool.finish_release(lease, Evidence.GONE, rest_ms=HOUR)
    await stage.pool.quarantine(second, reason="dead", probation_ms=HOUR, actor="auto")
    await stage.pool.disable(third, reason="human", actor="auto")
    for number, proxy_id in enumerate((first, second, third)):
        assert (await stage.adopt(f"i{number + 1}", proxy_id)).word == "ADOPTED"
    proxy = await stage.pool.proxy(third)
    assert proxy is not None
    assert (proxy.status.value, proxy.active) == ("used", False)


async def test_exclusivity_beats_choice_and_is_told_once(stage: Stage) -> None:
    [proxy_id] = await stage.add()
    held = await stage.active("i1")
    await stage.see("i2", row=proxy_id)
    for _ in range(2):
        outcome = await stage.adopt("i2", proxy_id)
        assert (outcome.word, outcome.proxy_id, outcome.token) == ("HELD_ELSEWHERE", proxy_id, held.token)
    [conflict] = await stage.events("lease.conflict")
    assert (conflict["level"], conflict["instance"], conflict["holder"]) == ("error", "i2", "a/i1")
    await stage.see("i1", state="close")
    assert (await stage.lease(proxy_id)).instance == "i1"


async def test_a_row_that_differs_from_the_lease_changes_no_lease(stage: Stage) -> None:
    first, second = await stage.add(2)
    await stage.see()
    lease = await stage.active("i1")
    stage.clock.move(1)
    outcome = await stage.adopt("i1", second)
    assert (outcome.word, outcome.proxy_id, outcome.token) == ("HAS_OTHER", first, lease.token)
    assert await stage.status(second) == "quarantined"


async def test_an_unknown_endpoint_is_external_and_remembered(stage: Stage) -> None:
    unknown = spec(1)
    await stage.see(row=unknown.id)
    assert (await stage.adopt("i1", unknown.id)).word == "EXTERNAL"
    assert await stage.add() == [unknown.id]
    assert await stage.status(unknown.id) == "quarantined"
    assert (await stage.pool.stats()).external == 0


async def test_a_reservation_becomes_the_lease_of_the_instance_of_its_name(stage: Stage) -> None:
    [proxy_id] = await stage.add()
    await stage.pool.reserve("a", "shop", reservation="r1", expires_at=stage.clock.at + 1000, actor="token:x")
    assert (await stage.adopt("i1", proxy_id, name="other")).word == "HELD_ELSEWHERE"
    assert (await stage.adopt("i2", proxy_id, name="shop")).word == "ADOPTED"
    lease = await stage.lease(proxy_id)
    assert (lease.instance, lease.reservation, (await stage.pool.stats()).reservations) == ("i2", None, 0)


async def test_an_instance_that_names_its_own_tail_again_gets_it_back(stage: Stage) -> None:
    await stage.add(2)
    new, old = await stage.tail()
    assert (await stage.adopt("i1", old.proxy_id)).word == "HAS_OTHER"
    await stage.pool.row_cleared(old, "off")
    await stage.pool.abandon(new, "unsent")
    assert (await stage.adopt("i1", old.proxy_id)).word == "ADOPTED"
    assert not (await stage.lease(old.proxy_id)).tail
    assert await stage.raw("tails:a") == {}


async def test_a_row_read_before_the_lease_last_changed_proves_nothing(stage: Stage) -> None:
    [proxy_id] = await stage.add()
    await stage.see()
    began = stage.clock.at
    stage.clock.move(10)
    lease = await stage.cleared()
    await stage.moved(lease)
    assert (await stage.adopt("i1", proxy_id, seen_at=began)).word == "STALE_SIGHT"
    assert (await stage.adopt("i1", proxy_id, seen_at=stage.clock.at)).word == "STALE_SIGHT"
    assert (await stage.adopt("i1", proxy_id, seen_at=stage.clock.at + 1)).word == "ADOPTED"


async def test_a_release_that_runs_is_not_undone_by_its_own_row(stage: Stage) -> None:
    [proxy_id] = await stage.add()
    await stage.releasing()
    stage.clock.move(1)
    assert (await stage.adopt("i1", proxy_id)).word == "HELD"
    assert (await stage.lease(proxy_id)).waits is Waits.ROW


async def test_an_unknown_set_of_the_tail_is_not_forgotten(stage: Stage) -> None:
    await stage.add(2)
    old = await stage.active()
    await stage.pool.mark(old, "unknown")
    marked = stage.clock.at
    proxy_id, _ = await stage.pool.rotate(old, reason="signs")
    await stage.pool.row_cleared(await stage.lease(old.proxy_id), "off")
    await stage.pool.abandon(await stage.lease(proxy_id), "unsent")
    await stage.adopt("i1", old.proxy_id)
    assert (await stage.lease(old.proxy_id)).unknown_at == marked


async def test_the_same_instance_of_a_former_server_brings_its_lease_along(stage: Stage) -> None:
    """Its server bears another name now: Evolution's id is the proof."""
    await stage.add(2)
    await stage.see()
    lease = await stage.active()
    await stage.open("c")
    await stage.pool.observe("c", [Sighting("i1", "name-i1", "open", "X", True, row=lease.proxy_id)])
    stage.clock.move(1)
    [outcome] = await stage.pool.adopt("c", [Claim("i1", "name-i1", lease.proxy_id)])
    assert outcome.word == "ADOPTED"
    now = await stage.lease(lease.proxy_id)
    assert (now.server, now.instance, now.phase) == ("c", "i1", Phase.ACTIVE)
    assert (await stage.pool.stats()).former == {"a": 0}
    assert await stage.events("lease.shared") == []


@pytest.mark.parametrize(("servers", "instance"), [(("a", "c"), "i1"), (("c",), "i2")])
async def test_another_id_or_a_server_that_is_still_configured_brings_none(
    stage: Stage, servers: tuple[str, ...], instance: str
) -> None:
    await stage.add()
    lease = await stage.active()
    await stage.open(*servers)
    [outcome] = await stage.pool.adopt("c", [Claim(instance, "name-i1", lease.proxy_id)])
    assert outcome.word == "HELD_ELSEWHERE"
    assert await stage.lease(lease.proxy_id) == lease
