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


async def test_its_sessions_end_and_no_others(stage: Stage) -> None:
    secrets = []
    for name in ("ana", "ana.rui", "rui"):
        text = await stage.pool.create_token(name, Role.VIEWER, actor="cli:ana")
        token = await stage.pool.token_of(text)
        secrets.append((await stage.pool.open_session(f"token:{name}", Role.VIEWER, token=token))[0])
    await stage.pool.revoke_token("ana", actor="cli:ana")
    assert [bool(await stage.pool.session_of(one)) for one in secrets] == [False, True, True]
    assert len(await stage.pool.sessions()) == 2


async def test_one_that_is_not_there_is_refused(stage: Stage) -> None:
    with refused("unknown_token"):
        await stage.pool.revoke_token("grafana", actor="cli:ana")
