"""snapshot: who had the table in SQL compared."""

from __future__ import annotations

from tests.lua.stage import Stage


async def test_an_event_with_its_actor(stage: Stage) -> None:
    await stage.pool.note_snapshot(actor="token:ana")
    event = (await stage.events())[-1]
    assert (event["type"], event["level"], event["actor"]) == ("pool.compared", "info", "token:ana")
