"""Making an instance use its row: the paced restart, and the watch until it is seen not open and then open."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from itertools import chain, repeat

from service.control.context import Context, unless_overtaken
from service.control.releasing import let_go
from service.errors import EvolutionError
from service.pool.models import Applied, Lease, Phase, Waits

logger = logging.getLogger(__name__)


async def reconnect(context: Context, leases: Sequence[Lease]) -> None:
    """Restarts the instance that ``leases`` belong to, unless a reconnect is under way already, and notes what is seen.

    Serves an active lease that is not applied and releases that wait for the socket. One that was seen down already is
    only looked at. What is not seen within the watch is left to a later tick.
    """
    name = leases[0].name
    down = all(lease.down for lease in leases)
    try:
        if not await _still_waiting(context, leases):
            return
        if not down:
            await context.restarts.take()
        waiting = await _still_waiting(context, leases)
        if not waiting:
            return
        state = await context.client.connection_state(name)
        if down:
            if state == "open":
                await _reconnected(context, waiting)
        elif state in ("open", "connecting") and await _leads_away(context, waiting):
            await context.client.restart(name)
            await _watch(context, name, waiting, strict=state == "connecting")
    except EvolutionError as error:
        logger.info("reconnect waits", extra={"instance": name, "server": context.server, "code": error.code})


async def _leads_away(context: Context, leases: Sequence[Lease]) -> bool:
    """Whether the next connect will read a row that suits ``leases``. A null row says that the DB may be down: then a
    restart would leave the instance open for ever without a session (EVOLUTION.md, B2, B11)."""
    row = await context.client.find_proxy(leases[0].name)
    return row is not None and all(row.same_endpoint(one.proxy_id) is (one.phase is Phase.ACTIVE) for one in leases)


async def _watch(context: Context, name: str, leases: Sequence[Lease], *, strict: bool) -> None:
    """``strict``: it was connecting when it was restarted, so only a close proves that the old attempt is over."""
    waited, down = 0.0, False
    pauses = context.patience.watch_every
    for pause in chain(pauses, repeat(pauses[-1])):
        state = await context.client.connection_state(name)
        if not down and (state == "close" or (state == "connecting" and not strict)):
            down = True
            for lease in leases:
                await unless_overtaken(context.pool.mark(lease, "down"))
        if down and state == "open":
            await _reconnected(context, leases)
            return
        if waited > (context.patience.watch_for if down else context.patience.down_within):
            logger.info("reconnect not seen yet", extra={"instance": name, "server": context.server, "state": state})
            return
        await context.sleep(pause)
        waited += pause


async def _reconnected(context: Context, leases: Sequence[Lease]) -> None:
    for lease in leases:
        if lease.phase is Phase.ACTIVE:
            await unless_overtaken(context.pool.mark(lease, "applied"))
        else:
            await unless_overtaken(let_go(context, lease))


async def _still_waiting(context: Context, leases: Sequence[Lease]) -> list[Lease]:
    """Those of ``leases`` that still wait for a reconnect: the turn may have been long in coming."""
    found = [await context.pool.lease(lease.proxy_id) for lease in leases]
    return [
        now
        for lease, now in zip(leases, found, strict=True)
        if now is not None
        and now.token == lease.token
        and (_releasing(now) or (now.phase is Phase.ACTIVE and now.applied is not Applied.YES))
    ]


def _releasing(lease: Lease) -> bool:
    return lease.phase is Phase.RELEASING and lease.waits is Waits.SOCKET
