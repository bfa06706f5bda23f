"""GET /metrics, for Prometheus: what this process has counted and timed, and the pool's figures at the moment."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress

from aiohttp import web
from prometheus_client import CollectorRegistry, Histogram, Info, Metric, ProcessCollector, disable_created_metrics
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from service import __version__
from service.background import Loop
from service.errors import StoreUnavailableError
from service.evolution.transport import OnCall
from service.pool.stats import Stats
from service.pool.tokens import Role
from service.web import families
from service.web.broadcast import BROADCAST
from service.web.context import CONTROLLER, JOBS, MIRROR, POOL
from service.web.jwts import jwt_loops
from service.web.routing import ROUTES, Media, Route

disable_created_metrics()  # type: ignore[no-untyped-call]

_REQUESTS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_CALLS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30)
_LAGS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)
_LAG_INTERVAL = 0.5


class Metrics:
    """What one application counts and times, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        Info("evoproxy_build", "The release that runs", registry=self.registry).info({"version": __version__})
        self.loop = Loop("event_loop", _LAG_INTERVAL, self._measure)
        """To be started and stopped: it measures how late the event loop is."""
        self._due: float | None = None
        self._requests = Histogram(
            "evoproxy_http_request_duration_seconds",
            "Requests by the template of their route; a stream lasts as long as somebody listens",
            ("route", "method", "status"),
            buckets=_REQUESTS,
            registry=self.registry,
        )
        self._calls = Histogram(
            "evoproxy_evolution_call_duration_seconds",
            "Calls to Evolution; outcome is ok, cancelled, or the code of the error",
            ("server", "call", "outcome"),
            buckets=_CALLS,
            registry=self.registry,
        )
        self._lag = Histogram(
            "evoproxy_event_loop_lag_seconds",
            "How much later than due a timer of the process fires",
            buckets=_LAGS,
            registry=self.registry,
        )

    def requested(self, request: web.Request, status: int, seconds: float) -> None:
        """Counts one request; whatever path and method the router did not match are one."""
        resource = request.match_info.route.resource
        route, method = (resource.canonical, request.method) if resource else ("unmatched", "any")
        self._requests.labels(route, method, f"{status // 100}xx").observe(seconds)

    def on_call(self, server: str) -> OnCall:
        """Who is to be told of each call to this server."""
        return lambda call, outcome, seconds: self._calls.labels(server, call, outcome).observe(seconds)

    async def _measure(self) -> None:
        now = asyncio.get_running_loop().time()
        if self._due is not None:
            self._lag.observe(max(0.0, now - self._due))
        self._due = now + self.loop.interval


METRICS: web.AppKey[Metrics] = web.AppKey("metrics", Metrics)


class _Scrape(Collector):
    """What one scrape answers. ``stats`` is ``None`` when the pool can't be reached."""

    def __init__(self, app: web.Application, stats: Stats | None) -> None:
        self._app = app
        self._stats = stats

    def collect(self) -> Iterator[Metric]:
        app, controller, mirror = self._app, self._app[CONTROLLER], self._app[MIRROR]
        yield from app[METRICS].registry.collect()
        yield from families.of_pool(self._stats)
        if self._stats is not None:
            yield from families.of_servers(self._stats, controller)
        yield from families.of_webhooks(controller.hints)
        yield from families.of_mirror(mirror)
        ours = (app[JOBS].loop, app[BROADCAST].loop, app[METRICS].loop)
        loops = (*controller.loops, *mirror.loops, *jwt_loops(app), *ours)
        yield from families.of_loops(loops, asyncio.get_running_loop().time())


async def scrape(request: web.Request) -> web.Response:
    """Costs one reading of the pool's figures, whatever the pool's size."""
    stats: Stats | None = None
    with suppress(StoreUnavailableError):  # the rest is wanted all the more; evoproxy_pool_up tells
        stats = await request.app[POOL].stats()
    encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    return web.Response(body=encode(_Scrape(request.app, stats)), headers={"Content-Type": content_type})


def add_metrics(app: web.Application) -> None:
    """Outside of the API, and as well guarded."""
    app[METRICS] = Metrics()
    route = Route(
        "GET",
        "/metrics",
        Role.VIEWER,
        scrape,
        about="Metrics for Prometheus",
        answers={200: Media(("text/plain", "application/openmetrics-text"))},
    )
    app[ROUTES][app.router.add_route(route.method, route.path, route.endpoint)] = route
    app.cleanup_ctx.append(_measuring)


async def _measuring(app: web.Application) -> AsyncIterator[None]:
    app[METRICS].loop.start()
    try:
        yield
    finally:
        await app[METRICS].loop.stop()
