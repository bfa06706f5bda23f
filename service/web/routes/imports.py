"""Bringing proxies in, as a stream."""

from __future__ import annotations

from aiohttp import web

from service.control.intake import import_proxies
from service.pool.tokens import Role
from service.web.bodies import answer, stream_body
from service.web.context import POOL, actor, locale, operation_id
from service.web.models import ImportOut
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


async def import_(request: web.Request, query: ImportQuery) -> web.Response:
    """The format is told by the content, not by the media type. What was read before an error stays imported."""
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
    return answer(ImportOut.of(report, locale(request)))


ROUTES = [
    Route(
        "POST",
        "/proxies/import",
        Role.ADMIN,
        import_,
        about="Bring proxies in, or try what an import would do",
        answers={200: ImportOut},
        refuses=("wrong_encryption_key", "restoring"),
        accepts=_ACCEPTED,
        streamed=True,
    )
]
