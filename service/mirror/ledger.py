"""The ledger: who had which proxy from when to when. It is written with the events that tell of it.

A tenancy is found by its proxy, because a proxy has one holder at a time. It outlives the tokens of its lease: after a
release that was called off, or a reservation that an instance fulfilled, it is still the same.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from service.mirror.rows import Row, fitted
from service.mirror.schema import LEDGER
from service.mirror.store import put

_FRESH = frozenset(("lease.reserved", "lease.rotated", "reservation.made"))
"""Beginnings of a lease whose proxy nobody had before."""
_BEGINNINGS = _FRESH | {"lease.adopted"}
_ENDINGS = frozenset(("lease.released", "lease.abandoned", "reservation.expired", "reservation.cancelled"))
_TAKEN_OVER = ("reserved", "releasing")
"""Where an adopted proxy came from when the lease before it ended with that, and without an event of its own."""


async def follow_leases(connection: AsyncConnection, events: Iterable[Row]) -> None:
    """Brings the ledger on to what ``events``, rows of EVENTS in their order, tell."""
    told = [event for event in events if _of_lease(event)]
    if told:
        proxies = {proxy for event in told for proxy in (event["proxy"], event["data"].get("replaces")) if proxy}
        await put(connection, LEDGER, follow(told, await held(connection, proxies)), replace=True)


async def held(connection: AsyncConnection, proxies: Collection[str]) -> dict[str, Row]:
    """The tenancies of these proxies that have not ended, by proxy."""
    found = await connection.execute(select(LEDGER).where(LEDGER.c.ended_at.is_(None), LEDGER.c.proxy.in_(proxies)))
    return {row["proxy"]: dict(row) for row in found.mappings()}


def follow(events: Iterable[Row], held: dict[str, Row]) -> list[Row]:
    """The rows of the ledger that ``events`` change. ``held`` are the tenancies before, and afterwards those after.

    Where events are missing, those that come tell what must have been: that a tenancy began, or that one has ended.
    """
    known = {_key(row): dict(row) for row in held.values()}
    changed: dict[tuple[str, int], Row] = {}
    for event in events:
        row = held.get(event["proxy"])
        if row is not None and not _continues(row, event):
            taken_over = event["type"] == "lease.adopted" and event["data"].get("from") in _TAKEN_OVER
            _end(row, event, event["type"] if taken_over else None)
            changed[_key(row)], row = row, None
        if row is None:
            row = held[event["proxy"]] = _begun(event)
        changed[_key(row)] = row
        before = held.get(event["data"].get("replaces", ""))
        if before is not None and before["instance"] == event["instance"]:
            changed[_key(before)] = before
        else:
            before = None
        _apply(event, row, before)
        if row["ended_at"] is not None:
            del held[row["proxy"]]
    return [fitted(LEDGER, row) for key, row in changed.items() if row != known.get(key)]


def _apply(event: Row, row: Row, before: Row | None) -> None:
    """``before``: what the instance had before, of which a rotation and its failure tell."""
    kind, at = event["type"], event["at"]
    if kind == "lease.confirmed":
        row["active_at"] = row["active_at"] or at
    elif kind == "lease.applied":
        row["applied_at"] = row["applied_at"] or at
    elif kind == "lease.adopted":
        row |= {"instance": event["instance"], "active_at": row["active_at"] or at}
        _keep(row)
    elif kind == "lease.kept":
        _keep(row)
    elif kind == "lease.releasing":
        _release(row, event)
    elif kind == "lease.rotated" and before is not None:
        _release(before, event)
    elif kind in _ENDINGS:
        if kind == "lease.abandoned":
            _release(row, event)
            if before is not None:
                _keep(before)
            if event["data"].get("status") == "used":  # a socket may still use it: its release has only begun
                return
        _end(row, event, kind)


def _of_lease(event: Row) -> bool:
    """Whether it names a lease: only those have a number for a token."""
    token = event["token"] or ""
    return bool(event["proxy"] and event["instance"] and event["server"]) and token.isdecimal() and len(token) < 19


def _continues(row: Row, event: Row) -> bool:
    if event["server"] != row["server"]:
        return False
    if event["type"] == "lease.adopted" and row["instance"].startswith("~"):
        return bool(event["name"] == row["name"])
    if event["type"] in _FRESH and int(event["token"]) != row["token"]:
        return False
    return bool(event["instance"] == row["instance"])


def _begun(event: Row) -> Row:
    begins = event["type"] in _BEGINNINGS
    return dict.fromkeys(LEDGER.c.keys()) | {
        "proxy": event["proxy"],
        "token": int(event["token"]),
        "server": event["server"],
        "instance": event["instance"],
        "name": event["name"],
        "began_at": event["at"],
        "began": event["type"] if begins else None,
        "began_actor": event["actor"] if begins else None,
        "began_reason": event["reason"] if begins else None,
        "chosen": "row" if event["type"] == "lease.adopted" else event["data"].get("chosen"),
    }


def _release(row: Row, event: Row) -> None:
    row |= {"release_actor": event["actor"], "release_reason": event["reason"]}


def _keep(row: Row) -> None:
    row |= {"release_actor": None, "release_reason": None}


def _end(row: Row, event: Row, ended: str | None) -> None:
    row |= {"ended_at": event["at"], "ended": ended}
    if ended is not None:
        row["evidence"] = event["data"].get("evidence")
        row["release_actor"] = row["release_actor"] or event["actor"]
        row["release_reason"] = event["reason"] or row["release_reason"]


def _key(row: Row) -> tuple[str, int]:
    return row["proxy"], row["token"]
