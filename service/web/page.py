"""The page at ``/``: static files that ask the API for everything, each under its own name only."""

from __future__ import annotations

from pathlib import Path

from aiohttp import web

from service.web.routing import Endpoint

_FOLDER = Path(__file__).parent / "static"
_PARTS = {".css", ".js"}
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self';"
    " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-cache",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""``no-cache``: a browser asks each time whether what it has is still right, by its ETag."""


def add_page(app: web.Application) -> None:
    app.router.add_get("/", _file("index.html"))
    app.router.add_get("/docs", _file("docs.html"))
    app.router.add_get("/favicon.svg", _file("favicon.svg"))
    for path in sorted(_FOLDER.rglob("*")):
        if path.suffix in _PARTS:
            name = path.relative_to(_FOLDER).as_posix()
            app.router.add_get(f"/static/{name}", _file(name))


def _file(name: str) -> Endpoint:
    async def serve(request: web.Request) -> web.StreamResponse:
        return web.FileResponse(_FOLDER / name, headers=_HEADERS)

    return serve
