"""reveal: the event comes before the password."""

from __future__ import annotations

from tests.lua.stage import Stage, refused, spec


async def test_the_password_and_its_event(stage: Stage) -> None:
    [proxy_id] = await stage.add()
    assert await stage.pool.reveal(proxy_id, actor="token:ana") == spec().password
    event = (await stage.events())[-1]
    assert (event["type"], event["actor"], event["proxy"]) == ("proxy.revealed", "token:ana", proxy_id)


async def test_an_unknown_proxy_is_refused(stage: Stage) -> None:
    with refused("unknown_proxy"):
        await stage.pool.reveal("none", actor="token:ana")
