"""What the ledger can't know from events that were lost: it is held against the table of proxies."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence

from sqlalchemy import RowMapping, exists, select
from sqlalchemy.ext.asyncio import AsyncConnection

from service.mirror.database import explained
from service.mirror.mirror import Mirror
from service.mirror.rows import Row, fitted
from service.mirror.schema import LEDGER, PROXIES
from service.mirror.store import locked, put

logger = logging.getLogger(__name__)

_MOST = 200
_UNENDED = LEDGER.c.ended_at.is_(None)
_HELD = PROXIES.c.is_used
_SAME = (
    (LEDGER.c.proxy == PROXIES.c.id)
    & (LEDGER.c.server == PROXIES.c.server)
    & (LEDGER.c.instance == PROXIES.c.instance_id)
)


async def mend_ledger(mirror: Mirror) -> int:
    """Ends the tenancies that are none any more, and begins those that are missing; answers how many.

    For after a full comparison, when the table of proxies is right. What unread events tell of is left to them.
    Raises what :meth:`Mirror.step` raises.
    """
    mended = 0
    while True:
        with explained():
            async with mirror.engine.connect() as connection:
                over, missing = await _wrong(connection)
        suspects = {row["proxy"] for row in over} | {row["id"] for row in missing}
        if not suspects or not (done := await _mend(mirror, suspects)):
            break
        mended += done
    if mended:
        logger.warning("the ledger was mended", extra={"tenancies": mended})
    return mended


async def _mend(mirror: Mirror, suspects: set[str]) -> int:
    await mirror.catch_up()
    async with locked(mirror.engine, mirror.pool.name) as (connection, place):
        unread = (await mirror.pool.read_events(place.position, mirror.batch)).events
        told = {proxy for event in unread for proxy in event.proxies}
        if len(unread) == mirror.batch:
            return 0
        over, missing = await _wrong(connection, suspects - told)
        now = mirror.pool.clock.now()
        rows = [dict(row) | {"ended_at": now} for row in over] + [_tenancy(row) for row in missing]
        await put(connection, LEDGER, rows, replace=True)
        return len(rows)


async def _wrong(
    connection: AsyncConnection, among: Collection[str] | None = None
) -> tuple[Sequence[RowMapping], Sequence[RowMapping]]:
    """Tenancies whose holder does not hold the proxy, and held proxies without the tenancy of their holder."""
    over = select(LEDGER).where(_UNENDED, ~exists().where(_SAME, _HELD).correlate(LEDGER))
    missing = select(PROXIES).where(_HELD, ~exists().where(_SAME, _UNENDED).correlate(PROXIES))
    if among is not None:
        over, missing = over.where(LEDGER.c.proxy.in_(among)), missing.where(PROXIES.c.id.in_(among))
    return (
        (await connection.execute(over.limit(_MOST))).mappings().all(),
        (await connection.execute(missing.limit(_MOST))).mappings().all(),
    )


def _tenancy(proxy: RowMapping) -> Row:
    """Of a proxy that is held: what its lease remembers."""
    lease = proxy["state"]["lease"]
    return fitted(
        LEDGER,
        dict.fromkeys(LEDGER.c.keys())
        | {
            "proxy": proxy["id"],
            "token": proxy["token"],
            "server": proxy["server"],
            "instance": proxy["instance_id"],
            "name": proxy["assigned_instance_name"],
            "began_at": _moment(lease.get("reserved_at")) or proxy["updated_at"],
            "began_actor": lease.get("actor"),
            "began_reason": lease.get("reason"),
            "chosen": lease.get("chosen"),
            "active_at": _moment(lease.get("active_at")),
            "applied_at": _moment(lease.get("applied_at")),
            "release_actor": lease.get("released_by"),
            "release_reason": lease.get("release_reason"),
        },
    )


def _moment(text: str | None) -> int | None:
    return int(text) if text else None
