"""ignore_server: a human's override of first sight."""

from __future__ import annotations

from tests.lua.stage import Stage, refused


async def test_it_opens_the_gate_and_closes_it_again(stage: Stage) -> None:
    await stage.add()
    await stage.pool.configure(["a", "b"], events_max=100)
    await stage.pool.ignore_server("b", ignored=True, actor="cli:ana")
    assert (await stage.try_acquire()).word == "LEASED"
    await stage.pool.ignore_server("b", ignored=False, actor="cli:ana")
    with refused("not_reconciled", "b"):
        await stage.try_acquire("i2")


async def test_one_event_a_change(stage: Stage) -> None:
    for ignored in (False, True, True, False):
        await stage.pool.ignore_server("a", ignored=ignored, actor="cli:ana")
    types = [event["type"] for event in await stage.events() if event["actor"] == "cli:ana"]
    assert types == ["server.ignored", "server.heeded"]


async def test_only_configured_servers(stage: Stage) -> None:
    with refused("not_configured", "b"):
        await stage.pool.ignore_server("b", ignored=True, actor="cli:ana")
