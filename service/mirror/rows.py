"""What stands in the tables of an event and of a proxy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import String, Table

from service.mirror.schema import EVENTS, PROXIES
from service.pool.models import NEVER
from service.pool.records import Snapshot
from service.pool.stream import Event, EventId

Row = dict[str, Any]

_OF_EVENT = ("proxy", "server", "instance", "name", "token", "reason")
_OF_PROXY = frozenset(
    (
        "protocol",
        "host",
        "port",
        "username",
        "secret",
        "fingerprint",
        "status",
        "active",
        "group",
        "labels",
        "available_at",
        "expires_at",
        "quarantine_reason",
        "disabled_reason",
        "rev",
        "created_at",
        "updated_at",
    )
)
_OF_LEASE = frozenset(("server", "instance", "name", "token", "phase", "waits", "applied"))
_DERIVED = frozenset(("line", "stamp"))
"""A restored pool would miss neither: the line follows from the memory, the stamp is of one import."""


def event_row(event: Event) -> Row:
    """The row of EVENTS."""
    row = {name: event.fields.get(name) for name in _OF_EVENT}
    data = {name: value for name, value in event.fields.items() if name not in row}
    return fitted(
        EVENTS,
        {
            "epoch": event.id.epoch,
            "seq": event.id.seq,
            "id": str(event.id),
            "type": event.type,
            "level": event.level,
            "at": event.at,
            "actor": event.actor,
            "data": data,
            **row,
        },
    )


def lost_row(first: EventId, last: EventId, at: int) -> Row:
    """Stands where the last lost event would."""
    return event_row(Event(last, "events.lost", "error", at, "auto", {"first": str(first), "last": str(last)}))


def proxy_row(snapshot: Snapshot, now: int) -> Row:
    """The row of PROXIES at ``now`` (ms). Raises ``KeyError`` or ``ValueError`` for a record that no script wrote."""
    proxy, lease = snapshot.proxy, snapshot.lease
    available_at = int(proxy.get("available_at") or 0)
    status = "cooling" if proxy["status"] == "free" and available_at > now else proxy["status"]
    return fitted(
        PROXIES,
        {
            "id": snapshot.id,
            "protocol": proxy["protocol"],
            "host": proxy["host"],
            "port": int(proxy["port"]),
            "username": proxy.get("username", ""),
            "password": proxy.get("secret", ""),
            "fingerprint": proxy.get("fingerprint", ""),
            "status": status,
            "is_used": status == "used",
            "is_active": proxy.get("active") == "1",
            "assigned_instance_name": lease.get("name"),
            "server": lease.get("server"),
            "instance_id": lease.get("instance"),
            "phase": lease.get("phase"),
            "waits": lease.get("waits"),
            "applied": lease.get("applied"),
            "token": int(lease["token"]) if lease else None,
            "group_name": proxy.get("group", ""),
            "labels": proxy["labels"].split("\n") if proxy.get("labels") else [],
            "available_at": _moment(available_at),
            "expires_at": _moment(int(proxy.get("expires_at") or 0)),
            "quarantine_reason": proxy.get("quarantine_reason"),
            "disabled_reason": proxy.get("disabled_reason"),
            "rev": int(proxy.get("rev") or 0),
            "created_at": int(proxy.get("created_at") or 0),
            "updated_at": int(proxy.get("updated_at") or 0),
            "removed_at": None,
            "search_text": _search_text(snapshot.id, proxy, lease),
            "state": {"proxy": _rest(proxy, _OF_PROXY), "lease": _rest(lease, _OF_LEASE)},
        },
    )


def snapshot_of(row: Mapping[str, Any]) -> Snapshot:
    """The records that ``row``, of PROXIES, was made of, without what a restored pool would not miss.

    Raises ``KeyError``, ``TypeError`` or ``ValueError`` for a row that somebody has edited.
    """
    proxy = {
        "protocol": row["protocol"],
        "host": row["host"],
        "port": row["port"],
        "username": row["username"],
        "secret": row["password"],
        "fingerprint": row["fingerprint"],
        "status": "free" if row["status"] == "cooling" else row["status"],
        "active": int(row["is_active"]),
        "group": row["group_name"],
        "labels": "\n".join(row["labels"]),
        "available_at": row["available_at"] or 0,
        "expires_at": row["expires_at"] or "",
        "quarantine_reason": row["quarantine_reason"],
        "disabled_reason": row["disabled_reason"],
        "rev": row["rev"],
        "created_at": row["created_at"],
        "updated_at": row["updated_at"],
        **row["state"]["proxy"],
    }
    lease = {
        "server": row["server"],
        "instance": row["instance_id"],
        "name": row["assigned_instance_name"],
        "token": row["token"],
        "phase": row["phase"],
        "waits": row["waits"],
        "applied": row["applied"],
        **row["state"]["lease"],
    }
    return Snapshot(row["id"], _record(proxy), _record(lease) if row["token"] is not None else {})


def _search_text(proxy_id: str, proxy: Mapping[str, str], lease: Mapping[str, str]) -> str:
    """Case-folded here: each database has its own idea of letters. The labels come last, as there may be too many."""
    endpoint = f"{proxy['host']}:{proxy['port']}"
    texts = (proxy_id, endpoint, proxy.get("username"), proxy.get("group"), lease.get("name"), proxy.get("labels"))
    return "\n".join(filter(None, texts)).casefold()


def _record(values: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(value) for name, value in values.items() if value is not None}


def _moment(at: int) -> int | None:
    return min(at, NEVER) or None


def _rest(record: Mapping[str, str], shown: frozenset[str]) -> dict[str, str]:
    return {name: value for name, value in record.items() if name not in shown | _DERIVED}


def fitted(table: Table, row: Row) -> Row:
    """``row`` as every database takes it: one value too long, or with a NUL, must not hold up all that follow."""
    for name, value in row.items():
        if isinstance(value, str):
            kind = table.c[name].type
            row[name] = value.replace("\0", "\ufffd")[: kind.length if isinstance(kind, String) else None]
    return row
