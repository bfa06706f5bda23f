"""HTTP as a remote evoproxy speaks it: what is sent, and what its answers mean here."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote

import aiohttp
import orjson
from pydantic import BaseModel
from yarl import URL

from service import __version__
from service.cli import words
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
from service.web.requests import PageQuery
from service.web.routing import API

SILENCE = 120.0
"""Seconds without a byte, after which nobody answers any more: above the longest way of an assignment."""

WORKING = 900.0
"""The same where the answer comes at the end of a long work."""

_CONNECT = 10.0

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


class Client:
    """Certificates are verified; redirections are not followed, because the token would go with them."""

    def __init__(self, session: aiohttp.ClientSession, url: str, locale: Locale) -> None:
        self.locale: Locale = locale
        self._session = session
        self._url = url

    @classmethod
    @asynccontextmanager
    async def open(cls, url: str, token: str, locale: Locale) -> AsyncIterator[Client]:
        """``url`` is the base URL, normalised, or the API's own below it."""
        headers = {
            "Authorization": f"Bearer {token}",
            "Accept-Language": locale,
            "User-Agent": f"evoproxy/{__version__}",
        }
        async with aiohttp.ClientSession(headers=headers) as session:
            yield cls(session, url.removesuffix(API), locale)

    async def ask(
        self,
        method: str,
        path: str,
        query: BaseModel | None = None,
        body: BaseModel | None = None,
        *,
        silence: float | None = None,
    ) -> Document:
        """The JSON object that is answered. Raises as :meth:`asked`."""
        data = None
        if body is not None:  # what was set, also to null
            data = orjson.dumps(body.model_dump(mode="json", by_alias=True, exclude_unset=True))
        async with self.asked(method, path, query, data=data, silence=silence) as response:
            return await self.document(response)

    async def delete(self, path: str) -> None:
        """Raises as :meth:`asked`."""
        async with self.asked("DELETE", path):
            pass

    async def pages(self, path: str, query: PageQuery) -> AsyncGenerator[Document, None]:
        """The items of all pages. Raises as :meth:`asked`."""
        cursor: str | None = ""
        while cursor is not None:
            async with self.asked("GET", path, query.model_copy(update={"cursor": cursor})) as response:
                page = await self.document(response)
                if not (isinstance(page["items"], list) and all(isinstance(item, dict) for item in page["items"])):
                    raise self.no_evoproxy(response)
            for item in page["items"]:
                yield item
            cursor = page.get("nextCursor")

    @asynccontextmanager
    async def asked(
        self,
        method: str,
        path: str,
        query: BaseModel | None = None,
        *,
        data: bytes | AsyncIterator[bytes] | None = None,
        silence: float | None = None,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """An answer of success, whose body is still to be read. ``path`` is below the API, with what names hold
        quoted (:func:`segment`).

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
        except (aiohttp.ClientError, TimeoutError, UnicodeError) as error:  # UnicodeError: of a host that can be none
            if isinstance(error.__cause__, EvoproxyError):  # of what was to be sent
                raise error.__cause__ from None
            raise StoreUnavailableError("remote_unreachable", url=self._url, reason=_reason(error)) from None

    async def document(self, response: aiohttp.ClientResponse) -> Document:
        """Reading what it should hold and does not raises :class:`InvalidInputError` (no_evoproxy)."""
        found = await _object(response, "application/json")
        if found is None:
            raise self.no_evoproxy(response)
        return _Answer(found, self.no_evoproxy(response))

    def no_evoproxy(self, response: aiohttp.ClientResponse) -> EvoproxyError:
        """What something else answered: a proxy in between that can't reach evoproxy, or another server."""
        answer = f"{response.status} {response.content_type}"
        if response.status >= 500 or response.status == 429:
            return StoreUnavailableError("remote_unreachable", url=self._url, reason=answer)
        return InvalidInputError("no_evoproxy", url=self._url, answer=answer)

    async def _error(self, response: aiohttp.ClientResponse) -> EvoproxyError:
        """What the problem tells of, with the class that the same has here."""
        problem = await _object(response, "application/problem+json") or {}
        code, detail, status = problem.get("code"), problem.get("detail"), response.status
        if not (isinstance(code, str) and isinstance(detail, str) and detail):
            return self.no_evoproxy(response)
        named = {name: value for name, value in problem.items() if name not in _FRAME}
        wait = response.headers.get("Retry-After", "")
        if status == 429 and wait.isdecimal():
            named["detail"] = f"{detail}; {words.text('retry_after', self.locale, seconds=wait)}"
        error = _ERRORS.get(code, InvalidInputError if status in _OF_INPUT else RefusedError)
        return error(code, **named)


class _Answer(dict[str, Any]):
    """A document that somebody else wrote; what is not there is refused with ``refusal``."""

    def __init__(self, found: Mapping[str, Any], refusal: EvoproxyError) -> None:
        super().__init__(found)
        self._refusal = refusal

    def __missing__(self, name: str) -> Any:
        raise self._refusal


def segment(name: str) -> str:
    """``name`` as one segment of a path."""
    return quote(name, safe="")


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


def _reason(error: Exception) -> str:
    """In a few words: the class, where there are none."""
    if isinstance(error, TimeoutError):
        return "timeout"
    cause = getattr(error, "os_error", None) or getattr(error, "certificate_error", None) or error
    told = getattr(cause, "strerror", None) or getattr(cause, "message", None) or str(cause) or type(error).__name__
    return str(told).partition("\n")[0].rstrip(":")
