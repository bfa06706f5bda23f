"""Whether a server is the suspect: judged at each whole look, kept in the pool, told once."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from service import messages
from service.control.context import Context
from service.control.evidence import Suspicion, judge
from service.pool.models import Lease

logger = logging.getLogger(__name__)


async def suspect(context: Context, leases: Iterable[Lease], since: int | None, at: int) -> Suspicion:
    """Judges the current leases of a server that was suspected ``since``, and writes and tells what changed."""
    suspicion = judge(leases, since, at, context.policy)
    suspected = suspicion.since is not None
    if suspected is not (since is not None):
        await context.pool.suspect(context.server, suspected=suspected, reason=suspicion.reason or "calm")
        code = "server_suspect" if suspected else "server_cleared"
        told = messages.text(code, context.locale, server=context.server)
        logger.warning(told, extra={"server": context.server, "code": code, "reason": suspicion.reason})
    return suspicion
