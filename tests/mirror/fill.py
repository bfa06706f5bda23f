"""An audit trail of any length: what a pool of some thousand instances writes in years, made within seconds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import insert, text, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from service.mirror.schema import EVENTS, LEDGER, POSITION, STATS
from service.mirror.snapshots import stats_row
from service.mirror.store import settle_in
from service.pool.stats import Stats

AT = 2_000_000_000_000
EVERY_MS = 100
"""Ms between two events."""
PER_EPOCH = 1_000_000
INSTANCES = 4_000
UNENDED = 500
TYPES = ("lease.down", "lease.opened", "lease.reserved", "lease.confirmed", "lease.applied", "lease.released")
ACTORS = ("auto", "webhook", "auto", "token:front")
_CHUNK = 5_000


def event(number: int) -> dict[str, Any]:
    """Event ``number``, from 0 on. Every thousandth is rare: an error, of a human, of no instance."""
    rare = number % 1_000 == 999
    instance = number * 7 % INSTANCES
    epoch, seq = number // PER_EPOCH + 1, number % PER_EPOCH + 1
    return {
        "epoch": epoch,
        "seq": seq,
        "number": number + 1,
        "id": f"{epoch}-{seq}",
        "type": f"token.{'created' if number % 2_000 == 999 else 'revoked'}" if rare else TYPES[number % len(TYPES)],
        "level": "error" if rare else "info",
        "at": AT + number * EVERY_MS,
        "actor": "cli:ana" if rare else ACTORS[number % len(ACTORS)],
        "proxy": None if rare else f"{instance:020x}",
        "server": None if rare else f"s{instance % 4}",
        "instance": None if rare else f"id-{instance}",
        "name": None if rare else f"shop {instance}",
        "token": str(AT + number),
        "reason": "test",
        "data": {"number": str(number)},
    }


async def fill_events(engine: AsyncEngine, count: int) -> None:
    """``count`` events, and the position after them."""
    await settle_in(engine, "test", AT)
    async with engine.execution_options(writes=True).begin() as connection:
        for numbers in _chunks(count):
            await connection.execute(insert(EVENTS), [event(number) for number in numbers])
        last = event(count - 1)
        await connection.execute(update(POSITION).values(epoch=last["epoch"], seq=last["seq"]))
        await analyze(connection)


async def fill_ledger(engine: AsyncEngine, count: int) -> None:
    """``count`` tenancies of an hour each; the last :data:`UNENDED` go on."""
    async with engine.execution_options(writes=True).begin() as connection:
        for numbers in _chunks(count):
            await connection.execute(insert(LEDGER), [_tenancy(number, number < count - UNENDED) for number in numbers])
        await analyze(connection)


async def fill_stats(engine: AsyncEngine, days: int) -> None:
    """A snapshot a minute for a week, an hour before that."""
    figures = Stats.parse(["total", "100", "used", "50", "line", "50"])
    minutes, hours = 7 * 1_440, (days - 7) * 24
    slots = [(60, AT - 60_000 * n) for n in range(minutes)]
    slots += [(3_600, AT - 7 * 86_400_000 - 3_600_000 * n) for n in range(hours)]
    async with engine.execution_options(writes=True).begin() as connection:
        for numbers in _chunks(len(slots)):
            rows = [stats_row(figures, *slots[n], lag=None) for n in numbers]
            await connection.execute(insert(STATS), rows)
        await analyze(connection)


async def analyze(connection: AsyncConnection) -> None:
    statement = "ANALYZE TABLE proxy_events, proxy_ledger, pool_stats"
    await connection.execute(text(statement if connection.dialect.name == "mysql" else "ANALYZE"))


def _tenancy(number: int, ended: bool) -> dict[str, Any]:
    instance, at = number * 7 % INSTANCES, AT + number * 60_000
    return dict.fromkeys(LEDGER.c.keys()) | {
        "proxy": f"{instance:020x}",
        "token": at,
        "server": f"s{instance % 4}",
        "instance": f"id-{instance}",
        "name": f"shop {instance}",
        "began_at": at,
        "began": "lease.reserved",
        "ended_at": at + 3_600_000 if ended else None,
        "ended": "lease.released" if ended else None,
    }


def _chunks(count: int) -> Iterator[range]:
    for start in range(0, count, _CHUNK):
        yield range(start, min(start + _CHUNK, count))
