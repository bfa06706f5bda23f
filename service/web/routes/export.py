"""Taking the pool out, as a stream."""

from __future__ import annotations

import logging
from contextlib import aclosing

from aiohttp import web

from service.errors import EvoproxyError
from service.pool.tokens import Role
from service.web.context import POOL, REQUEST_ID, actor
from service.web.export import Format, Part, Wanted, export
from service.web.requests import ExportQuery
from service.web.routing import Media, Route

logger = logging.getLogger(__name__)

_FILES = {
    Format.LINES: ("text/plain; charset=utf-8", "txt"),
    Format.CSV: ("text/csv; charset=utf-8; header=present", "csv"),
    Format.JSON: ("application/json", "json"),
    Format.NDJSON: ("application/x-ndjson", "ndjson"),
}


async def export_(request: web.Request, query: ExportQuery) -> web.StreamResponse:
    """What fails before the first part is a problem; what fails later cuts the connection, so that nobody takes the
    document for a whole one. A reader who goes away ends the work."""
    wanted = Wanted(**dict(query))
    pool = request.app[POOL]
    async with aclosing(export(pool, wanted, actor=actor(request))) as parts:
        first = await anext(parts)
        response = _begun(request, wanted.format, pool.name)
        await response.prepare(request)
        try:
            await _write(response, first)
            async for part in parts:
                await _write(response, part)
            await response.write_eof()
        except ConnectionError:
            return response  # the reader has gone
        except EvoproxyError as error:
            logger.error("an export was cut", extra={"error": str(error), "request_id": request[REQUEST_ID]})
            _cut(request)
        except Exception:
            logger.exception("an export was cut", extra={"request_id": request[REQUEST_ID]})
            _cut(request)
    return response


def _begun(request: web.Request, export_format: Format, pool: str) -> web.StreamResponse:
    content_type, extension = _FILES[export_format]
    return web.StreamResponse(
        headers={
            "Content-Type": content_type,
            "Content-Disposition": f'attachment; filename="evoproxy-{pool}.{extension}"',
            "Cache-Control": "no-store, no-transform",
            "X-Content-Type-Options": "nosniff",
            "X-Request-Id": request[REQUEST_ID],
        }
    )


async def _write(response: web.StreamResponse, part: Part) -> None:
    if part.text:
        await response.write(part.text)


def _cut(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()


ROUTES = [
    Route(
        "GET",
        "/export",
        Role.SUPERADMIN,
        export_,
        about="All proxies as a document that an import reads back",
        answers={200: Media(tuple(content_type.partition(";")[0] for content_type, _ in _FILES.values()))},
        refuses=("wrong_encryption_key",),
    )
]
