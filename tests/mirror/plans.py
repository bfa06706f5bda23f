"""How a database goes about what it is asked."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

Asked = list[tuple[str, Any]]


@contextmanager
def asked(engine: AsyncEngine) -> Iterator[Asked]:
    """The SELECTs that are sent meanwhile, with their values."""
    statements: Asked = []

    def note(_connection: object, _cursor: object, statement: str, values: Any, *_: object) -> None:
        if re.match(r"\s*(SELECT|WITH)", statement):
            statements.append((statement, values))

    event.listen(engine.sync_engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(engine.sync_engine, "before_cursor_execute", note)


async def indexes(engine: AsyncEngine, statements: Asked) -> set[str]:
    """The indexes that answer ``statements``; a table read from end to end stands there as ``whole <table>``."""
    used: set[str] = set()
    async with engine.connect() as connection:
        explain = {"postgresql": "EXPLAIN (FORMAT JSON)", "sqlite": "EXPLAIN QUERY PLAN", "mysql": "EXPLAIN"}
        for statement, values in statements:
            found = await connection.exec_driver_sql(f"{explain[connection.dialect.name]} {statement}", values)
            lines = found.mappings().all()
            if connection.dialect.name == "postgresql":
                plan = lines[0]["QUERY PLAN"]
                used |= set(_nodes((json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]))
            elif connection.dialect.name == "sqlite":
                used |= {name for line in lines if (name := _of_sqlite(line["detail"]))}
            else:
                used |= {line["key"] or f"whole {line['table']}" for line in lines if _reads(line)}
    return used


def _nodes(plan: dict[str, Any]) -> Iterator[str]:
    if plan["Node Type"] == "Seq Scan":
        yield f"whole {plan['Relation Name']}"
    elif "Index Name" in plan:
        yield plan["Index Name"]
    for part in plan.get("Plans", []):
        yield from _nodes(part)


def _of_sqlite(detail: str) -> str | None:
    """``SEARCH t USING INDEX ix (…)`` or ``SCAN t``; a scan of what a subquery gave is none of a table."""
    found = re.match(r"(SEARCH|SCAN) (\w+)(?: USING (?:COVERING )?INDEX (\w+))?", detail)
    if not found or found[2] == "known" or found[2].startswith("anon_"):
        return None
    return found[3] if found[1] == "SEARCH" or found[3] else f"whole {found[2]}"


def _reads(line: Any) -> bool:
    table = line["table"]
    return table is not None and not table.startswith("<") and "optimized away" not in (line["Extra"] or "")
