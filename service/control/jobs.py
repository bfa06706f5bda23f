"""Bulk actions as jobs: one after another, a batch at a time, by one worker of all replicas."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NamedTuple

from service.background import Loop
from service.control.bulk import PAGE, Kind, Task, Thing
from service.control.bulk_instances import OnInstances
from service.control.bulk_proxies import OnProxies
from service.control.controller import Controller
from service.errors import EvoproxyError, RefusedError, StoreUnavailableError
from service.pool.jobs import Job, Progress, State, Target

logger = logging.getLogger(__name__)

INTERVAL = 1.0
EXAMINED = 10_000
"""Most things that :func:`foresee` looks at."""

_LOCK_MS = 30_000
_BEAT = 5.0
"""Seconds after which a worker that is busy with a batch says that it is alive."""

_LONGEST = 180.0
"""Seconds that a batch may take: a rotation waits for what is under way on the instance, and for Evolution."""

_AT_ONCE = 8
_PACED_AT_ONCE = 4
_PACED_BATCH = 8
_TOLD = 100
"""Failures that a job names."""


@dataclass(slots=True)
class Foreseen:
    """What a task would do now. ``more``: only the first :data:`EXAMINED` things were looked at."""

    matched: int = 0
    will_change: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    more: bool = False


class _Outcome(NamedTuple):
    """What became of one thing; ``code`` says why it was skipped or failed."""

    what: Literal["changed", "skipped", "failed"]
    thing: str
    code: str = ""


async def foresee(controller: Controller, task: Task) -> Foreseen:
    """Changes nothing. Raises :class:`service.errors.StoreUnavailableError`."""
    kind, after = _kind_of(controller, task), await controller.pool.last_token()
    foreseen, cursor = Foreseen(), ""
    for _ in range(EXAMINED // PAGE):
        batch = await kind.batch(cursor, PAGE)
        for thing in batch.things:
            foreseen.matched += 1
            if why := _hindrance(kind, thing, after):
                foreseen.skipped[why] += 1
            else:
                foreseen.will_change += 1
        cursor = batch.following
        if not cursor:
            break
    foreseen.more = bool(cursor)
    return foreseen


class Jobs:
    """Works the line of jobs. What a crash cut is done again from the last stored batch on: each step is harmless when
    it is repeated, and what had been done already then counts as ``unchanged``."""

    def __init__(self, controller: Controller) -> None:
        self.loop = Loop("jobs", INTERVAL, self.step, limit=_LONGEST)
        self._controller = controller
        self._pool = controller.pool
        self._holder = uuid.uuid4().hex
        self._job: tuple[str, Task] | None = None

    async def stop(self, deadline: float) -> None:
        """A batch under way may finish within ``deadline`` seconds; the job goes on at the next start, or elsewhere."""
        await self.loop.stop(deadline)
        if self._job is not None:
            with suppress(StoreUnavailableError):  # the lock runs out by itself
                await self._pool.claim_job(self._holder, lock_ms=0)

    async def step(self) -> None:
        """One batch of the first job in line, if nobody else works on it. Raises what keeps the job from going on; a
        mistake of our own ends it as failed."""
        job_id = await self._pool.claim_job(self._holder, lock_ms=_LOCK_MS)
        job = await self._pool.job(job_id) if job_id else None
        if job is None or job.state is not State.RUNNING:  # cancelled since it was claimed
            self._job = None
            return
        try:
            progress = await self._work(job, await self._task_of(job.id))
        except StoreUnavailableError:
            raise
        except Exception:
            await self._keep(job, job.progress, State.FAILED)
            raise
        await self._keep(job, progress, State.RUNNING if progress.cursor else State.DONE)
        self.loop.wake()

    async def _task_of(self, job_id: str) -> Task:
        """Read once: it may hold ten thousand ids."""
        if self._job is None or self._job[0] != job_id:
            self._job = job_id, Task.of(await self._pool.task_of(job_id))
        return self._job[1]

    async def _work(self, job: Job, task: Task) -> Progress:
        kind = _kind_of(self._controller, task)
        batch = await kind.batch(job.progress.cursor, _PACED_BATCH if kind.paced else PAGE)
        at_once = asyncio.Semaphore(_PACED_AT_ONCE if kind.paced else _AT_ONCE)

        async def one(thing: Thing[Any]) -> _Outcome | Exception:
            async with at_once:
                try:
                    return await _done(job, kind, thing)
                except Exception as error:  # raised by the one that waits for all
                    return error

        outcomes = await self._all([asyncio.create_task(one(thing)) for thing in batch.things])
        return _counted(job.progress, outcomes, batch.following)

    async def _all(self, tasks: Sequence[asyncio.Task[_Outcome | Exception]]) -> list[_Outcome]:
        """What becomes of all; meanwhile nobody else gets the job."""
        outcomes = []
        try:
            pending = set(tasks)
            while pending:
                _, pending = await asyncio.wait(pending, timeout=_BEAT)
                if pending:
                    await self._pool.claim_job(self._holder, lock_ms=_LOCK_MS)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for outcome in (task.result() for task in tasks):
            if isinstance(outcome, Exception):
                raise outcome
            outcomes.append(outcome)
        return outcomes

    async def _keep(self, job: Job, progress: Progress, state: State) -> None:
        try:
            now = await self._pool.step_job(
                job.id, progress, holder=self._holder, lock_ms=_LOCK_MS, state=state, actor=job.actor
            )
        except RefusedError as error:
            logger.warning("another worker has taken the job over", extra={"job": job.id, "code": error.code})
            return
        if now is not State.RUNNING:
            self._job = None
            logger.info("a job is over", extra={"job": job.id, "state": now, "changed": progress.changed})


async def _done(job: Job, kind: Kind[Any], thing: Thing[Any]) -> _Outcome:
    """Raises :class:`StoreUnavailableError`, which is no fault of the thing."""
    if why := _hindrance(kind, thing, job.after):
        return _Outcome("skipped", thing.id, why)
    try:
        await kind.act(thing.found, actor=job.actor, op_id=f"job:{job.id}:{thing.id}")
    except StoreUnavailableError:
        raise
    except RefusedError as error:
        return _Outcome("skipped", thing.id, error.code)
    except EvoproxyError as error:
        return _Outcome("failed", thing.id, error.code)
    return _Outcome("changed", thing.id)


def _counted(before: Progress, outcomes: Sequence[_Outcome], cursor: str) -> Progress:
    skipped = Counter(before.skipped) + Counter(one.code for one in outcomes if one.what == "skipped")
    failed = [(one.thing, one.code) for one in outcomes if one.what == "failed"]
    return replace(
        before,
        cursor=cursor,
        done=before.done + len(outcomes),
        changed=before.changed + sum(one.what == "changed" for one in outcomes),
        skipped=dict(skipped),
        failed=(*before.failed, *failed)[:_TOLD],
        failed_count=before.failed_count + len(failed),
    )


def _hindrance(kind: Kind[Any], thing: Thing[Any], after: int) -> str:
    return thing.missing if thing.found is None else kind.hindrance(thing.found, after)


def _kind_of(controller: Controller, task: Task) -> Kind[Any]:
    return OnProxies(controller, task) if task.target is Target.PROXIES else OnInstances(controller, task)
