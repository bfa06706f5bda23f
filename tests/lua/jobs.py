"""Jobs as the tests of their scripts ask for them."""

from __future__ import annotations

from service.pool.jobs import Job, Progress, State, Target
from tests.lua.stage import Stage

SECOND = 1000


async def create(stage: Stage, job: str = "j1", *, total: int | None = 2, actor: str = "jwt:ana") -> None:
    await stage.pool.create_job(
        job,
        target=Target.PROXIES,
        action="disable",
        task="what to do",
        total=total,
        actor=actor,
        op_id=None,
    )


async def claim(stage: Stage, holder: str = "w1") -> str | None:
    return await stage.pool.claim_job(holder, lock_ms=30 * SECOND)


async def step(stage: Stage, progress: Progress, *, holder: str = "w1", over: bool = False, job: str = "j1") -> State:
    return await stage.pool.step_job(
        job,
        progress,
        holder=holder,
        lock_ms=30 * SECOND,
        state=State.DONE if over else State.RUNNING,
        actor="jwt:ana",
    )


async def known(stage: Stage, job: str = "j1") -> Job:
    found = await stage.pool.job(job)
    assert found is not None
    return found


async def state_of(stage: Stage, job: str = "j1") -> State:
    return (await known(stage, job)).state
