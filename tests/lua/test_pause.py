"""pause: policy stops, humans go on (test_acquire.py)."""

from __future__ import annotations

from tests.lua.stage import Stage


async def test_one_event_a_change(stage: Stage) -> None:
    changed = [await stage.pool.pause(paused=paused, actor="cli:ana") for paused in (False, True, True, False)]
    assert changed == [False, True, False, True]
    types = [event["type"] for event in await stage.events() if event["actor"] == "cli:ana"]
    assert types == ["pool.paused", "pool.resumed"]


async def test_stats_say_so(stage: Stage) -> None:
    await stage.pool.pause(paused=True, actor="cli:ana")
    assert (await stage.pool.stats()).paused
