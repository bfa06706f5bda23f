"""What people ask of the audit, asked of a PostgreSQL that holds as many events as years bring."""

from __future__ import annotations

import random
import time
from collections.abc import Awaitable, Callable
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from service.audit import EventFilter, LedgerFilter
from service.mirror.database import open_database
from service.mirror.migrate import migrate
from service.mirror.questions import Questions
from service.mirror.schema import EVENTS, LEDGER, POSITION
from service.mirror.store import settle_in
from tests.mirror.fill import ACTORS, AT, EVERY_MS, INSTANCES, PER_EPOCH, TYPES, UNENDED, fill_stats
from tests.mirror.plans import asked, indexes
from tests.mirror.servers import postgresql

EVENTS_A_TENANCY = 10
_PAGE = 50


async def questions(count: int, rounds: int = 200) -> tuple[dict[str, Any], list[str]]:
    """Of each question the median and the worst of ``rounds`` answers, in ms, and the tables that were read whole."""
    with postgresql() as server:
        async with open_database(server.url(server.first)) as engine:
            begun = time.monotonic()
            await _fill(engine, count)
            filled = time.monotonic() - begun
            draw, audit = random.Random(11), Questions(engine)
            figures: dict[str, Any] = {"events": count, "tenancies": count // EVENTS_A_TENANCY}
            figures["filled_s"] = round(filled)
            whole: list[str] = []
            for name, ask in _asked(audit, draw, count).items():
                with asked(engine) as statements:
                    await ask()
                whole += [f"{name}: {one}" for one in await indexes(engine, statements) if one in _LARGE]
                took = sorted([await _timed(ask) for _ in range(rounds)])
                figures[name] = {"p50_ms": took[rounds // 2], "p99_ms": took[rounds * 99 // 100], "worst_ms": took[-1]}
            return figures, whole


_LARGE = frozenset(("whole proxy_events", "whole proxy_ledger"))


def _asked(audit: Questions, draw: random.Random, count: int) -> dict[str, Callable[[], Awaitable[object]]]:
    """Each asks for something else every time, at any depth."""

    def instance() -> int:
        return draw.randrange(INSTANCES)

    def bounds() -> dict[str, Any]:
        since = AT + draw.randrange(count) * EVERY_MS
        return {"since": since, "until": since + 86_400_000}

    def events(**make: Callable[[], Any]) -> Callable[[], Awaitable[object]]:
        async def ask() -> object:
            wanted = EventFilter(**{name: value() for name, value in make.items()})
            before = str(draw.randrange(1, count)) if draw.random() < 0.5 else ""
            return await audit.events(wanted, before=before, limit=_PAGE)

        return ask

    async def in_time() -> object:
        return await audit.events(EventFilter(**bounds()), limit=_PAGE)

    async def of_an_instance_in_time() -> object:
        return await audit.events(EventFilter(instance=f"id-{instance()}", **bounds()), limit=_PAGE)

    async def of_policy_in_time() -> object:
        return await audit.events(EventFilter(actor="auto", type="lease.applied", **bounds()), limit=_PAGE)

    async def ledger_of_an_instance() -> object:
        return await audit.ledger(LedgerFilter(instance=f"shop {instance()}"), limit=_PAGE)

    async def ledger_of_a_proxy() -> object:
        return await audit.ledger(LedgerFilter(proxy=f"{instance():020x}"), limit=_PAGE)

    async def ledger_in_time() -> object:
        return await audit.ledger(LedgerFilter(proxy=f"{instance():020x}", **bounds()), limit=_PAGE)

    async def history() -> object:
        until = AT - draw.randrange(20) * 86_400_000
        return await audit.history(until - draw.randrange(1, 8) * 86_400_000, until, 1)

    return {
        "all": events(),
        "instance": events(instance=lambda: f"id-{instance()}"),
        "name": events(instance=lambda: f"shop {instance()}"),
        "proxy": events(proxy=lambda: f"{instance():020x}"),
        "human": events(actor=lambda: "cli:ana"),
        "policy": events(actor=lambda: draw.choice(ACTORS)),
        "type": events(type=lambda: draw.choice((*TYPES, "token.created"))),
        "prefix": events(type=lambda: draw.choice(("lease.", "token."))),
        "prefix_of_errors": events(type=lambda: "token.", level=lambda: "error"),
        "level": events(level=lambda: "error"),
        "type_of_an_instance": events(instance=lambda: f"id-{instance()}", type=lambda: draw.choice(TYPES)),
        "server": events(server=lambda: f"s{draw.randrange(4)}"),
        "nothing_there": events(server=lambda: "none", level=lambda: "info"),
        "in_time": in_time,
        "of_an_instance_in_time": of_an_instance_in_time,
        "of_policy_in_time": of_policy_in_time,
        "ledger_of_an_instance": ledger_of_an_instance,
        "ledger_of_a_proxy": ledger_of_a_proxy,
        "ledger_in_time": ledger_in_time,
        "history": history,
    }


async def _timed(ask: Callable[[], Awaitable[object]]) -> float:
    begun = time.perf_counter()
    await ask()
    return round((time.perf_counter() - begun) * 1000, 1)


async def _fill(engine: AsyncEngine, count: int) -> None:
    """The rows of tests.mirror.fill, made by the server itself; the indexes come after them."""
    await migrate(engine)
    await settle_in(engine, "test", AT)
    types = ", ".join(f"'{one}'" for one in TYPES)
    actors = ", ".join(f"'{one}'" for one in ACTORS)
    tenancies = count // EVENTS_A_TENANCY
    statements = [f"DROP INDEX {index.name}" for table in (EVENTS, LEDGER) for index in table.indexes]
    statements += [
        f"""
        INSERT INTO {EVENTS.name} (epoch, seq, number, id, type, level, at, actor, proxy, server, instance, name, token,
                                   reason, data)
        SELECT n / {PER_EPOCH} + 1, n % {PER_EPOCH} + 1, n + 1, (n / {PER_EPOCH} + 1) || '-' || (n % {PER_EPOCH} + 1),
               CASE WHEN rare THEN CASE WHEN n % 2000 = 999 THEN 'token.created' ELSE 'token.revoked' END
                    ELSE (ARRAY[{types}])[n % {len(TYPES)} + 1] END,
               CASE WHEN rare THEN 'error' ELSE 'info' END,
               to_timestamp({AT // 1000} + n * {EVERY_MS / 1000}),
               CASE WHEN rare THEN 'cli:ana' ELSE (ARRAY[{actors}])[n % {len(ACTORS)} + 1] END,
               CASE WHEN NOT rare THEN lpad(to_hex(i), 20, '0') END, CASE WHEN NOT rare THEN 's' || i % 4 END,
               CASE WHEN NOT rare THEN 'id-' || i END, CASE WHEN NOT rare THEN 'shop ' || i END,
               ({AT} + n)::text, 'test', '{{}}'
        FROM generate_series(0, {count - 1}) AS n,
             LATERAL (SELECT n::bigint * 7 % {INSTANCES} AS i, n % 1000 = 999 AS rare) AS derived
        """,
        f"""
        INSERT INTO {LEDGER.name} (proxy, token, server, instance, name, began_at, began, ended_at, ended)
        SELECT lpad(to_hex(i), 20, '0'), {AT} + n * 60000::bigint, 's' || i % 4, 'id-' || i, 'shop ' || i,
               to_timestamp({AT // 1000} + n * 60), 'lease.reserved',
               CASE WHEN ended THEN to_timestamp({AT // 1000} + n * 60 + 3600) END,
               CASE WHEN ended THEN 'lease.released' END
        FROM generate_series(0, {tenancies - 1}) AS n,
             LATERAL (SELECT n::bigint * 7 % {INSTANCES} AS i, n < {tenancies - UNENDED} AS ended) AS derived
        """,
        f"UPDATE {POSITION.name} SET epoch = {(count - 1) // PER_EPOCH + 1}, seq = {(count - 1) % PER_EPOCH + 1}",
    ]
    async with engine.connect() as connection:  # autocommit, and without the driver's limit for one statement
        raw: Any = (await connection.get_raw_connection()).driver_connection
        for statement in statements:
            await raw.execute(statement, timeout=3_600)
    async with engine.begin() as connection:
        for table in (EVENTS, LEDGER):
            for index in table.indexes:
                await connection.run_sync(index.create)
    await fill_stats(engine, days=90)
    async with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        await connection.execute(text("VACUUM ANALYZE"))
