"""Taking a proxy back: read the row, clear it if it is the lease's, read back, and let the socket go."""

from __future__ import annotations

import hashlib
import logging

from service import messages
from service.control.context import Context
from service.errors import EvolutionError, EvolutionNotFoundError, EvolutionRejectedError
from service.evolution.models import Row
from service.pool.models import Evidence, Lease, Waits

logger = logging.getLogger(__name__)


def row_value(row: Row | None) -> str:
    """The pool's word for a row: a proxy id, ``off``, or ``""`` where there is no evidence.

    A row that names no endpoint a pool could hold is still somebody's explicit value.
    """
    if row is None:
        return ""
    if not row.enabled:
        return "off"
    raw = f"{row.protocol}:{row.host}:{row.port}"  # may hold credentials that somebody wrote into the host
    return row.endpoint_id or "?" + hashlib.sha256(raw.encode()).hexdigest()[:19]


async def clear(context: Context, lease: Lease) -> bool:
    """One attempt to bring a release from ``row`` to ``socket``; answers whether the lease is over already.

    The row is cleared only if it names the lease's proxy and instance, or nothing at all. A refusal is counted; the
    sixth sets the release aside. A release that waits for the socket already is cleared again where a set of ours
    landed after the clear; as more may come, its proxy is then to rest.
    """
    try:
        row = await context.client.find_proxy(lease.name)
        # Another id under this name is for the list to tell (recreated): nothing of it may be cleared.
        if not await _is_of(context, lease, row):
            return False
        value = row_value(row)
        if value in ("", lease.proxy_id):
            if lease.waits is Waits.SOCKET:
                await context.pool.mark(lease, "unknown")
            else:
                await context.pool.begin_clear(lease)
            async with context.sets.slot(urgent=True):
                await context.client.clear_proxy(lease.name)
                row = await context.client.find_proxy(lease.name)
            if row is not None and not row.belongs_to(lease.instance):
                return False
            value = row_value(row)
    except EvolutionNotFoundError:
        return False
    except EvolutionRejectedError as error:
        stuck = await context.pool.refuse_release(lease, str(error.params.get("reason", error.code))[:200])
        logger.warning(
            "clearing the row failed",
            extra={"instance": lease.name, "server": context.server, "code": error.code, "stuck": stuck},
        )
        return False
    except EvolutionError as error:
        logger.info("clearing waits", extra={"instance": lease.name, "server": context.server, "code": error.code})
        return False
    if value in ("", lease.proxy_id):
        await context.pool.refuse_release(lease, "the row was not read back as cleared")
        return False
    return await row_moved(context, lease, value)


async def row_moved(context: Context, lease: Lease, row: str) -> bool:
    """The row explicitly names something else; answers whether a final close has ended the lease with it."""
    return await context.pool.row_cleared(lease, row) and await closed(context, lease)


async def closed(context: Context, lease: Lease) -> bool:
    """The list says that the socket is gone for good; answers whether the lease is over.

    The live state has to say so too, after the row moved: the number may have been paired anew while the row still
    named the proxy. Raises :class:`EvolutionError`.
    """
    return await context.client.connection_state(lease.name) == "close" and await let_go(context, lease)


async def let_go(context: Context, lease: Lease) -> bool:
    """Ends a release whose old socket is seen gone; answers whether the lease is over. Raises :class:`EvolutionError`.

    The row is read once more: a set of ours that landed after the clear may be what the new socket has read. Then the
    proxy rests like one whose set may still land, and the next list tells who uses it.
    """
    row = await context.client.find_proxy(lease.name)
    if row is None or not row.belongs_to(lease.instance):
        return False
    if row.same_endpoint(lease.proxy_id):
        await context.pool.mark(lease, "unknown")
        return False
    status = await context.pool.finish_release(lease, Evidence.MOVED)
    logger.info(
        messages.text("lease_released", context.locale, instance=lease.name),
        extra={"server": context.server, "proxy": lease.proxy_id, "status": status, "reason": lease.release_reason},
    )
    return True


async def _is_of(context: Context, lease: Lease, row: Row | None) -> bool:
    """Whether what bears the lease's name is its instance. A row tells; where there is none, the server is asked, which
    also errs while its DB is down: a null row is no evidence (EVOLUTION.md, B2)."""
    if row is not None:
        return row.belongs_to(lease.instance)
    observation = await context.client.fetch_instance(lease.name)
    return observation is not None and observation.id == lease.instance
