"""quarantine: probation, doubled each time."""

from __future__ import annotations

from tests.lua.stage import HOUR, MINUTE, Stage, refused


async def test_the_probation_doubles_and_ends_at_its_time(stage: Stage) -> None:
    [proxy_id] = await stage.add()
    for strikes, minutes in ((1, 1), (2, 2), (3, 4)):
        answer = await stage.pool.quarantine(proxy_id, reason="dead", probation_ms=MINUTE, actor="auto")
        assert answer == (stage.clock.at + minutes * MINUTE, strikes)
        stage.clock.move(minutes * MINUTE - 1)
        await stage.pool.sweep(limit=10)
        assert await stage.status(proxy_id) == "quarantined"
        stage.clock.move(1)
        await stage.pool.sweep(limit=10)
        assert await stage.status(proxy_id) == "free"
    proxy = await stage.pool.proxy(proxy_id)
    assert proxy is not None
    assert proxy.strikes == 3


async def test_it_lasts_thirty_days_at_most(stage: Stage) -> None:
    [proxy_id] = await stage.add()
    until = 0
    for _ in range(20):
        until, _ = await stage.pool.quarantine(proxy_id, reason="dead", probation_ms=HOUR, actor="auto")
    assert until == stage.clock.at + 30 * 24 * HOUR


async def test_neither_a_longer_quarantine_nor_a_rest_gets_shorter(stage: Stage) -> None:
    [proxy_id] = await stage.add()
    await stage.released(rest_ms=HOUR, rest_reason="ban")
    answer = await stage.pool.quarantine(proxy_id, reason="dead", probation_ms=MINUTE, actor="auto")
    assert answer == (stage.clock.at + HOUR, 1)
    stage.clock.move(HOUR - 1)
    await stage.pool.sweep(limit=10)
    assert (await stage.try_acquire()).word == "NO_PROXY_AVAILABLE"


async def test_one_that_a_row_names_stays_until_the_row_is_seen_cleared(stage: Stage) -> None:
    [proxy_id] = await stage.add()
    await stage.see("foreign", row=proxy_id)
    await stage.pool.quarantine(proxy_id, reason="dead", probation_ms=MINUTE, actor="auto")
    proxy = await stage.pool.proxy(proxy_id)
    assert proxy is not None
    assert (proxy.quarantine_reason, proxy.available_at) == ("seen", None)


async def test_held_disabled_and_unknown_proxies_are_refused(stage: Stage) -> None:
    first, second = await stage.add(2)
    await stage.active()
    await stage.pool.disable(second, reason="human", actor="auto")
    for proxy_id, word in ((first, "held"), (second, "disabled"), ("0" * 20, "unknown_proxy")):
        with refused(word):
            await stage.pool.quarantine(proxy_id, reason="dead", probation_ms=MINUTE, actor="auto")
