"""One HTTP exchange with an Evolution server: its limits, and errors that hold nothing of it.

No exception raised here carries or chains an upstream body, a header or a URL: aiohttp's errors know the key, and
bodies hold every password (EVOLUTION.md, part C 10). Ours are therefore raised outside of ``except``.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeVar

import aiohttp
import orjson
from pydantic import SecretStr
from yarl import URL

from service.errors import EvolutionUnavailableError, EvoproxyError, InvalidInputError
from service.evolution import verdict
from service.evolution.answers import UnknownShapeError
from service.evolution.verdict import Request
from service.urls import normalise_url

T = TypeVar("T")

OnCall = Callable[[str, str, float], None]
"""Told after each call: its name, ``ok`` or the error's code (``cancelled`` if the caller left), its seconds."""

_CHUNK = 65536
_KEEPALIVE = 4.0
"""Seconds that an idle connection is kept: Node closes one after 5, and a set sent into that close is unknown."""


@asynccontextmanager
async def open_session(connections: int) -> AsyncIterator[aiohttp.ClientSession]:
    """A session for one server: at most ``connections`` at once, no cookies, no proxy from the environment."""
    connector = aiohttp.TCPConnector(limit=connections, keepalive_timeout=_KEEPALIVE)
    async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as session:
        yield session


class Transport:
    """Sends requests to one server; everything but a good answer becomes an :class:`~service.errors.EvolutionError`."""

    def __init__(
        self,
        base_url: str,
        api_key: SecretStr,
        session: aiohttp.ClientSession,
        connect_limit: float,
        on_call: OnCall | None,
    ) -> None:
        key = api_key.get_secret_value()
        if not (key and key.isascii() and key.isprintable()):
            raise InvalidInputError(field="apiKey", reason="must be printable ASCII and not empty")
        self._base = _base(base_url)
        self._key = api_key
        self._session = session
        self._connect_limit = connect_limit
        self._on_call = on_call

    async def send(self, request: Request, read: Callable[[Any], T]) -> T:
        """``read`` of the JSON answer. Raises what :class:`~service.evolution.client.EvolutionClient` promises."""
        started = time.monotonic()
        outcome = "internal"
        try:
            status, body = await self._exchange(request)
            answer = self._judge(request, status, body, read)
            outcome = "ok"
            return answer
        except EvoproxyError as error:
            outcome = error.code
            raise
        except asyncio.CancelledError:
            outcome = "cancelled"
            raise
        finally:
            if self._on_call is not None:
                self._on_call(request.call, outcome, time.monotonic() - started)

    async def _exchange(self, request: Request) -> tuple[int, bytes]:
        """Status and whole body of the answer."""
        headers = {"apikey": self._key.get_secret_value(), "Accept": "application/json", "Accept-Encoding": "gzip"}
        if request.body is not None:
            headers["Content-Type"] = "application/json"
        limits = aiohttp.ClientTimeout(total=request.limit, connect=min(self._connect_limit, request.limit))
        try:
            async with self._session.request(
                request.method,
                URL(self._base + request.path, encoded=True),  # yarl would decode and normalise names (EVOLUTION.md, 9)
                data=request.body,
                headers=headers,
                timeout=limits,
                allow_redirects=False,
                raise_for_status=False,
            ) as response:
                body = await _bounded(response, request.max_bytes)
                if body is not None:
                    return response.status, body
            failure = verdict.unanswered(request, "the answer is too large")
        except (aiohttp.ConnectionTimeoutError, aiohttp.ClientConnectorError):
            failure = verdict.error(EvolutionUnavailableError, request, reason="no connection")
        except TimeoutError:
            failure = verdict.unanswered(request, "no answer in time")
        except (aiohttp.ClientError, OSError):
            failure = verdict.unanswered(request, "the connection broke")
        raise failure

    def _judge(self, request: Request, status: int, body: bytes, read: Callable[[Any], T]) -> T:
        fault, parsed = "", None
        try:
            parsed = orjson.loads(body)
        except orjson.JSONDecodeError:  # holds the body: not to be chained
            fault = "not JSON"
        if not 200 <= status < 300:
            raise verdict.failure(request, status, parsed, self._key.get_secret_value())
        if not fault:
            try:
                return read(parsed)
            except UnknownShapeError as unknown:
                fault = str(unknown)
        raise verdict.unanswered(request, fault, status)


async def _bounded(response: aiohttp.ClientResponse, limit: int) -> bytes | None:
    """The body, decompressed; ``None`` when it is longer than ``limit`` bytes."""
    body = bytearray()
    async for chunk in response.content.iter_chunked(_CHUNK):
        body += chunk
        if len(body) > limit:
            response.close()
            return None
    return bytes(body)


def _base(base_url: str) -> str:
    """``base_url`` normalised and percent-encoded, without a slash at the end."""
    reason = "names no host that can be read"
    try:
        normalised = normalise_url(base_url)
    except ValueError as error:
        reason = str(error)
    else:
        with suppress(ValueError):  # yarl's text would quote the URL
            return str(URL(normalised)).rstrip("/")
    raise InvalidInputError(field="baseUrl", reason=reason)
