"""What requests share: the parts of the application, and who is asking."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from aiohttp import web

from service.audit import Comparison, EventFilter, Events, History, Ledger, LedgerFilter
from service.background import Loop
from service.control.controller import Controller
from service.messages import Locale
from service.pool.pool import Pool
from service.pool.tokens import Role
from service.settings import Settings

SETTINGS: web.AppKey[Settings] = web.AppKey("settings", Settings)
POOL: web.AppKey[Pool] = web.AppKey("pool", Pool)
CONTROLLER: web.AppKey[Controller] = web.AppKey("controller", Controller)


class Audit(Protocol):
    """What SQL answers. Each raises :class:`~service.errors.StoreUnavailableError` when it can't be reached in time,
    and :class:`~service.errors.InvalidInputError` for a ``before`` that was never given out."""

    async def events(self, wanted: EventFilter, *, before: str = "", limit: int) -> Events: ...

    async def ledger(self, wanted: LedgerFilter, *, before: str = "", limit: int) -> Ledger: ...

    async def history(self, since: int, until: int, step: int) -> History: ...


AUDIT: web.AppKey[Audit] = web.AppKey("audit")


class Mirroring(Protocol):
    """What follows the pool into SQL. The service can do its work without it."""

    @property
    def loops(self) -> Sequence[Loop]: ...

    @property
    def lag(self) -> float | None:
        """Seconds since the oldest event that is not in SQL; ``None`` while that is not known."""

    async def snapshot(self) -> Comparison:
        """Compares, repairs and writes the figures of now. Raises :class:`~service.errors.EvoproxyError`."""


MIRROR: web.AppKey[Mirroring] = web.AppKey("mirror")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is asking: ``actor`` stands in the audit trail."""

    actor: str
    role: Role


CALLER: web.RequestKey[Caller] = web.RequestKey("caller", Caller)
REQUEST_ID: web.RequestKey[str] = web.RequestKey("request_id", str)


def actor(request: web.Request) -> str:
    return request[CALLER].actor


def operation_id(request: web.Request) -> str | None:
    """The id of the operation that an ``Idempotency-Key`` names, for this caller and route; ``None`` without one."""
    key = request.headers.get("Idempotency-Key")
    if not key:
        return None
    text = "\n".join((actor(request), request.method, request.rel_url.raw_path_qs, key))
    return "http:" + hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()[:40]


def locale(request: web.Request) -> Locale:
    """The language that the reader prefers, of those that we speak; else that of the settings."""
    wishes: list[tuple[float, int, str]] = []
    for part in request.headers.get("Accept-Language", "").split(","):
        tag, _, weight = "".join(part.split()).lower().partition(";q=")
        try:
            wishes.append((-float(weight or 1), len(wishes), tag))
        except ValueError:
            continue
    for negated, _, tag in sorted(wishes):
        if negated < 0 and tag.partition("-")[0] in ("pt", "en"):
            return "en" if tag.startswith("en") else "pt-BR"
    return request.app[SETTINGS].locale
