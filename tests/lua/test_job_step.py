"""job_step: how far a job has come, told by the worker that has it."""

from __future__ import annotations

from service.pool.jobs import Progress
from tests.lua.jobs import SECOND, claim, create, known, state_of, step
from tests.lua.stage import HOUR, Stage, refused

HALF = Progress("1", 1, 0, {}, (("p1", "evolution_rejected"),), 1)
WHOLE = Progress("", 2, 1, {"held": 1})


async def test_progress_is_kept_and_the_lock_with_it(stage: Stage) -> None:
    await create(stage)
    await claim(stage)
    stage.clock.move(29 * SECOND)
    assert await step(stage, HALF) == "running"
    assert (await known(stage)).progress == HALF
    stage.clock.move(29 * SECOND)
    assert await claim(stage, "w2") is None


async def test_the_end(stage: Stage) -> None:
    await create(stage)
    await claim(stage)
    assert await step(stage, WHOLE, over=True) == "done"
    job = await known(stage)
    assert (job.state, job.ended_at, job.progress) == ("done", stage.clock.at, WHOLE)
    assert await stage.pool.task_of("j1") == ""
    assert await claim(stage) is None
    [event] = await stage.events("job.ended")
    assert (event["actor"], event["level"], event["job"], event["state"], event["changed"], event["failed"]) == (
        "jwt:ana",
        "info",
        "j1",
        "done",
        "1",
        "0",
    )
    assert 0 < await stage.redis.pttl(stage.pool.keys.job("j1")) <= 24 * HOUR


async def test_who_does_not_hold_it_says_nothing(stage: Stage) -> None:
    await create(stage)
    with refused("stale"):
        await step(stage, HALF)
    await claim(stage)
    stage.clock.move(31 * SECOND)
    await claim(stage, "w2")
    with refused("stale"):
        await step(stage, WHOLE, over=True)
    with refused("stale"):
        await step(stage, HALF, job="none")
    assert ((await known(stage)).progress, await stage.events("job.ended")) == (Progress(), [])


async def test_a_cancelled_one_stays_so_with_the_last_figures(stage: Stage) -> None:
    await create(stage)
    await claim(stage)
    await stage.pool.cancel_job("j1", actor="token:eva")
    assert await step(stage, WHOLE, over=True) == "cancelled"
    assert ((await known(stage)).progress, await state_of(stage)) == (WHOLE, "cancelled")
    assert len(await stage.events("job.ended")) == 1


async def test_only_the_last_hundred_are_remembered(stage: Stage) -> None:
    await whole(stage, "first")
    keys, job = stage.pool.keys, await stage.redis.hgetall(stage.pool.keys.job("first"))
    await stage.redis.delete(keys.job("first"), keys.named("jobs_over"))
    for number in range(100):  # as a hundred that ended one after the other
        at = stage.clock.move(1)
        await stage.redis.hset(keys.job(f"j{number}"), mapping=job | {"created_at": at})
        await stage.redis.zadd(keys.named("jobs_over"), {f"j{number}": at})
    stage.clock.move(1)
    await whole(stage, "last")
    assert [job.id for job in await stage.pool.jobs()] == ["last", *(f"j{number}" for number in range(99, 0, -1))]
    assert await stage.pool.job("j0") is None


async def whole(stage: Stage, job: str) -> None:
    """From its beginning to its end."""
    await create(stage, job)
    await claim(stage)
    await step(stage, WHOLE, over=True, job=job)
