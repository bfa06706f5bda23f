"""token_revoke: the token lets nobody in any more."""

from __future__ import annotations

from service.pool.tokens import Role
from tests.lua.stage import Stage, refused


async def test_a_revoked_token_lets_nobody_in(stage: Stage) -> None:
    text = await stage.pool.create_token("grafana", Role.VIEWER, actor="cli:ana")
    await stage.pool.revoke_token("grafana", actor="cli:ana")
    assert await stage.pool.token_of(text) is None
    event = (await stage.events())[-1]
    assert (event["type"], event["token"]) == ("token.revoked", "grafana")


async def test_one_that_is_not_there_is_refused(stage: Stage) -> None:
    with refused("unknown_token"):
        await stage.pool.revoke_token("grafana", actor="cli:ana")
