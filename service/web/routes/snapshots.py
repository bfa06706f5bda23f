"""The table by hand: compared with the pool, and the figures of now written."""

from __future__ import annotations

from dataclasses import asdict

from aiohttp import web

from service.pool.tokens import Role
from service.web.bodies import answer
from service.web.context import MIRROR, actor
from service.web.models import ApiModel
from service.web.routing import Route


class ComparisonOut(ApiModel):
    """How many proxies were compared, and what was wrong with the table until now: rows that were ``absent``,
    ``differing``, or ``surplus``, of proxies that the pool does not know."""

    compared: int
    absent: int
    differing: int
    surplus: int


async def snapshot(request: web.Request) -> web.Response:
    return answer(ComparisonOut(**asdict(await request.app[MIRROR].snapshot(actor=actor(request)))))


ROUTES = [
    Route(
        "POST",
        "/snapshots",
        Role.ADMIN,
        snapshot,
        about="Compare the table in SQL with the pool, mend it, and write the figures of now",
        answers={200: ComparisonOut},
        refuses=("database_refused", "pool_emptied"),
    )
]
