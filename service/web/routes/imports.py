"""Bringing proxies in, as a stream."""

from __future__ import annotations

from collections.abc import AsyncIterator

from aiohttp import web

from service.control.intake import ImportReport, import_proxies
from service.pool.tokens import Role
from service.web.bodies import answer, read_query
from service.web.context import POOL, actor, operation_id
from service.web.models import ImportOut, Remark
from service.web.problems import ProblemError
from service.web.requests import ImportQuery
from service.web.routing import Route

LIMIT: web.AppKey[int] = web.AppKey("import_limit", int)
"""Most bytes of one import."""

_CHUNK = 65536

_ACCEPTED = frozenset(
    {
        "text/plain",
        "text/csv",
        "application/json",
        "application/jsonl",
        "application/x-ndjson",
        "application/octet-stream",
    }
)


async def import_(request: web.Request) -> web.Response:
    """The format is told by the content, not by the media type. What was read before an error stays imported."""
    query = read_query(request, ImportQuery)
    if (request.content_length or 0) > request.app[LIMIT]:
        raise ProblemError("too_large", limit=request.app[LIMIT])
    report = await import_proxies(
        request.app[POOL],
        _bounded(request),
        actor=actor(request),
        mode=query.mode,
        dry_run=query.dry_run,
        default_protocol=query.protocol,
        group=query.group,
        op_id=operation_id(request),
    )
    return answer(_shown(report, dry_run=query.dry_run))


async def _bounded(request: web.Request) -> AsyncIterator[bytes]:
    limit = read = request.app[LIMIT]
    async for chunk in request.content.iter_chunked(_CHUNK):
        read -= len(chunk)
        if read < 0:
            raise ProblemError("too_large", limit=limit)
        yield chunk


def _shown(report: ImportReport, *, dry_run: bool) -> ImportOut:
    return ImportOut(
        added=report.added,
        updated=report.updated,
        unchanged=report.unchanged,
        disabled=report.disabled,
        drained=report.drained,
        rejected=[Remark(line=one.line, code=one.code, reason=one.reason) for one in report.rejected],
        rejected_count=report.rejected_count,
        warnings=[Remark(line=one.line, code=one.code, reason=one.reason) for one in report.warnings],
        warnings_count=report.warnings_count,
        dry_run=dry_run,
    )


ROUTES = [Route("POST", "/proxies/import", Role.ADMIN, import_, accepts=_ACCEPTED)]
