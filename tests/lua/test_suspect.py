"""suspect: the server is to blame, not the proxies."""

from __future__ import annotations

from tests.lua.stage import Stage, refused


async def test_it_is_told_once_with_its_reason_and_since_when(stage: Stage) -> None:
    began = stage.clock.at
    assert await stage.pool.suspect("a", suspected=True, reason="4 of 9 at once")
    stage.clock.move(5)
    assert not await stage.pool.suspect("a", suspected=True, reason="5 of 9 at once")
    server = await stage.pool.server("a")
    assert (server["suspect_since"], server["suspect_reason"]) == (str(began), "4 of 9 at once")
    [event] = await stage.events("server.suspect")
    assert (event["level"], event["server"], event["reason"]) == ("error", "a", "4 of 9 at once")


async def test_it_is_cleared_once(stage: Stage) -> None:
    assert not await stage.pool.suspect("a", suspected=False, reason="calm")
    await stage.pool.suspect("a", suspected=True, reason="4 of 9 at once")
    assert await stage.pool.suspect("a", suspected=False, reason="calm")
    assert "suspect_since" not in await stage.pool.server("a")
    assert len(await stage.events("server.cleared")) == 1


async def test_only_of_a_configured_server(stage: Stage) -> None:
    with refused("not_configured"):
        await stage.pool.suspect("z", suspected=True, reason="")
