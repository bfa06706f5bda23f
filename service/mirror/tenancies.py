"""Tenancies as the ledger holds them, by proxy and by instance."""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, select
from sqlalchemy.ext.asyncio import AsyncConnection

from service.audit import Ledger, LedgerFilter, Tenancy
from service.errors import InvalidInputError
from service.mirror.keyset import Key, Search, page
from service.mirror.schema import LEDGER, PROXIES
from service.mirror.trail import position_of

_KEY = (LEDGER.c.token, LEDGER.c.proxy)
_ENDPOINT = ("protocol", "host", "port")


async def read_ledger(connection: AsyncConnection, wanted: LedgerFilter, *, before: str, limit: int) -> Ledger:
    """``wanted`` names a proxy, an instance or both. ``before``: ``following`` of the page before, or ``""``.

    Raises :class:`InvalidInputError` for any other.
    """
    position = await position_of(connection)
    c = LEDGER.c
    any_of: list[ColumnElement[bool]] = []
    also: list[ColumnElement[bool]] = []
    if wanted.instance is not None:
        any_of = [c.instance == wanted.instance, (c.name == wanted.instance) & (c.instance != wanted.instance)]
    if wanted.proxy is not None:
        (also if any_of else any_of).append(c.proxy == wanted.proxy)
    if wanted.server is not None:
        also.append(c.server == wanted.server)
    if wanted.since is not None:
        also.append(c.ended_at.is_(None) | (c.ended_at > wanted.since))
    if wanted.until is not None:
        also.append(c.began_at < wanted.until)
    after = _parsed(before) if before else None
    rows, following = await page(connection, Search(LEDGER, _KEY, any_of, also, after=after), limit)
    endpoints = await _endpoints(connection, {row["proxy"] for row in rows})
    items = [_tenancy(row, endpoints.get(row["proxy"])) for row in rows]
    return Ledger(items, "-".join(map(str, following)) if following else None, position)


def _parsed(text: str) -> Key:
    if not re.fullmatch(r"\d{1,18}-[^-]{1,40}", text, re.ASCII):
        raise InvalidInputError(field="cursor", reason="unknown_cursor")
    token, _, proxy = text.partition("-")
    return int(token), proxy


async def _endpoints(connection: AsyncConnection, proxies: set[str]) -> dict[str, RowMapping]:
    c = PROXIES.c
    found = await connection.execute(select(c.id, c.protocol, c.host, c.port).where(c.id.in_(proxies)))
    return {row["id"]: row for row in found.mappings()}


def _tenancy(row: RowMapping, endpoint: RowMapping | None) -> Tenancy:
    values: dict[str, Any] = {name: value for name, value in row.items() if name != "token"}
    values |= {name: endpoint[name] if endpoint else None for name in _ENDPOINT}
    return Tenancy(**values)
