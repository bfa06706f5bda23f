"""Bringing proxies in, as a stream."""

from __future__ import annotations

from aiohttp import web

from service import messages
from service.control.intake import ImportReport, import_proxies
from service.importing import Rejected, Warned
from service.messages import Locale
from service.pool.tokens import Role
from service.web.bodies import answer, read_query, stream_body
from service.web.context import POOL, actor, locale, operation_id
from service.web.models import ImportOut, Remark
from service.web.requests import ImportQuery
from service.web.routing import Route

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
    report = await import_proxies(
        request.app[POOL],
        stream_body(request),
        actor=actor(request),
        mode=query.mode,
        dry_run=query.dry_run,
        default_protocol=query.protocol,
        group=query.group,
        op_id=operation_id(request),
    )
    return answer(_shown(report, locale(request), dry_run=query.dry_run))


def _shown(report: ImportReport, language: Locale, *, dry_run: bool) -> ImportOut:
    def remark(one: Rejected | Warned) -> Remark:
        return Remark(line=one.line, code=one.code, reason=messages.remark(one.code, language, one.reason))

    return ImportOut(
        added=report.added,
        updated=report.updated,
        unchanged=report.unchanged,
        disabled=report.disabled,
        drained=report.drained,
        rejected=[remark(one) for one in report.rejected],
        rejected_count=report.rejected_count,
        warnings=[remark(one) for one in report.warnings],
        warnings_count=report.warnings_count,
        dry_run=dry_run,
    )


ROUTES = [Route("POST", "/proxies/import", Role.ADMIN, import_, accepts=_ACCEPTED, streamed=True)]
