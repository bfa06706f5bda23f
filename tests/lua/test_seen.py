"""seen: when a token and a session were last used."""

from __future__ import annotations

from service.pool.sessions import IDLE_MS
from service.pool.tokens import Role
from tests.lua.stage import HOUR, Stage


async def last_used(stage: Stage) -> int | None:
    [token] = await stage.pool.tokens()
    return token.last_used_at


async def test_a_token_in_use(stage: Stage) -> None:
    text = await stage.pool.create_token("ana", Role.VIEWER, actor="cli:ana")
    assert await last_used(stage) is None
    used_at = stage.clock.move(1000)
    await stage.pool.seen(token="ana")
    assert await last_used(stage) == used_at
    stage.clock.move(-500)
    await stage.pool.seen(token="ana")
    assert await last_used(stage) == used_at, "another process' clock is a little late"
    token = await stage.pool.token_of(text)
    assert token is not None
    assert token.last_used_at == used_at


async def test_a_token_that_is_gone_leaves_nothing(stage: Stage) -> None:
    await stage.pool.create_token("ana", Role.VIEWER, actor="cli:ana")
    await stage.pool.seen(token="ana")
    await stage.pool.revoke_token("ana", actor="cli:ana")
    await stage.pool.seen(token="ana")
    assert await stage.raw("token_uses") == {}


async def test_a_session_in_use_lives_on_but_not_past_its_end(stage: Stage) -> None:
    secret, opened = await stage.pool.open_session("jwt:ana", Role.VIEWER, expires_at=stage.clock.at + IDLE_MS + HOUR)
    seen_at = stage.clock.move(IDLE_MS - 1)
    await stage.pool.seen(session=opened.id)
    session = await stage.pool.session_of(secret)
    assert session is not None
    assert session.seen_at == seen_at
    assert await stage.redis.pttl(stage.pool.keys.session(opened.id)) <= HOUR + 1
    stage.clock.move(HOUR)
    assert await stage.pool.session_of(secret)
    stage.clock.move(1)
    assert await stage.pool.session_of(secret) is None


async def test_a_session_that_is_gone_is_not_made_again(stage: Stage) -> None:
    _, session = await stage.pool.open_session("jwt:ana", Role.VIEWER)
    await stage.pool.end_session(session.id, reason="logout", actor="jwt:ana")
    await stage.pool.seen(session=session.id)
    assert await stage.redis.exists(stage.pool.keys.session(session.id)) == 0
