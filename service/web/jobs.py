"""Bulk actions and their jobs as the API shows them."""

from __future__ import annotations

from service.control.jobs import Foreseen
from service.pool.jobs import Job, State, Target
from service.web.models import ApiModel, Time


class ForeseenOut(ApiModel):
    """What the action would do now. ``skipped`` would stay as they are, by code. ``more``: there are too many to count,
    and the figures are of the first ten thousand that were looked at."""

    matched: int
    will_change: int
    skipped: dict[str, int]
    more: bool

    @classmethod
    def of(cls, foreseen: Foreseen) -> ForeseenOut:
        return cls(
            matched=foreseen.matched,
            will_change=foreseen.will_change,
            skipped=dict(foreseen.skipped),
            more=foreseen.more,
        )


class FailureOut(ApiModel):
    """``id`` of a proxy, or ``<server>/<name>`` of an instance."""

    id: str
    code: str


class JobOut(ApiModel):
    """One action on many things. ``total`` is null where they are found as the work comes to them. Of the ``done``,
    some were ``changed``, some were ``skipped`` as their state forbids it or needs nothing, by code, and of the
    ``failed`` the first hundred are named. It is ``revoked`` when the token that asked for it, itself or by a
    session, ended first. It is forgotten a day after its end."""

    id: str
    target: Target
    action: str
    actor: str
    state: State
    total: int | None
    done: int
    changed: int
    skipped: dict[str, int]
    failed: list[FailureOut]
    failed_count: int
    created_at: Time
    started_at: Time
    ended_at: Time

    @classmethod
    def of(cls, job: Job) -> JobOut:
        progress = job.progress
        return cls(
            id=job.id,
            target=job.target,
            action=job.action,
            actor=job.actor,
            state=job.state,
            total=job.total,
            done=progress.done,
            changed=progress.changed,
            skipped=dict(progress.skipped),
            failed=[FailureOut(id=one, code=code) for one, code in progress.failed],
            failed_count=progress.failed_count,
            created_at=job.created_at,
            started_at=job.started_at,
            ended_at=job.ended_at,
        )


class BegunOut(JobOut):
    """``job_id`` is its id."""

    job_id: str


class JobsOut(ApiModel):
    """Every job that is remembered, the last asked for first."""

    items: list[JobOut]
    next_cursor: None = None
    total: int
