"""job_create: what is asked for waits in line, and is asked for once."""

from __future__ import annotations

from service.pool.jobs import MOST, Progress
from tests.lua.jobs import claim, create, known, state_of, step
from tests.lua.stage import Stage, refused


async def test_it_waits_with_all_that_was_said(stage: Stage) -> None:
    await stage.add()
    lease = await stage.active()
    await create(stage, total=None)
    job = await known(stage)
    assert (job.target, job.action, job.actor, job.state, job.total) == (
        "proxies",
        "disable",
        "jwt:ana",
        "queued",
        None,
    )
    assert (job.created_at, job.started_at, job.ended_at, job.progress) == (stage.clock.at, None, None, Progress())
    assert job.after == int(lease.token)
    assert await stage.pool.task_of("j1") == "what to do"
    [event] = await stage.events("job.created")
    assert (event["actor"], event["job"], event["action"], event["target"]) == (
        "jwt:ana",
        "j1",
        "disable",
        "proxies",
    )
    assert "total" not in event


async def test_one_that_is_there_is_that_job(stage: Stage) -> None:
    await create(stage)
    await claim(stage)
    await create(stage)
    assert await state_of(stage) == "running"
    await step(stage, Progress(), over=True)
    await create(stage)
    assert await state_of(stage) == "done"
    assert len(await stage.events("job.created")) == 1


async def test_the_line_has_an_end(stage: Stage) -> None:
    for number in range(MOST):
        await create(stage, f"j{number}")
    with refused("too_many_jobs", str(MOST)):
        await create(stage, "one more")
    assert await stage.pool.job("one more") is None
    await stage.pool.cancel_job("j3", actor="token:ana")
    await create(stage, "one more")
    assert len(await stage.pool.jobs()) == MOST + 1
