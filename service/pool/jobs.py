"""Long work that somebody asked for: its line, who works on it, how far it has come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import orjson

from service.pool.runner import Runner

MOST = 20
"""Jobs that may be in line."""


class State(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"
    REVOKED = "revoked"
    """The token that asked for it is over."""


class Target(StrEnum):
    PROXIES = "proxies"
    INSTANCES = "instances"


_FIELDS = (
    "target",
    "action",
    "actor",
    "state",
    "total",
    "after",
    "cursor",
    "done",
    "changed",
    "skipped",
    "failed",
    "failed_count",
    "created_at",
    "started_at",
    "ended_at",
)
"""All but the task, which may be large."""


@dataclass(frozen=True, slots=True)
class Progress:
    """``done`` things were looked at: ``changed``, left as they are (``skipped``, by code), or ``failed_count``, of
    which ``failed`` holds the first with their codes. ``cursor`` is where to go on."""

    cursor: str = ""
    done: int = 0
    changed: int = 0
    skipped: Mapping[str, int] = field(default_factory=dict)
    failed: tuple[tuple[str, str], ...] = ()
    failed_count: int = 0


@dataclass(frozen=True, slots=True)
class Job:
    """Times in ms. ``total`` is ``None`` where nobody has counted. Leases with a token greater than ``after`` were made
    after the job was asked for."""

    id: str
    target: Target
    action: str
    actor: str
    state: State
    total: int | None
    after: int
    progress: Progress
    created_at: int
    started_at: int | None
    ended_at: int | None


class Jobs(Runner):
    """Methods raise what :meth:`Runner.run` raises."""

    async def create_job(
        self,
        job_id: str,
        *,
        target: Target,
        action: str,
        task: str,
        total: int | None,
        actor: str,
        op_id: str | None,
    ) -> None:
        """``task`` is what is to be done, in the worker's own words. The job of a token goes on no longer than that.
        Refused: too_many_jobs."""
        await self.run(
            "job_create",
            job=job_id,
            target=target,
            action=action,
            task=task,
            total=total,
            most=MOST,
            actor=actor,
            op_id=op_id,
        )

    async def claim_job(self, holder: str, *, lock_ms: int) -> str | None:
        """The first job in line, which is this worker's for so long; ``None`` when there is nothing for it to do. One
        whose token is over is ``revoked``."""
        return (await self.run("job_claim", holder=holder, lock_ms=lock_ms, actor="auto", op_id=""))[0] or None

    async def step_job(
        self,
        job_id: str,
        progress: Progress,
        *,
        holder: str,
        lock_ms: int,
        state: State,
        actor: str,
    ) -> State:
        """Keeps how far the job has come, or that it is ``done`` or ``failed``; answers its state. Refused: stale, when
        another worker has it."""
        reply = await self.run(
            "job_step",
            job=job_id,
            holder=holder,
            lock_ms=lock_ms,
            cursor=progress.cursor,
            done=progress.done,
            changed=progress.changed,
            skipped=orjson.dumps(progress.skipped).decode(),
            failed=orjson.dumps(progress.failed).decode(),
            failed_count=progress.failed_count,
            state=state,
            actor=actor,
        )
        return State(reply[0])

    async def cancel_job(self, job_id: str, *, actor: str, op_id: str | None = None) -> None:
        """Refused: unknown_job, job_over."""
        await self.run("job_cancel", job=job_id, actor=actor, op_id=op_id)

    async def job(self, job_id: str) -> Job | None:
        """``None`` for one that never was or is forgotten."""
        return _parse(job_id, await self.reading(self.redis.hmget(self.keys.job(job_id), _FIELDS)))

    async def task_of(self, job_id: str) -> str:
        """What the job is to do; ``""`` when it is over."""
        return str(await self.reading(self.redis.hget(self.keys.job(job_id), "task")) or "")

    async def jobs(self) -> list[Job]:
        """All that are remembered, the last asked for first."""
        async with self.redis.pipeline(transaction=True) as pipeline:
            for line in ("jobs", "jobs_over"):
                pipeline.zrangebyscore(self.keys.named(line), "-inf", "+inf")
            waiting, over = await self.reading(pipeline.execute())
        ids = list(dict.fromkeys((*waiting, *over)))
        async with self.redis.pipeline(transaction=False) as pipeline:
            for one in ids:
                pipeline.hmget(self.keys.job(one), _FIELDS)
            answers = await self.reading(pipeline.execute())
        found = [job for job in map(_parse, ids, answers) if job]
        return sorted(found, key=lambda job: (job.created_at, job.id), reverse=True)


def _parse(job_id: str, values: Sequence[str | None]) -> Job | None:
    raw = {name: value or "" for name, value in zip(_FIELDS, values, strict=True)}
    if not raw["state"]:
        return None
    return Job(
        id=job_id,
        target=Target(raw["target"]),
        action=raw["action"],
        actor=raw["actor"],
        state=State(raw["state"]),
        total=_integer(raw["total"]),
        after=int(raw["after"]),
        progress=Progress(
            cursor=raw["cursor"],
            done=int(raw["done"]),
            changed=int(raw["changed"]),
            skipped=orjson.loads(raw["skipped"] or "{}"),
            failed=tuple((one, code) for one, code in orjson.loads(raw["failed"] or "[]")),
            failed_count=int(raw["failed_count"]),
        ),
        created_at=int(raw["created_at"]),
        started_at=_integer(raw["started_at"]),
        ended_at=_integer(raw["ended_at"]),
    )


def _integer(text: str) -> int | None:
    return int(text) if text else None
