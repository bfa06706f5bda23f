"""job_claim: one worker at a time has the first job in line."""

from __future__ import annotations

import pytest

from service.pool.jobs import Progress
from service.pool.tokens import Role
from tests.lua.jobs import SECOND, claim, create, known, state_of, step
from tests.lua.stage import Stage


async def test_an_empty_line(stage: Stage) -> None:
    assert await claim(stage) is None


async def test_the_first_in_line_until_it_is_over(stage: Stage) -> None:
    await create(stage)
    stage.clock.move(1)
    await create(stage, "j0")
    begun = stage.clock.move(1)
    assert await claim(stage) == "j1"
    stage.clock.move(SECOND)
    assert await claim(stage) == "j1"
    assert (await known(stage)).started_at == begun
    assert (await state_of(stage), await state_of(stage, "j0")) == ("running", "queued")
    await stage.pool.cancel_job("j1", actor="token:ana")
    assert await claim(stage) == "j0"


async def test_another_worker_waits_until_the_lock_has_run_out(stage: Stage) -> None:
    await create(stage)
    assert await claim(stage, "w1") == "j1"
    stage.clock.move(30 * SECOND - 1)
    assert await claim(stage, "w2") is None
    stage.clock.move(1)
    assert await claim(stage, "w2") == "j1"
    assert await claim(stage, "w1") is None


async def test_who_stops_lets_go(stage: Stage) -> None:
    await create(stage)
    await claim(stage, "w1")
    await stage.pool.claim_job("w1", lock_ms=0)
    assert await claim(stage, "w2") == "j1"


@pytest.mark.parametrize("end", ["revoked", "replaced", "lowered", "expired"])
async def test_it_goes_on_no_longer_than_the_token_that_asked_for_it(stage: Stage, end: str) -> None:
    pool, hour = stage.pool, 3600 * SECOND
    await pool.create_token("ana", Role.ADMIN, expires_at=stage.clock.at + hour, actor="cli:ana")
    await create(stage, actor="token:ana")
    assert await claim(stage) == "j1"
    if end == "expired":
        stage.clock.move(hour)
    else:
        await pool.revoke_token("ana", actor="cli:ana")
    if end in ("replaced", "lowered"):
        await pool.create_token("ana", Role.VIEWER if end == "lowered" else Role.ADMIN, actor="cli:ana")
    assert (await claim(stage), await state_of(stage)) == (None, "revoked")
    assert await step(stage, Progress("1", 1, 1)) == "revoked"
    assert (await known(stage)).progress.changed == 1, "what was under way is counted"
    [event] = await stage.events("job.ended")
    assert (event["actor"], event["level"], event["state"]) == ("auto", "warning", "revoked")


async def test_a_token_that_was_gone_when_it_was_asked_for(stage: Stage) -> None:
    await create(stage, actor="token:ana")
    await stage.pool.create_token("ana", Role.ADMIN, actor="cli:ana")
    assert (await claim(stage), await state_of(stage)) == (None, "revoked")


async def test_the_same_token_once_more_is_the_same(stage: Stage) -> None:
    """The settings' token is written down at each start of the service."""
    await stage.pool.set_superadmin("a token")
    await create(stage, actor="token:superadmin")
    stage.clock.move(SECOND)
    await stage.pool.set_superadmin("a token")
    assert await claim(stage) == "j1"


async def test_a_logout_leaves_it_alone(stage: Stage) -> None:
    text = await stage.pool.create_token("ana", Role.ADMIN, actor="cli:ana")
    token = await stage.pool.token_of(text)
    _, session = await stage.pool.open_session("token:ana", Role.ADMIN, token=token)
    await create(stage, actor=session.actor)
    await stage.pool.end_session(session.id, reason="logout", actor="token:ana")
    assert await claim(stage) == "j1"
