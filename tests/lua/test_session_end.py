"""session_end: by its owner or by the superadmin."""

from __future__ import annotations

from service.pool.tokens import Role
from tests.lua.stage import Stage, refused


async def test_it_lets_nobody_in_any_more(stage: Stage) -> None:
    secret, session = await stage.pool.open_session("jwt:ana", Role.VIEWER)
    other, _ = await stage.pool.open_session("jwt:ana", Role.VIEWER)
    await stage.pool.end_session(session.id, reason="ended", actor="token:boss")
    assert await stage.pool.session_of(secret) is None
    assert await stage.pool.session_of(other)
    assert len(await stage.pool.sessions()) == 1
    [event] = await stage.events("session.ended")
    assert (event["actor"], event["owner"], event["reason"]) == ("token:boss", "jwt:ana", "ended")


async def test_one_that_is_not_there_is_refused(stage: Stage) -> None:
    with refused("unknown_session"):
        await stage.pool.end_session("none", reason="ended", actor="token:boss")


async def test_one_that_is_over_can_not_be_ended(stage: Stage) -> None:
    _, session = await stage.pool.open_session("jwt:ana", Role.VIEWER)
    await stage.redis.delete(stage.pool.keys.session(session.id))
    with refused("unknown_session"):
        await stage.pool.end_session(session.id, reason="ended", actor="token:boss")
