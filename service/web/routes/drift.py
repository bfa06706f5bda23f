"""Where leases, rows and live states differ, and a human's repair of it."""

from __future__ import annotations

from aiohttp import web

from service.control.drift import Drift
from service.control.repairing import repair
from service.errors import RefusedError
from service.pool.tokens import Role
from service.web import paging
from service.web.bodies import answer
from service.web.context import CONTROLLER, POOL, actor, locale, operation_id
from service.web.drift import DriftPage, RepairOut, all_drift, drift_out
from service.web.refusals import BY_HAND, CHOICE
from service.web.requests import DriftQuery
from service.web.routing import Route


async def listing(request: web.Request, query: DriftQuery) -> web.Response:
    """What differed at the last look of this process, in the order of ids."""
    controller, stats = request.app[CONTROLLER], await request.app[POOL].stats()
    if query.server is not None and query.server not in (*controller.servers, *stats.former):
        raise RefusedError("not_configured", server=query.server)
    found = [drift for drift in all_drift(controller, stats) if _wanted(drift, query)]
    following, shown = paging.cut(found, lambda drift: drift.id, cursor=query.cursor, limit=query.limit)
    polled = [one.last_poll_at for name, one in controller.servers.items() if query.server in (None, name)]
    return answer(
        DriftPage(
            items=[drift_out(drift, controller, stats, locale(request)) for drift in shown],
            next_cursor=following,
            total=len(found),
            as_of=min((at for at in polled if at is not None), default=None) if None not in polled else None,
        )
    )


async def repaired(request: web.Request) -> web.Response:
    """200 when the drift is over or a human's remedy was begun; 202 with the drift while it repairs itself."""
    controller, drift_id = request.app[CONTROLLER], request.match_info["id"]
    left = await repair(controller, drift_id, actor=actor(request), op_id=operation_id(request))
    if left is None:
        return answer(RepairOut(id=drift_id, drift=None))
    shown = drift_out(left, controller, await request.app[POOL].stats(), locale(request))
    return answer(RepairOut(id=drift_id, drift=shown), 202)


def _wanted(drift: Drift, query: DriftQuery) -> bool:
    return query.kind in (None, drift.kind) and query.server in (None, drift.server)


ROUTES = [
    Route(
        "GET",
        "/drift",
        Role.VIEWER,
        listing,
        about="What differs between leases, rows and live states",
        answers={200: DriftPage},
        refuses=("not_configured",),
    ),
    Route(
        "POST",
        "/drift/{id}/repair",
        Role.ADMIN,
        repaired,
        about="Repair one difference",
        answers={200: RepairOut, 202: RepairOut},
        refuses=("unknown_drift", "nothing_to_repair", "needs_forgetting", *BY_HAND, *CHOICE),
    ),
]
