"""token_create: a name, a role, and the digest of a secret."""

from __future__ import annotations

import pytest

from service.errors import InvalidInputError
from service.pool.tokens import Role, Token
from tests.lua.stage import Stage, refused


async def test_the_secret_lets_in_and_is_not_kept(stage: Stage) -> None:
    await stage.pool.set_superadmin("a long secret")
    token = await stage.pool.token_of("a long secret")
    assert token == Token("superadmin", Role.SUPERADMIN, stage.clock.at)
    assert await stage.pool.token_of("another secret") is None
    kept = await stage.redis.hgetall(stage.pool.keys.named("tokens"))
    assert "a long secret" not in str(kept)
    [event] = [event for event in await stage.events() if event["type"] == "token.created"]
    assert (event["token"], event["role"]) == ("superadmin", "superadmin")


async def test_replacing_ends_the_old_secret_and_the_same_again_changes_nothing(stage: Stage) -> None:
    await stage.pool.set_superadmin("the first secret")
    await stage.pool.set_superadmin("the second secret")
    stage.clock.move(1)
    await stage.pool.set_superadmin("the second secret")
    assert await stage.pool.token_of("the first secret") is None
    assert await stage.pool.token_of("the second secret") == Token("superadmin", Role.SUPERADMIN, stage.clock.at - 1)
    assert [event["type"] for event in await stage.events()].count("token.created") == 2


async def test_replacing_ends_the_sessions_and_the_same_again_does_not(stage: Stage) -> None:
    await stage.pool.set_superadmin("the first secret")
    token = await stage.pool.token_of("the first secret")
    secret, _ = await stage.pool.open_session("token:superadmin", Role.SUPERADMIN, token=token)
    await stage.pool.set_superadmin("the first secret")
    assert await stage.pool.session_of(secret)
    await stage.pool.set_superadmin("the second secret")
    assert await stage.pool.session_of(secret) is None


async def test_a_token_of_an_older_release(stage: Stage) -> None:
    await stage.pool.set_superadmin("a long secret")
    key = stage.pool.keys.named("tokens")
    value = await stage.redis.hget(key, "superadmin")
    await stage.redis.hset(key, "superadmin", "\n".join(value.split("\n")[:3]))
    assert await stage.pool.token_of("a long secret") == Token("superadmin", Role.SUPERADMIN, stage.clock.at)
    await stage.pool.set_superadmin("a long secret")
    assert len(await stage.events("token.created")) == 1


async def test_a_token_that_expires(stage: Stage) -> None:
    ends = stage.clock.at + 10
    text = await stage.pool.create_token("ana", Role.ADMIN, expires_at=ends, rate_limit=60, actor="cli:ana")
    stage.clock.move(9)
    assert await stage.pool.token_of(text) == Token("ana", Role.ADMIN, stage.clock.at - 9, ends, 60)
    stage.clock.move(1)
    assert await stage.pool.token_of(text) is None
    assert [token.name for token in await stage.pool.tokens()] == ["ana"], "it is there to be seen and revoked"
    [event] = await stage.events("token.created")
    assert event["expires_at"] == str(ends)


async def test_an_end_that_is_not_to_come(stage: Stage) -> None:
    with pytest.raises(InvalidInputError) as caught:
        await stage.pool.create_token("ana", Role.VIEWER, expires_at=stage.clock.at, actor="cli:ana")
    assert caught.value.params["field"] == "expiresAt"


async def test_a_name_that_is_taken_is_refused(stage: Stage) -> None:
    await stage.pool.set_superadmin("a long secret")
    assert not await stage.pool.make_superadmin("another secret")
    assert await stage.pool.token_of("another secret") is None
    with refused("token_exists"):
        await stage.pool.create_token("superadmin", Role.VIEWER, actor="cli:ana")


async def test_a_made_token_belongs_to_its_name(stage: Stage) -> None:
    text = await stage.pool.create_token("grafana", Role.VIEWER, actor="cli:ana")
    assert await stage.pool.token_of(text) == Token("grafana", Role.VIEWER, stage.clock.at)
    assert await stage.pool.token_of(text[:-1] + ("0" if text[-1] != "0" else "1")) is None
    assert [token.name for token in await stage.pool.tokens()] == ["grafana"]


@pytest.mark.parametrize("name", ["", "a b", "a_b", "x" * 65, "a\nb"])
async def test_names_that_are_none(stage: Stage, name: str) -> None:
    with pytest.raises(InvalidInputError):
        await stage.pool.create_token(name, Role.VIEWER, actor="cli:ana")


def test_roles_cover_those_below() -> None:
    assert [[one.covers(other) for other in Role] for one in Role] == [
        [True, False, False],
        [True, True, False],
        [True, True, True],
    ]
