"""The figures over time, from SQL."""

from __future__ import annotations

from aiohttp import web

from service.errors import InvalidInputError
from service.pool.tokens import Role
from service.web.audit import CountsPointOut, HistoryOut, PointOut
from service.web.bodies import answer
from service.web.context import AUDIT, POOL
from service.web.requests import HistoryQuery
from service.web.routing import Route

_DAY_MS = 86_400_000


async def history(request: web.Request, query: HistoryQuery) -> web.Response:
    """Without a range, the last day; with `group`, the counts of that group."""
    since, until = query.bounds()
    until = request.app[POOL].clock.now() if until is None else until
    since = max(0, until - _DAY_MS) if since is None else since
    if since >= until:
        raise InvalidInputError(field="from", reason="empty_range")
    found = await request.app[AUDIT].history(since, until, query.step or 1)
    points: list[PointOut] | list[CountsPointOut]
    if query.group is None:
        points = [PointOut.of(point) for point in found.points]
    else:
        kept = ((point["at"], point["groups"].get(query.group)) for point in found.points)
        points = [CountsPointOut(at=at, **counts) for at, counts in kept if counts]
    return answer(HistoryOut(since=since, until=until, step=found.step, points=points))


ROUTES = [
    Route(
        "GET",
        "/stats/history",
        Role.VIEWER,
        history,
        about="The figures over time",
        answers={200: HistoryOut},
        refuses=("database_refused",),
    )
]
