"""What a command works on: the stores themselves, or a remote evoproxy. Requests and answers are those of the HTTP API,
so that a command is the same on both."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, Callable, Mapping
from typing import Any, Protocol, TypeVar

from pydantic import BaseModel

from service.messages import Locale
from service.web.checks import checked
from service.web.export import Part
from service.web.requests import (
    BrakeRelease,
    Change,
    Choice,
    DriftQuery,
    EventQuery,
    ExportQuery,
    ImportQuery,
    InstanceQuery,
    LedgerQuery,
    ProxyQuery,
    TokenRequest,
)

Document = Mapping[str, Any]
"""An answer of the API: JSON in camelCase."""

LARGEST_PAGE = 500

Q = TypeVar("Q", bound=BaseModel)


class Backend(Protocol):
    """Each method is one route. A list comes whole, in pages of its query's ``limit``.

    Each raises :class:`~service.errors.EvoproxyError`; what a remote evoproxy told in words brings them as ``detail``.
    """

    @property
    def locale(self) -> Locale:
        """The language of all that is told."""

    async def stats(self) -> Document: ...

    def servers(self) -> AsyncGenerator[Document, None]: ...

    def proxies(self, query: ProxyQuery) -> AsyncGenerator[Document, None]: ...

    def instances(self, query: InstanceQuery) -> AsyncGenerator[Document, None]: ...

    def drift(self, query: DriftQuery) -> AsyncGenerator[Document, None]: ...

    def events(self, query: EventQuery) -> AsyncGenerator[Document, None]: ...

    def ledger(self, query: LedgerQuery) -> AsyncGenerator[Document, None]: ...

    async def assign(self, instance: str, server: str | None, choice: Choice) -> Document: ...

    async def rotate(self, instance: str, server: str | None, choice: Choice) -> Document: ...

    async def release(self, instance: str, server: str | None, *, force: bool) -> Document: ...

    async def repair(self, drift: str) -> Document: ...

    async def disable(self, proxy: str, *, force: bool) -> Document: ...

    async def enable(self, proxy: str) -> Document: ...

    async def edit(self, proxy: str, change: Change) -> Document: ...

    async def remove(self, proxy: str) -> None: ...

    async def reveal(self, proxy: str) -> Document: ...

    def jobs(self) -> AsyncGenerator[Document, None]: ...

    async def job(self, job: str) -> Document: ...

    async def cancel_job(self, job: str) -> None: ...

    async def ignore(self, server: str, *, ignored: bool) -> Document: ...

    async def forget(self, server: str) -> Document: ...

    async def populate(self, chunks: AsyncIterable[bytes], query: ImportQuery, tell: Callable[[int], None]) -> Document:
        """``tell`` is told how many lines or proxies are done."""

    def export(self, query: ExportQuery) -> AsyncGenerator[Part, None]: ...

    async def snapshot(self) -> Document: ...

    async def pause(self, *, paused: bool) -> Document: ...

    async def release_brake(self, request: BrakeRelease) -> Document: ...

    def tokens(self) -> AsyncGenerator[Document, None]: ...

    async def create_token(self, request: TokenRequest) -> Document: ...

    async def revoke_token(self, name: str) -> None: ...


def asked(model: type[Q], locale: Locale, **values: object) -> Q:
    """A request of the values that are given, under the API's names; what is ``None`` is not.

    Raises :class:`~service.errors.InvalidInputError`, in words.
    """
    given = {name: value for name, value in values.items() if value is not None}
    return checked(locale, lambda: model.model_validate(given))
