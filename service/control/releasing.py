"""Taking a proxy back: read the row, clear it if it is the lease's, read back, and let the socket go."""

from __future__ import annotations

import logging

from service.control.context import Context
from service.errors import EvolutionError, EvolutionNotFoundError, EvolutionRejectedError, EvolutionUnknownError
from service.evolution.models import Row
from service.pool.models import Evidence, Lease

logger = logging.getLogger(__name__)


def row_value(row: Row | None) -> str:
    """The pool's word for a row: a proxy id, ``off``, or ``""`` where there is no evidence.

    A row that names no endpoint a pool could hold is still somebody's explicit value.
    """
    if row is None:
        return ""
    if not row.enabled:
        return "off"
    return row.endpoint_id or f"?{row.protocol}:{row.host}:{row.port}"


async def clear(context: Context, lease: Lease) -> bool:
    """One attempt to bring a release from ``row`` to ``socket``; answers whether the lease is over already.

    The row is cleared only if it names the lease's proxy and instance, or nothing at all. A refusal is counted; the
    sixth sets the release aside.
    """
    try:
        row = await context.client.find_proxy(lease.name)
        # Another id under this name is for the list to tell (recreated): nothing of it may be cleared.
        foreign = row is not None and row.instance_id not in (None, lease.instance)
        if foreign:
            return False
        value = row_value(row)
        if value in ("", lease.proxy_id):
            await context.pool.begin_clear(lease)
            async with context.sets:
                await context.client.clear_proxy(lease.name)
                value = row_value(await context.client.find_proxy(lease.name))
    except EvolutionNotFoundError:
        return False
    except (EvolutionRejectedError, EvolutionUnknownError) as error:
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
    if await context.pool.row_cleared(lease, row):
        await context.pool.finish_release(lease, Evidence.MOVED)
        return True
    return False
