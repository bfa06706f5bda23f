"""One action on many proxies or instances: counted first, then done as a job."""

from __future__ import annotations

from aiohttp import web

from service.control.bulk import Task
from service.control.jobs import foresee
from service.errors import InvalidInputError, RefusedError
from service.pool.jobs import Target
from service.pool.tokens import Role
from service.web.bodies import answer, made_id
from service.web.context import CONTROLLER, JOBS, POOL, actor, operation_id
from service.web.jobs import BegunOut, ForeseenOut, JobOut
from service.web.problems import ProblemError
from service.web.requests import InstanceBulk, ProxyBulk
from service.web.routing import API, Route

_GROUP = {"setGroup", "assign", "rotate"}
_LABELS = {"setLabels", "addLabels", "removeLabels"}
_FORCE = {"disable", "release"}


async def proxies(request: web.Request, body: ProxyBulk) -> web.Response:
    _one_of(ids=body.ids, filter=body.filter)
    _fits("group", body.action, _GROUP, given=body.group is not None, needed=body.action == "setGroup")
    _fits("labels", body.action, _LABELS, given=body.labels is not None, needed=body.action in _LABELS)
    _fits("force", body.action, _FORCE, given=body.force)
    task = Task(
        Target.PROXIES,
        body.action,
        ids=tuple(dict.fromkeys(body.ids or ())),
        proxies=body.filter.search(request.app[POOL].clock.now()) if body.filter else None,
        group=body.group,
        labels=tuple(body.labels or ()),
        force=body.force,
    )
    return await _asked(request, task, dry_run=body.dry_run)


async def instances(request: web.Request, body: InstanceBulk) -> web.Response:
    _one_of(names=body.names, filter=body.filter)
    _fits("group", body.action, _GROUP, given=body.group is not None)
    _fits("force", body.action, _FORCE, given=body.force)
    _fits("server", "filter", {"names"}, given=body.server is not None and body.filter is not None)
    if server := body.filter.server if body.filter else body.server:
        request.app[CONTROLLER].server(server)
    task = Task(
        Target.INSTANCES,
        body.action,
        ids=tuple(dict.fromkeys(body.names or ())),
        instances=body.filter.search() if body.filter else None,
        server=body.server,
        group=body.group,
        force=body.force,
    )
    return await _asked(request, task, dry_run=body.dry_run)


async def _asked(request: web.Request, task: Task, *, dry_run: bool) -> web.Response:
    if dry_run:
        return answer(ForeseenOut.of(await foresee(request.app[CONTROLLER], task)))
    pool, op_id = request.app[POOL], operation_id(request)
    job_id = (await made_id(request))[:20]
    await pool.create_job(
        job_id,
        target=task.target,
        action=task.action,
        task=task.text(),
        total=task.total,
        actor=actor(request),
        op_id=op_id,
    )
    request.app[JOBS].loop.wake()
    job = await pool.job(job_id)
    if job is None:  # the key made another job in another process, just now; or a hundred others were over after it
        raise ProblemError("idempotency_key_reused") if op_id else RefusedError("unknown_job")
    body = BegunOut(job_id=job.id, **dict(JobOut.of(job)))
    return answer(body, 202, headers={"Location": f"{API}/jobs/{job.id}"})


def _one_of(**given: object) -> None:
    """Raises :class:`InvalidInputError` unless exactly one is there."""
    if sum(value is not None for value in given.values()) != 1:
        raise InvalidInputError(field=next(iter(given)), reason="ids_or_filter")


def _fits(field: str, action: str, actions: set[str], *, given: bool, needed: bool = False) -> None:
    """Raises :class:`InvalidInputError` where the action needs the field, or has no use for it."""
    if needed and not given:
        raise InvalidInputError(field=field, reason="missing")
    if given and action not in actions:
        raise InvalidInputError(field=field, reason="not_for_this")


ROUTES = [
    Route(
        "POST",
        "/proxies/bulk",
        Role.ADMIN,
        proxies,
        about="Act on many proxies",
        answers={202: BegunOut, 200: ForeseenOut},
        refuses=("too_many_jobs", "unknown_job"),
    ),
    Route(
        "POST",
        "/instances/bulk",
        Role.ADMIN,
        instances,
        about="Act on many instances",
        answers={202: BegunOut, 200: ForeseenOut},
        refuses=("too_many_jobs", "unknown_job", "not_configured"),
    ),
]
