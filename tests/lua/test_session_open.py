"""session_open: from a proof to a session."""

from __future__ import annotations

import pytest

from service.pool.sessions import IDLE_MS, LONGEST_MS, Session
from service.pool.tokens import Role, Token
from tests.lua.stage import HOUR, MINUTE, Stage, refused


async def proof(stage: Stage, name: str = "ana", **fields: int) -> Token:
    text = await stage.pool.create_token(name, Role.ADMIN, actor="cli:ana", **fields)  # type: ignore[arg-type]
    token = await stage.pool.token_of(text)
    assert token is not None
    return token


async def open_by(stage: Stage, token: Token) -> tuple[str, Session]:
    return await stage.pool.open_session(f"token:{token.name}", token.role, token=token)


async def test_the_secret_leads_to_the_session_and_is_not_kept(stage: Stage) -> None:
    token = await proof(stage, rate_limit=7)
    secret, opened = await stage.pool.open_session(
        "token:ana", Role.ADMIN, token=token, address="192.0.2.1", agent="Browser\x1b" + "x" * 200
    )
    assert await stage.pool.session_of(secret) == opened
    assert (opened.address, opened.agent, opened.rate_limit) == ("192.0.2.1", "Browser?" + "x" * 112, 7)
    assert opened.expires_at == stage.clock.at + LONGEST_MS
    assert await stage.pool.sessions() == {opened.id: opened.expires_at}
    assert await stage.pool.sessions_by([opened.id, "none"]) == [opened]
    assert secret not in str(await stage.redis.hgetall(stage.pool.keys.session(opened.id)))
    event = (await stage.events())[-1]
    assert (event["type"], event["actor"], event["session"]) == ("session.opened", "token:ana", opened.id)


async def test_it_is_over_when_idle(stage: Stage) -> None:
    secret, _ = await stage.pool.open_session("jwt:ana", Role.VIEWER)
    stage.clock.move(IDLE_MS - 1)
    assert await stage.pool.session_of(secret)
    stage.clock.move(1)
    assert await stage.pool.session_of(secret) is None


async def test_redis_forgets_it_when_idle(stage: Stage) -> None:
    _, session = await stage.pool.open_session("jwt:ana", Role.VIEWER)
    assert IDLE_MS - 5 * MINUTE < await stage.redis.pttl(stage.pool.keys.session(session.id)) <= IDLE_MS


@pytest.mark.parametrize("by", ["token", "jwt"])
async def test_it_is_over_with_its_proof(stage: Stage, by: str) -> None:
    ends = stage.clock.at + HOUR
    token = await proof(stage, expires_at=ends) if by == "token" else None
    secret, session = await stage.pool.open_session(
        f"{by}:ana", Role.ADMIN, token=token, expires_at=None if token else ends
    )
    assert session.expires_at == ends
    stage.clock.move(HOUR - 1)
    assert await stage.pool.session_of(secret)
    stage.clock.move(1)
    assert await stage.pool.session_of(secret) is None
    assert await stage.pool.sessions() == {}


async def test_a_token_that_was_revoked_or_replaced_meanwhile_opens_none(stage: Stage) -> None:
    token = await proof(stage)
    await stage.pool.revoke_token("ana", actor="cli:ana")
    with refused("unknown_token"):
        await open_by(stage, token)
    await proof(stage)
    with refused("unknown_token"):
        await open_by(stage, token)
    assert await stage.pool.sessions() == {}


async def test_the_oldest_of_one_owner_gives_way(stage: Stage) -> None:
    other, _ = await stage.pool.open_session("jwt:rui", Role.VIEWER)
    secrets = []
    for _ in range(51):
        secret, _ = await stage.pool.open_session("jwt:ana", Role.VIEWER)
        secrets.append(secret)
        stage.clock.move(1)
    assert [bool(await stage.pool.session_of(one)) for one in secrets] == [False] + [True] * 50
    assert await stage.pool.session_of(other)
    assert len(await stage.pool.sessions()) == 51
    [event] = await stage.events("session.ended")
    assert (event["owner"], event["reason"]) == ("jwt:ana", "too_many")


async def test_what_is_over_is_forgotten(stage: Stage) -> None:
    await stage.pool.open_session("jwt:ana", Role.VIEWER, expires_at=stage.clock.at + HOUR)
    _, idle = await stage.pool.open_session("jwt:rui", Role.VIEWER)
    await stage.redis.delete(stage.pool.keys.session(idle.id))  # as Redis does when it was idle
    stage.clock.move(HOUR)
    _, fresh = await stage.pool.open_session("jwt:rui", Role.VIEWER)
    assert await stage.pool.sessions() == {fresh.id: fresh.expires_at}
    assert await stage.redis.exists(stage.pool.keys.named("owned:jwt:ana")) == 0
    assert await stage.events("session.ended") == []
