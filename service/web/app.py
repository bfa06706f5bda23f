"""The web application without its parts: routes, middlewares, limits."""

from __future__ import annotations

from weakref import WeakValueDictionary

from aiohttp import web

from service.control.intake import LARGEST
from service.settings import Settings
from service.web import routes
from service.web.auth import LOGINS, RATES
from service.web.bodies import LIMIT
from service.web.broadcast import BROADCAST
from service.web.context import SETTINGS
from service.web.jwts import add_jwts
from service.web.limits import Logins, Rates
from service.web.metrics import add_metrics
from service.web.middlewares import ALL
from service.web.noise import quiet
from service.web.openapi import add_openapi
from service.web.page import add_page
from service.web.replay import TURNS
from service.web.routes.health import add_health
from service.web.routes.webhooks import add_webhooks
from service.web.routing import add_routes

_BODY_BYTES = 1 << 20
_CONNECTION = {"auto_decompress": False}
"""aiohttp would unpack, all at one go, even what is refused: a few hundred kilobytes would keep everybody waiting."""


def bare_app(settings: Settings) -> web.Application:
    """An application that answers once POOL, CONTROLLER and BROADCAST are put into it."""
    quiet()
    app = web.Application(middlewares=ALL, client_max_size=_BODY_BYTES, handler_args=_CONNECTION)
    app[SETTINGS] = settings
    app[LOGINS] = Logins()
    app[RATES] = Rates()
    app[TURNS] = WeakValueDictionary()
    add_jwts(app, settings)
    app[LIMIT] = LARGEST
    add_routes(app, routes.ALL)
    add_health(app)
    add_metrics(app)
    add_webhooks(app)
    add_openapi(app)
    add_page(app)
    app.on_shutdown.append(_end_streams)
    return app


async def _end_streams(app: web.Application) -> None:
    await app[BROADCAST].close()
