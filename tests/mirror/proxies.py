"""A table of any number of proxies, made within seconds."""

from __future__ import annotations

from typing import Any

from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncEngine

from service.mirror.rows import Row, proxy_row
from service.mirror.schema import PROXIES
from service.mirror.store import settle_in
from service.pool.records import Snapshot

AT = 2_000_000_000_000
GROUPS = ("br", "us", "Århus", "")
_CHUNK = 2_000
_ANALYZE = {"postgresql": "ANALYZE", "mysql": "ANALYZE TABLE proxies_tables"}
"""These do so by themselves in the course of time; nobody does it in SQLite."""


def row(number: int, **proxy: str) -> Row:
    """Proxy ``number``: some are held, some expire, some cool, some are disabled."""
    lease: dict[str, str] = {}
    record = {
        "protocol": "socks5" if number % 3 else "http",
        "host": f"{number * 7919 % 251}.{number % 250}.example.net",
        "port": str(1_000 + number % 9_000),
        "username": f"user{number}",
        "secret": "plain:x",
        "status": "free",
        "active": "1",
        "group": GROUPS[number % len(GROUPS)],
        "labels": "\n".join(["fast", "Rio 1"][: number % 3]),
        "created_at": str(AT + number // 10),
        "updated_at": str(AT + number * 31 % 1_000_000),
    }
    if number % 5 < 2:
        record["status"] = "used"
        lease = {"server": f"s{number % 4}", "instance": f"id-{number}", "name": f"Shop {number % 9_973}"}
        lease |= {"token": str(AT + number), "phase": "active", "applied": "yes"}
    elif number % 13 == 0:
        record |= {"status": "disabled", "active": "0"}
    elif number % 11 == 0:
        record["available_at"] = str(AT + 3_600_000)
    if number % 7 == 0:
        record["expires_at"] = str(AT + number * 17 % 86_400_000)
    return proxy_row(Snapshot(f"{number * 2_654_435_761 % 2**64:020x}", record | proxy, lease), AT)


async def fill_proxies(engine: AsyncEngine, count: int) -> list[Row]:
    """``count`` proxies and a tenth more that were removed; answers those that were not."""
    await settle_in(engine, "test", AT)
    rows: list[Row] = [row(number) for number in range(count)]
    gone: list[dict[str, Any]] = [
        row(number) | {"removed_at": AT, "status": "removed"} for number in range(count, count + count // 10)
    ]
    async with engine.execution_options(writes=True).begin() as connection:
        for start in range(0, len(rows) + len(gone), _CHUNK):
            await connection.execute(insert(PROXIES), (rows + gone)[start : start + _CHUNK])
        if analyze := _ANALYZE.get(connection.dialect.name):
            await connection.execute(text(analyze))
    return rows
