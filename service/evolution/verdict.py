"""What an answer other than a good one means: a pure function from request, status and body to an error."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from service.errors import (
    EvolutionError,
    EvolutionNotFoundError,
    EvolutionRejectedError,
    EvolutionUnauthorizedError,
    EvolutionUnavailableError,
    EvolutionUnknownError,
)
from service.evolution.answers import error_text

REASON_LIMIT = 200
"""Longest reason of a refusal, in characters."""

INVALID_PROXY = "Invalid proxy"
"""What every failed proxy test answers (EVOLUTION.md, 22)."""

_REJECTIONS = frozenset({400, 403, 422})


@dataclass(frozen=True, slots=True)
class Request:
    """A call to make. ``path`` is sent as it is, percent-encoded already.

    ``limit`` is in seconds for the whole call, ``max_bytes`` bounds the answer after decompression. ``instance``
    is the name that a 404 must quote to count, ``secrets`` are masked in the reason of a refusal, like the key.
    """

    server: str
    call: str
    method: str
    path: str
    limit: float
    max_bytes: int = 1 << 20
    instance: str | None = None
    body: bytes | None = field(default=None, repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)

    @property
    def mutates(self) -> bool:
        return self.method == "POST"


def failure(request: Request, status: int, body: Any, key: str) -> EvolutionError:
    """The error that ``status`` (none of success) and the parsed ``body`` (``None`` if not JSON) mean.

    A 404, 400, 403 or 422 is Evolution's own word only in Evolution's shape, and a 404 only if it quotes the
    instance: an ingress, a firewall or a wrong path prefix answers them too, and must neither end a lease nor
    cost a proxy. A 400 with "Internal Server Error" comes from Evolution's body and path parsers, before any
    route, so it says nothing about the proxy. 408 and 5xx may be an ingress that lost patience while the change
    behind it is still being carried out.
    """
    if status == 401:
        return error(EvolutionUnauthorizedError, request, status)
    if status == 408 or status >= 500:
        return unanswered(request, "the server erred", status)
    text = error_text(body)
    if text is not None:
        if status == 404 and request.instance is not None and f'"{request.instance}"' in text:
            return error(EvolutionNotFoundError, request, status)
        if status in _REJECTIONS and request.mutates and body.get("error") != "Internal Server Error":
            return error(EvolutionRejectedError, request, status, _reason(text, (key, *request.secrets)))
    return error(EvolutionUnavailableError, request, status, "not an answer of this route")


def unanswered(request: Request, reason: str, status: int | None = None) -> EvolutionError:
    """No usable answer to a request that was sent: a change may have been made, a read has merely failed."""
    return error(EvolutionUnknownError if request.mutates else EvolutionUnavailableError, request, status, reason)


def error(
    kind: type[EvolutionError], request: Request, status: int | None = None, reason: str | None = None
) -> EvolutionError:
    """An error of ``kind`` with the params that are known; ``reason`` is ours or masked, never a body."""
    params = {
        "server": request.server,
        "call": request.call,
        "instance": request.instance,
        "status": status,
        "reason": reason,
    }
    return kind(**{name: value for name, value in params.items() if value is not None})


def _reason(text: str, secrets: tuple[str, ...]) -> str:
    """``text`` on one line without ``secrets``, cut after masking so that no half of one is left."""
    if text == INVALID_PROXY:
        return text
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = text.replace(secret, "***")
    return " ".join(text.split())[:REASON_LIMIT]
