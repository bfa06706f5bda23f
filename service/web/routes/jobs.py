"""The jobs that bulk actions became."""

from __future__ import annotations

from aiohttp import web

from service.errors import RefusedError
from service.pool.tokens import Role
from service.web.bodies import answer
from service.web.context import POOL, actor
from service.web.jobs import JobOut, JobsOut
from service.web.routing import Route


async def listing(request: web.Request) -> web.Response:
    jobs = [JobOut.of(job) for job in await request.app[POOL].jobs()]
    return answer(JobsOut(items=jobs, total=len(jobs)))


async def one(request: web.Request) -> web.Response:
    job = await request.app[POOL].job(request.match_info["id"])
    if job is None:
        raise RefusedError("unknown_job")
    return answer(JobOut.of(job))


async def cancel(request: web.Request) -> web.Response:
    """What is under way at this moment is finished, nothing more is begun, nothing is undone."""
    await request.app[POOL].cancel_job(request.match_info["id"], actor=actor(request))
    return web.Response(status=204)


ROUTES = [
    Route("GET", "/jobs", Role.ADMIN, listing, about="The jobs", answers={200: JobsOut}),
    Route("GET", "/jobs/{id}", Role.ADMIN, one, about="One job", answers={200: JobOut}, refuses=("unknown_job",)),
    Route(
        "DELETE",
        "/jobs/{id}",
        Role.ADMIN,
        cancel,
        about="Cancel a job",
        answers={204: None},
        refuses=("unknown_job", "job_over"),
    ),
]
