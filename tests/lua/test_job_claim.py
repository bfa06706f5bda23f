"""job_claim: one worker at a time has the first job in line."""

from __future__ import annotations

from tests.lua.jobs import SECOND, claim, create, known, state_of
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
