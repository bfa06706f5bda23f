"""What requests share: the parts of the application, and who is asking."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from aiohttp import web

from service.audit import Comparison, EventFilter, Events, History, Ledger, LedgerFilter, ProxyIds, ProxySearch
from service.background import Loop
from service.control.controller import Controller
from service.control.jobs import Jobs
from service.messages import Locale
from service.pool.pool import Pool
from service.pool.sessions import Session
from service.pool.stream import EventId
from service.pool.tokens import Role, Token
from service.settings import Settings

SETTINGS: web.AppKey[Settings] = web.AppKey("settings", Settings)
POOL: web.AppKey[Pool] = web.AppKey("pool", Pool)
CONTROLLER: web.AppKey[Controller] = web.AppKey("controller", Controller)
JOBS: web.AppKey[Jobs] = web.AppKey("jobs", Jobs)


class Audit(Protocol):
    """What SQL answers. Each raises :class:`~service.errors.StoreUnavailableError` when it can't be reached in time,
    and :class:`~service.errors.InvalidInputError` for a ``before`` or ``after`` that was never given
    out."""

    async def events(self, wanted: EventFilter, *, before: str = "", limit: int) -> Events: ...

    async def ledger(self, wanted: LedgerFilter, *, before: str = "", limit: int) -> Ledger: ...

    async def history(self, since: int, until: int, step: int) -> History: ...

    async def search(self, wanted: ProxySearch, *, after: str = "", limit: int) -> ProxyIds: ...


AUDIT: web.AppKey[Audit] = web.AppKey("audit")


class Mirroring(Protocol):
    """What follows the pool into SQL. The service can do its work without it."""

    @property
    def loops(self) -> Sequence[Loop]: ...

    @property
    def lag(self) -> float | None:
        """Seconds since the oldest event that is not in SQL; ``None`` while that is not known."""

    @property
    def events(self) -> Mapping[str, int]:
        """By type, how many events this process has written into SQL."""

    @property
    def gaps(self) -> int:
        """How many gaps in the audit trail this process has reported."""

    async def snapshot(self, *, actor: str) -> Comparison:
        """Compares, repairs and writes the figures of now; an event. Raises :class:`~service.errors.EvoproxyError`."""


MIRROR: web.AppKey[Mirroring] = web.AppKey("mirror")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is asking: ``actor`` stands in the audit trail. Proved by ``token``, by ``session`` (then writes have to
    bring its ``csrf``), or, without either, by a JWT. ``expires_at`` in ms."""

    actor: str
    role: Role
    expires_at: int | None = None
    token: Token | None = None
    session: Session | None = None
    csrf: str | None = field(default=None, repr=False)

    @property
    def rate_limit(self) -> int | None:
        """Requests a minute, ``None`` for any number."""
        holder = self.token or self.session
        return holder.rate_limit if holder else None


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


async def as_of(request: web.Request, position: EventId) -> int:
    """In ms: SQL that held every event up to ``position`` lacks nothing older."""
    pool = request.app[POOL]
    now = pool.clock.now()
    waiting_since = await pool.waiting_since(position)
    return now if waiting_since is None else waiting_since


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
