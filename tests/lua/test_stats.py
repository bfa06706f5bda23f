"""stats: every figure at one instant."""

from __future__ import annotations

from service.pool.batches import Sighting
from service.pool.models import Waits
from service.pool.stats import Counts
from tests.lua.stage import HOUR, MINUTE, Stage, spec


async def test_every_status_and_group_is_counted(stage: Stage) -> None:
    await stage.add(5)
    await stage.pool.import_proxies([spec(9, group="br")], stamp="s", actor="auto")
    await stage.active("i1")
    await stage.reserved("i2")
    [_, _, third, fourth, _] = [spec(number).id for number in range(1, 6)]
    await stage.pool.quarantine(third, reason="dead", probation_ms=HOUR, actor="auto")
    await stage.pool.disable(fourth, reason="human", actor="auto")
    stats = await stage.pool.stats()
    assert stats.counts == Counts(total=6, used=2, available=2, cooling=0, quarantined=1, disabled=1)
    assert stats.counts.utilization == 40.0
    assert stats.groups["br"] == Counts(total=1, available=1)
    assert (stats.reserved, stats.releasing, stats.servers["a"].leases) == (1, 0, 2)


async def test_cooling_becomes_available_at_its_moment_without_an_event(stage: Stage) -> None:
    await stage.add()
    await stage.released(rest_ms=MINUTE)
    stage.clock.move(MINUTE - 1)
    before = await stage.pool.stats()
    assert (before.counts.available, before.counts.cooling, before.groups[""].cooling) == (0, 1, 1)
    stage.clock.move(1)
    after = await stage.pool.stats()
    assert (after.counts.available, after.counts.cooling, after.groups[""].available) == (1, 0, 1)
    assert before.events == after.events


async def test_leases_in_every_phase_and_what_is_remembered_of_a_server(stage: Stage) -> None:
    await stage.add(3)
    await stage.releasing("i1")
    await stage.pool.begin_release(await stage.active("i2"), Waits.GRACE, reason="x")
    await stage.pool.brake("a", "release", engaged=True, reason="shrunken")
    stats = await stage.pool.stats()
    assert (stats.releasing, stats.counts.used, stats.lost) == (2, 2, None)
    assert stats.servers["a"].remembered["release_brake_reason"] == "shrunken"
    assert stats.epoch == await stage.pool.epoch()


async def test_the_unprotected_are_counted_by_server(stage: Stage) -> None:
    await stage.open("a", "a-0", "a0")
    await stage.see("i1")
    await stage.see("i2")
    await stage.pool.observe("a-0", [Sighting("i3", "a/0", "open", "WHATSAPP-BAILEYS", True)])
    stats = await stage.pool.stats()
    assert {name: server.unprotected for name, server in stats.servers.items()} == {"a": 2, "a-0": 1, "a0": 0}
    assert stats.unprotected == 3
