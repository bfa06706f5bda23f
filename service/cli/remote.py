"""A remote evoproxy, by its HTTP API: what ``--url`` and ``--token`` name."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote

import aiohttp
import orjson
from pydantic import BaseModel
from yarl import URL

from service import __version__
from service.cli.backend import Document
from service.errors import (
    EvolutionUnauthorizedError,
    EvolutionUnavailableError,
    EvolutionUnknownError,
    EvoproxyError,
    InvalidInputError,
    RefusedError,
    StoreUnavailableError,
)
from service.messages import Locale
from service.web.export import Format, Part
from service.web.requests import (
    BrakeRelease,
    Choice,
    EventQuery,
    ExportQuery,
    ImportQuery,
    InstanceQuery,
    LedgerQuery,
    PageQuery,
    ProxyQuery,
    ReleaseQuery,
    ServerQuery,
    TokenRequest,
)
from service.web.routing import API

SILENCE = 120.0
"""Seconds without a byte, after which nobody answers any more: above the longest way of an assignment."""

WORKING = 900.0
"""The same where the answer comes at the end of a long work."""

_CONNECT = 10.0
_OF_PROXY = {Format.LINES: b"", Format.CSV: b'"', Format.JSON: b"{", Format.NDJSON: b"{"}
"""How a line begins that is a proxy, and neither head nor foot."""

_ERRORS: dict[str, type[EvoproxyError]] = {
    **{
        error.code: error
        for error in (
            EvolutionUnauthorizedError,
            EvolutionUnavailableError,
            EvolutionUnknownError,
            StoreUnavailableError,
        )
    },
    "internal": StoreUnavailableError,
    "not_configured": InvalidInputError,
    "unknown_route": InvalidInputError,
}
_OF_INPUT = frozenset({400, 401, 403, 405, 413, 415, 422})
_FRAME = frozenset({"type", "title", "status", "code", "requestId"})
"""Members of a problem that do not name what it is about."""


class Remote:
    """The audit trail says ``token:<name>``. Certificates are verified; redirections are not followed, because the
    token would go with them."""

    def __init__(self, session: aiohttp.ClientSession, url: str, locale: Locale) -> None:
        self.locale: Locale = locale
        self._session = session
        self._url = url

    @classmethod
    @asynccontextmanager
    async def open(cls, url: str, token: str, locale: Locale) -> AsyncIterator[Remote]:
        """``url`` is the base URL, normalised."""
        headers = {
            "Authorization": f"Bearer {token}",
            "Accept-Language": locale,
            "User-Agent": f"evoproxy/{__version__}",
        }
        async with aiohttp.ClientSession(headers=headers) as session:
            yield cls(session, url, locale)

    async def stats(self) -> Document:
        return await self._ask("GET", "/stats")

    def proxies(self, query: ProxyQuery) -> AsyncGenerator[Document, None]:
        return self._pages("/proxies", query)

    def instances(self, query: InstanceQuery) -> AsyncGenerator[Document, None]:
        return self._pages("/instances", query)

    def events(self, query: EventQuery) -> AsyncGenerator[Document, None]:
        return self._pages("/events", query)

    def ledger(self, query: LedgerQuery) -> AsyncGenerator[Document, None]:
        return self._pages("/ledger", query)

    async def assign(self, instance: str, server: str | None, choice: Choice) -> Document:
        return await self._ask("POST", f"/instances/{_segment(instance)}/proxy", ServerQuery(server=server), choice)

    async def rotate(self, instance: str, server: str | None, choice: Choice) -> Document:
        path = f"/instances/{_segment(instance)}/proxy/rotate"
        return await self._ask("POST", path, ServerQuery(server=server), choice)

    async def release(self, instance: str, server: str | None, *, force: bool) -> Document:
        query = ReleaseQuery(server=server, force=force)
        return await self._ask("DELETE", f"/instances/{_segment(instance)}/proxy", query)

    async def set_active(self, proxy: str, *, active: bool) -> Document:
        return await self._ask("POST", f"/proxies/{_segment(proxy)}/{'enable' if active else 'disable'}")

    async def populate(self, chunks: AsyncIterable[bytes], query: ImportQuery, tell: Callable[[int], None]) -> Document:
        async def upload() -> AsyncIterator[bytes]:
            lines = 0
            async for chunk in chunks:
                yield chunk
                tell(lines := lines + chunk.count(b"\n"))

        async with self._asked("POST", "/proxies/import", query, data=upload(), silence=WORKING) as response:
            return await self._document(response)

    async def export(self, query: ExportQuery) -> AsyncGenerator[Part, None]:
        begins = _OF_PROXY[query.format]
        async with self._asked("GET", "/export", query) as response:
            if "Content-Disposition" not in response.headers:
                raise self._no_evoproxy(response)
            async for line in response.content:
                yield Part(line, int(line.startswith(begins)))

    async def snapshot(self) -> Document:
        return await self._ask("POST", "/snapshots", silence=WORKING)

    async def pause(self, *, paused: bool) -> Document:
        return await self._ask("POST", "/pause" if paused else "/resume")

    async def release_brake(self, request: BrakeRelease) -> Document:
        return await self._ask("POST", "/brake/release", body=request)

    def tokens(self) -> AsyncGenerator[Document, None]:
        return self._pages("/tokens", PageQuery())

    async def create_token(self, request: TokenRequest) -> Document:
        return await self._ask("POST", "/tokens", body=request)

    async def revoke_token(self, name: str) -> None:
        async with self._asked("DELETE", f"/tokens/{_segment(name)}"):
            pass

    async def _pages(self, path: str, query: PageQuery) -> AsyncGenerator[Document, None]:
        cursor: str | None = ""
        while cursor is not None:
            async with self._asked("GET", path, query.model_copy(update={"cursor": cursor})) as response:
                page = await self._document(response)
                if not isinstance(page.get("items"), list):
                    raise self._no_evoproxy(response)
            for item in page["items"]:
                yield item
            cursor = page.get("nextCursor")

    async def _ask(
        self,
        method: str,
        path: str,
        query: BaseModel | None = None,
        body: BaseModel | None = None,
        *,
        silence: float | None = None,
    ) -> Document:
        data = None if body is None else orjson.dumps(_given(body))
        async with self._asked(method, path, query, data=data, silence=silence) as response:
            return await self._document(response)

    @asynccontextmanager
    async def _asked(
        self,
        method: str,
        path: str,
        query: BaseModel | None = None,
        *,
        data: bytes | AsyncIterator[bytes] | None = None,
        silence: float | None = None,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """An answer of success, whose body is still to be read.

        Raises :class:`StoreUnavailableError` (remote_unreachable), :class:`InvalidInputError` (no_evoproxy), and the
        error that a problem tells of.
        """
        url = URL(self._url + API + path, encoded=True).with_query(_texts(_given(query)))
        media_type = "application/json" if isinstance(data, bytes) else "application/octet-stream"
        headers = {"Content-Type": media_type} if data is not None else {}
        limits = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT, sock_read=silence or SILENCE)
        options: dict[str, Any] = {"headers": headers, "timeout": limits, "allow_redirects": False}
        try:
            async with self._session.request(method, url, data=data, **options) as response:
                if response.status >= 300:
                    raise await self._error(response)
                yield response
        except (aiohttp.ClientError, TimeoutError) as error:
            if isinstance(error.__cause__, EvoproxyError):  # of what was to be sent
                raise error.__cause__ from None
            raise StoreUnavailableError("remote_unreachable", url=self._url, reason=_reason(error)) from None

    async def _document(self, response: aiohttp.ClientResponse) -> dict[str, Any]:
        found = await _object(response, "application/json")
        if found is None:
            raise self._no_evoproxy(response)
        return found

    async def _error(self, response: aiohttp.ClientResponse) -> EvoproxyError:
        """What the problem tells of, with the class that the same has here."""
        problem = await _object(response, "application/problem+json")
        if problem is None or not {"code", "detail"} <= problem.keys():
            return self._no_evoproxy(response)
        code, status = str(problem["code"]), response.status
        named = {name: value for name, value in problem.items() if name not in _FRAME}
        error = _ERRORS.get(code, InvalidInputError if status in _OF_INPUT else RefusedError)
        return error(code, **named)

    def _no_evoproxy(self, response: aiohttp.ClientResponse) -> EvoproxyError:
        """What something else answered: a proxy in between that can't reach evoproxy, or another server."""
        answer = f"{response.status} {response.content_type}"
        if response.status >= 500:
            return StoreUnavailableError("remote_unreachable", url=self._url, reason=answer)
        return InvalidInputError("no_evoproxy", url=self._url, answer=answer)


def _given(value: BaseModel | None) -> dict[str, Any]:
    """What is not left to the service, under the API's names."""
    return {} if value is None else value.model_dump(mode="json", by_alias=True, exclude_defaults=True)


def _texts(values: Mapping[str, Any]) -> dict[str, str]:
    return {name: value if isinstance(value, str) else orjson.dumps(value).decode() for name, value in values.items()}


async def _object(response: aiohttp.ClientResponse, media_type: str) -> dict[str, Any] | None:
    """The JSON object in the body; ``None`` if it is none."""
    if response.content_type != media_type:
        return None
    try:
        found = orjson.loads(await response.read())
    except orjson.JSONDecodeError:
        return None
    return found if isinstance(found, dict) else None


def _segment(name: str) -> str:
    return quote(name, safe="")


def _reason(error: Exception) -> str:
    """In a few words: the class, where there are none."""
    if isinstance(error, TimeoutError):
        return "timeout"
    cause = getattr(error, "os_error", None) or getattr(error, "certificate_error", None) or error
    return getattr(cause, "strerror", None) or str(cause) or type(error).__name__
