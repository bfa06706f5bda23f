"""reserve: a proxy for an instance to be."""

from __future__ import annotations

from service.pool.models import Phase, Waits
from tests.lua.stage import HOUR, Stage, refused


async def _reserve(stage: Stage, reservation: str = "r1", pin: str = "") -> str:
    expires_at = stage.clock.at + HOUR
    proxy_id, token = await stage.pool.reserve(
        "a", "shop", reservation=reservation, expires_at=expires_at, actor="token:x", pin=pin
    )
    lease = await stage.lease(proxy_id)
    assert (lease.token, lease.expires_at, lease.phase) == (token, expires_at, Phase.RESERVED)
    return proxy_id


async def test_the_proxy_is_held_by_the_reservation_alone(stage: Stage) -> None:
    await stage.add()
    await _reserve(stage)
    assert (await stage.try_acquire()).word == "NO_PROXY_AVAILABLE"
    stats = await stage.pool.stats()
    assert (stats.reservations, stats.counts.used) == (1, 1)
    with refused("no_proxy_available"):
        await _reserve(stage, "r2")


async def test_an_open_reservation_of_this_id_answers_what_it_holds(stage: Stage) -> None:
    await stage.add(2)
    assert await _reserve(stage) == await _reserve(stage)
    assert (await stage.pool.stats()).reservations == 1


async def test_the_proxy_that_is_kept_for_the_name_comes_first(stage: Stage) -> None:
    first, second = await stage.add(2)
    lease = await stage.active("old", name="shop", pin=second)
    await stage.pool.begin_release(lease, Waits.ROW, reason="test")
    await stage.pool.row_cleared(lease, "off")
    await stage.moved(lease)
    assert await _reserve(stage) == second
    assert (await stage.lease(second)).chosen.why == "memory"
    assert await _reserve(stage, "r2") == first


async def test_pins_are_refused_as_in_acquire(stage: Stage) -> None:
    first, second, third = await stage.add(3)
    await stage.active(pin=first)
    await stage.pool.disable(second, reason="human", actor="auto")
    await stage.pool.quarantine(third, reason="dead", probation_ms=HOUR, actor="auto")
    pins = {first: "held_elsewhere", second: "disabled", third: "quarantined", "0" * 20: "unknown_proxy"}
    for number, (pin, word) in enumerate(pins.items()):
        with refused(word):
            await _reserve(stage, f"r{number}", pin=pin)


async def test_the_gate_is_asked_but_a_human_passes_pause_and_brake(stage: Stage) -> None:
    await stage.add()
    await stage.pool.pause(paused=True, actor="cli:ana")
    await stage.pool.brake("a", "set", engaged=True, reason="x")
    await stage.pool.configure(["a", "b"], events_max=100)
    with refused("not_reconciled", "b"):
        await _reserve(stage)
    await stage.open()
    assert await _reserve(stage)
