"""export: the event comes before the passwords."""

from __future__ import annotations

from tests.lua.stage import Stage


async def test_one_event_for_all(stage: Stage) -> None:
    await stage.add(3)
    assert await stage.pool.note_export("csv", group="br", actor="token:ana") == 3
    event = (await stage.events())[-1]
    assert (event["type"], event["level"], event["actor"]) == ("export.made", "warning", "token:ana")
    assert (event["format"], event["secrets"], event["total"], event["group"]) == ("csv", "1", "3", "br")
    assert not {"status", "protocol"} & event.keys()
