"""The audit trail as SQL holds it: which index answers a question, and between which events."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import get_args

from sqlalchemy import ColumnElement, RowMapping, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from service.audit import EventFilter, Events, Level
from service.errors import InvalidInputError
from service.mirror.keyset import EXAMINED, Key, Search, page, values_of
from service.mirror.schema import EVENTS, POSITION
from service.pool.stream import START, Event, EventId

SKEW_MS = 30_000
"""Ids follow the order of the scripts, ``at`` the clocks of their callers and the time that a call was under way: by as
much may the two orders differ."""

_KEY = (EVENTS.c.number,)
_COLUMNS = ("proxy", "server", "instance", "name", "token", "reason")


async def position_of(connection: AsyncConnection) -> EventId:
    """The last event that SQL holds."""
    found = (await connection.execute(select(POSITION.c.epoch, POSITION.c.seq))).first()
    return EventId(*found) if found else START


async def read_events(
    connection: AsyncConnection, wanted: EventFilter, *, before: str, limit: int, examined: int = EXAMINED
) -> Events:
    """``before``: ``following`` of the page before, or ``""``. Raises :class:`InvalidInputError` for any other.

    A page costs the same at any depth and age.
    """
    position = await position_of(connection)
    high = _parsed(before) if before else None
    low = None
    if wanted.until is not None and (end := await _first_since(connection, wanted.until + SKEW_MS)):
        high = end if high is None else min(high, end)
    if wanted.since is not None:
        low = await _first_since(connection, wanted.since - SKEW_MS)
        if low is None:
            return Events([], None, position)
    types = await _types(connection, wanted.type) if wanted.type else []
    if wanted.type and not types:
        return Events([], None, position)
    any_of, also = conditions(wanted, types)
    search = Search(EVENTS, _KEY, any_of, also, after=_key(high), last=_key(low))
    rows, following = await page(connection, search, limit, examined)
    return Events([_event(row) for row in rows], str(following[0]) if following else None, position)


def conditions(
    wanted: EventFilter, types: Sequence[str]
) -> tuple[Sequence[ColumnElement[bool]], Sequence[ColumnElement[bool]]]:
    """What an index is asked, of all that is given the likely rarest, and what is looked at beside it."""
    c, given = EVENTS.c, wanted
    policy, common = given.actor in ("auto", "webhook"), given.level in ("debug", "info")
    levels = get_args(Level)
    by_type = [c.type == one for one in types]
    by_actor = [] if given.actor is None else [c.actor == given.actor]
    by_level = [] if given.level is None else [c.level == given.level]
    at_least = [] if given.min_level is None else [c.level == one for one in levels[levels.index(given.min_level) :]]
    rarest_first = (
        [] if given.id is None else [c.id == given.id],
        [] if given.proxy is None else [c.proxy == given.proxy],
        [] if given.instance is None else [c.instance == given.instance, _named(given.instance)],
        [] if policy else by_actor,
        by_type if len(types) == 1 else [],
        [] if common else by_level,
        at_least if given.min_level in ("warning", "error") else [],
        by_type if len(types) > 1 else [],
        by_level if common else [],
        by_actor if policy else [],
        at_least if given.min_level in ("debug", "info") else [],
    )
    equal: list[Sequence[ColumnElement[bool]]] = [one for one in rarest_first if one]
    also = [or_(*one) for one in equal[1:]]
    if given.server is not None:
        also.append(c.server == given.server)
    if given.since is not None:
        also.append(c.at >= given.since)
    if given.until is not None:
        also.append(c.at < given.until)
    return equal[0] if equal else (), also


def _named(instance: str) -> ColumnElement[bool]:
    """Has it as its name, and not as its id too."""
    return (EVENTS.c.name == instance) & EVENTS.c.instance.is_distinct_from(instance)


def _key(number: int | None) -> Key | None:
    return None if number is None else (number,)


def _parsed(text: str) -> int:
    if not re.fullmatch(r"\d{1,18}", text, re.ASCII):
        raise InvalidInputError(field="cursor", reason="unknown_cursor")
    return int(text)


async def _first_since(connection: AsyncConnection, at: int) -> int | None:
    """The number of the earliest event from ``at`` on."""
    asked = select(EVENTS.c.number).where(EVENTS.c.at >= at).order_by(EVENTS.c.at).limit(1)
    return await connection.scalar(asked)


async def _types(connection: AsyncConnection, wanted: str) -> list[str]:
    """``wanted``, or all types that begin with it: a comparison with the prefix would depend on the database's
    collation."""
    if not wanted.endswith("."):
        return [wanted]
    return [one for one in await values_of(connection, EVENTS.c.type) if one.startswith(wanted)]


def _event(row: RowMapping) -> Event:
    fields = {name: row[name] for name in _COLUMNS if row[name] is not None} | row["data"]
    return Event(EventId(row["epoch"], row["seq"]), row["type"], row["level"], row["at"], row["actor"], fields)
