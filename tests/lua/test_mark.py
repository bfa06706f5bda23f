"""mark: what was seen of a lease's instance."""

from __future__ import annotations

import pytest
from redis.exceptions import ResponseError

from service.pool.models import Applied, Evidence, Waits
from tests.lua.stage import HOUR, MINUTE, SETTLE, Stage, refused


@pytest.mark.parametrize("what", ["opened", "down"])
async def test_a_note_is_made_once(stage: Stage, what: str) -> None:
    await stage.add()
    lease = await stage.active()
    assert await stage.pool.mark(lease, what)
    assert not await stage.pool.mark(lease, what)
    assert getattr(await stage.lease(lease.proxy_id), what)
    assert len(await stage.events(f"lease.{what}")) == 1


async def test_applied_needs_an_active_lease_that_was_down(stage: Stage) -> None:
    await stage.add()
    await stage.see()
    lease = await stage.reserved()
    await stage.pool.mark(lease, "down")
    with refused("wrong_phase", "reserved"):
        await stage.pool.mark(lease, "applied")
    await stage.pool.confirm(lease)
    with refused("wrong_phase", "active"):
        await stage.pool.mark(lease, "applied")
    await stage.pool.mark(lease, "down")
    assert (await stage.pool.stats()).unprotected == 1
    assert await stage.pool.mark(lease, "applied")
    assert not await stage.pool.mark(lease, "applied")
    after = await stage.lease(lease.proxy_id)
    assert (after.applied, after.applied_at, after.opened) == (Applied.YES, stage.clock.at, True)
    stats = await stage.pool.stats()
    assert (stats.unprotected, stats.unapplied) == (0, 0)


async def test_applied_ends_the_doubling_of_probations(stage: Stage) -> None:
    [proxy_id] = await stage.add()
    assert (await stage.pool.quarantine(proxy_id, reason="dead", probation_ms=MINUTE, actor="auto"))[1] == 1
    stage.clock.move(HOUR)
    await stage.pool.sweep(limit=10)
    lease = await stage.active()
    await stage.pool.mark(lease, "down")
    await stage.pool.mark(lease, "applied")
    proxy = await stage.pool.proxy(proxy_id)
    assert proxy is not None
    assert proxy.strikes == 0


async def test_of_unknown_sets_the_last_one_counts(stage: Stage) -> None:
    await stage.add()
    lease = await stage.reserved()
    for _ in range(2):
        stage.clock.move(10)
        assert await stage.pool.mark(lease, "unknown")
    assert (await stage.lease(lease.proxy_id)).unknown_at == stage.clock.at


async def test_a_row_that_was_written_again_has_to_be_applied_again(stage: Stage) -> None:
    await stage.add()
    await stage.see()
    lease = await stage.active()
    await stage.pool.mark(lease, "down")
    await stage.pool.mark(lease, "applied")
    await stage.pool.mark(lease, "asserted")
    after = await stage.lease(lease.proxy_id)
    assert (after.applied, after.down) == (Applied.NO, False)
    assert (await stage.pool.stats()).unapplied == 1


async def test_only_the_lease_of_this_token_and_known_notes(stage: Stage) -> None:
    await stage.add()
    lease = await stage.releasing()
    _, token = await stage.pool.cancel_release(lease)
    with refused("stale", lease.proxy_id, token):
        await stage.pool.mark(lease, "opened")
    with pytest.raises(ResponseError, match="BADARG what"):
        await stage.pool.mark(await stage.lease(lease.proxy_id), "sleepy")


async def test_only_an_active_lease_is_asserted(stage: Stage) -> None:
    await stage.add()
    lease = await stage.reserved()
    with refused("wrong_phase", "reserved"):
        await stage.pool.mark(lease, "asserted")


async def assert_ends(stage: Stage, proxy_id: str, status: str) -> None:
    """The release of the proxy's lease, on proof, leaves it with this status."""
    await stage.pool.begin_release(await stage.lease(proxy_id), Waits.ROW, reason="test")
    lease = await stage.lease(proxy_id)
    await stage.pool.row_cleared(lease, "off")
    await stage.pool.mark(lease, "down")
    assert await stage.pool.finish_release(lease, Evidence.MOVED) == status


async def test_a_set_that_was_being_sent_may_still_land_when_the_lease_ends(stage: Stage) -> None:
    await stage.add()
    lease = await stage.active()
    assert await stage.pool.mark(lease, "sending")
    await assert_ends(stage, lease.proxy_id, "quarantined")
    proxy = await stage.pool.proxy(lease.proxy_id)
    assert proxy is not None
    assert (proxy.quarantine_reason, proxy.available_at) == ("set_unknown", stage.clock.at + SETTLE)


@pytest.mark.parametrize("outcome", ["answered", "refused", "asserted"])
async def test_a_set_that_was_answered_can_not_land_any_more(stage: Stage, outcome: str) -> None:
    await stage.add()
    lease = await stage.active()
    await stage.pool.mark(lease, "sending")
    assert await stage.pool.mark(lease, outcome)
    await assert_ends(stage, lease.proxy_id, "free")


async def test_an_answer_does_not_end_what_an_earlier_set_without_one_may_do(stage: Stage) -> None:
    await stage.add()
    lease = await stage.active()
    await stage.pool.mark(lease, "unknown")
    await stage.pool.mark(lease, "sending")
    await stage.pool.mark(lease, "answered")
    await assert_ends(stage, lease.proxy_id, "quarantined")


async def test_only_refusals_of_five_proxies_engage_the_set_half(stage: Stage) -> None:
    await stage.add(5)
    leases = [await stage.active(f"i{number}") for number in range(5)]
    for lease in (*leases[:4], leases[0]):
        await stage.pool.mark(lease, "refused")
    assert (await stage.pool.server("a")).get("set_brake") != "1"
    await stage.pool.mark(leases[4], "refused")
    server = await stage.pool.server("a")
    assert (server["set_brake"], server["set_brake_reason"]) == ("1", "failed_sets count=5")
    assert len(await stage.events("brake.engaged")) == 1


@pytest.mark.parametrize("what", ["opened", "down"])
async def test_a_reading_of_before_the_lease_changed_tells_nothing_of_it(stage: Stage, what: str) -> None:
    """A process that was frozen after its reading tells of it when the row has been cleared."""
    await stage.add()
    seen_at = stage.clock.at
    stage.clock.move(1)
    lease = await stage.cleared()
    with refused("stale_sight"):
        await stage.pool.mark(lease, what, seen_at=seen_at)
    with refused("wrong_phase"):
        await stage.pool.finish_release(lease, Evidence.MOVED)
    assert await stage.pool.mark(lease, what, seen_at=stage.clock.at)


async def test_an_open_of_before_the_row_was_written_again_is_not_applied(stage: Stage) -> None:
    await stage.add()
    lease = await stage.active()
    seen_at = stage.clock.at
    stage.clock.move(1)
    await stage.pool.mark(lease, "asserted")
    await stage.pool.mark(lease, "down")
    with refused("stale_sight"):
        await stage.pool.mark(lease, "applied", seen_at=seen_at)


async def test_an_unknown_set_voids_what_was_proved_of_the_socket(stage: Stage) -> None:
    await stage.add()
    lease = await stage.cleared(socket_gone=True)
    await stage.pool.mark(lease, "down")
    await stage.pool.mark(lease, "unknown")
    after = await stage.lease(lease.proxy_id)
    assert (after.waits, after.down, after.socket_gone) == (Waits.SOCKET, False, False)
