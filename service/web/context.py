"""What requests share: the parts of the application, and who is asking."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from aiohttp import web

from service.control.controller import Controller
from service.messages import Locale
from service.pool.pool import Pool
from service.pool.tokens import Role
from service.settings import Settings

SETTINGS: web.AppKey[Settings] = web.AppKey("settings", Settings)
POOL: web.AppKey[Pool] = web.AppKey("pool", Pool)
CONTROLLER: web.AppKey[Controller] = web.AppKey("controller", Controller)


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
