"""The pool as a document that an import reads back, page by page."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

import orjson

from service.importing import render
from service.models import Protocol
from service.pool.models import Proxy, Status
from service.pool.pool import Pool
from service.web.models import ProxyOut

_TAKEN = ("protocol", "host", "port", "username", "password", "group", "labels", "expiresAt")
_TOLD = ("id", "status", "isActive", "server", "assignedInstanceName", "createdAt", "updatedAt")
CSV_COLUMNS = _TAKEN + _TOLD
"""What an import takes, and what it passes over."""


class Format(StrEnum):
    """``lines`` are ``scheme://user:pass@host:port``; the objects of ``json`` and ``ndjson`` are those of the API."""

    LINES = "lines"
    CSV = "csv"
    JSON = "json"
    NDJSON = "ndjson"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to export. Without ``secrets`` passwords are left out; the filters are as in GET /proxies."""

    format: Format = Format.LINES
    secrets: bool = False
    status: Status | None = None
    group: str | None = None
    protocol: Protocol | None = None

    def takes(self, proxy: Proxy) -> bool:
        return (
            self.status in (None, proxy.status)
            and self.group in (None, proxy.group)
            and self.protocol in (None, proxy.protocol)
        )


@dataclass(frozen=True, slots=True)
class Part:
    """The next piece of the document, and how many proxies it holds."""

    text: bytes = field(repr=False)
    proxies: int


async def export(pool: Pool, wanted: Wanted, *, actor: str) -> AsyncGenerator[Part, None]:
    """The document in parts, at least one, in the order of ids and in bounded memory. It is whole only at its end.

    A proxy that is there throughout is in it exactly once, as it was when its page was read. With ``secrets`` the event
    is written before the first part. Raises :class:`service.errors.StoreUnavailableError`, and
    :class:`service.pool.vault.VaultError` when a password can't be opened.
    """
    if wanted.secrets:
        filters = {"status": wanted.status, "group": wanted.group, "protocol": wanted.protocol}
        told = {name: str(value) for name, value in filters.items() if value is not None}
        await pool.note_export(wanted.format, **told, actor=actor)
    shape = _SHAPES[wanted.format]
    text, done, cursor = shape.head, 0, None
    while cursor != "":
        cursor, page = await pool.page(cursor or "")
        rows = [
            shape.row(proxy, pool.spec_of(proxy).password if wanted.secrets else None)
            for proxy in page
            if wanted.takes(proxy)
        ]
        if rows:
            text += (shape.between if done else b"") + shape.between.join(rows)
        if not cursor:
            text += shape.foot
        yield Part(text, len(rows))
        text, done = b"", done + len(rows)


def _line(proxy: Proxy, password: str | None) -> bytes:
    return render(proxy.spec(password or ""), password=password is not None).encode() + b"\n"


def _csv_row(proxy: Proxy, password: str | None) -> bytes:
    """All cells in quotes: only there does an import keep a password's outer blanks."""
    value, text = _value(proxy, password), io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow(_cell(value[name]) for name in CSV_COLUMNS)
    return text.getvalue().encode()


def _cell(value: Any) -> str:
    """Labels as a JSON list, because any of them may hold any separator."""
    if value is None or value == []:
        return ""
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _json(proxy: Proxy, password: str | None) -> bytes:
    return orjson.dumps(_value(proxy, password))


def _json_line(proxy: Proxy, password: str | None) -> bytes:
    return _json(proxy, password) + b"\n"


def _value(proxy: Proxy, password: str | None) -> dict[str, Any]:
    return ProxyOut.of(proxy, password=password).model_dump(mode="json", by_alias=True)


class _Shape(NamedTuple):
    """How a format is written; ``row`` takes a proxy and its password, ``None`` if that is left out."""

    row: Callable[[Proxy, str | None], bytes]
    head: bytes = b""
    between: bytes = b""
    foot: bytes = b""


_SHAPES = {
    Format.LINES: _Shape(_line),
    Format.CSV: _Shape(_csv_row, head=",".join(CSV_COLUMNS).encode() + b"\n"),
    Format.JSON: _Shape(_json, head=b"[\n", between=b",\n", foot=b"\n]\n"),
    Format.NDJSON: _Shape(_json_line),
}
