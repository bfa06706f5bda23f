"""Importing proxies: from the bytes of a source into the pool, in batches and in bounded memory."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterable, AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Literal

from service.errors import InvalidInputError
from service.importing import Outcome, Parsed, ProxyReader, Rejected, Warned
from service.models import Protocol
from service.pool.models import Imported
from service.pool.pool import Pool

Mode = Literal["add", "sync"]

BATCH = 500
"""Proxies a script call: some ten milliseconds of Redis' time."""

REMARKS_KEPT = 1000
"""Refusals and warnings that a report lists of each; beyond it they are only counted."""

_SLICE = 16384
_REMEMBERED = 1_000_000


@dataclass(slots=True)
class ImportReport:
    """What an import did, or in a dry run would do.

    ``added`` includes those that are kept ``disabled`` because the Evolution API can't use them; ``drained`` counts
    what a sync took out of use. ``rejected`` and ``warnings`` hold the first :data:`REMARKS_KEPT` lines, their
    counts all.
    """

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    disabled: int = 0
    drained: int = 0
    rejected: list[Rejected] = field(default_factory=list)
    rejected_count: int = 0
    warnings: list[Warned] = field(default_factory=list)
    warnings_count: int = 0

    @property
    def accepted(self) -> int:
        """Lines that gave a proxy."""
        return self.added + self.updated + self.unchanged

    def count(self, imported: Imported) -> None:
        match imported.word:
            case "updated":
                self.updated += 1
            case "unchanged":
                self.unchanged += 1
            case _:
                self.added += 1
                self.disabled += imported.word == "disabled"

    def reject(self, rejected: Rejected) -> None:
        self.rejected_count += 1
        if len(self.rejected) < REMARKS_KEPT:
            self.rejected.append(rejected)

    def warn(self, warned: Warned) -> None:
        self.warnings_count += 1
        if len(self.warnings) < REMARKS_KEPT:
            self.warnings.append(warned)


async def import_proxies(
    pool: Pool,
    chunks: AsyncIterable[bytes],
    *,
    actor: str,
    mode: Mode = "add",
    dry_run: bool = False,
    default_protocol: Protocol = Protocol.HTTP,
    group: str = "",
    on_progress: Callable[[ImportReport], None] | None = None,
    op_id: str | None = None,
) -> ImportReport:
    """Reads ``chunks`` (cut anywhere) as any of the vendors' formats and brings every good line into the pool.

    ``sync`` afterwards drains what the source did not name. ``default_protocol`` and ``group`` are for lines that
    name none. ``on_progress`` is told after each batch. With ``dry_run`` nothing changes. Calls with one ``op_id``
    and the same source are one import.

    What was read before an error stays imported, and nothing is drained then: the same import again finishes it.
    Raises :class:`InvalidInputError` for a source that is no text, or for a sync that names no proxy;
    :class:`service.errors.StoreUnavailableError`; whatever ``chunks`` raises.
    """
    report = ImportReport()
    stamp = op_id or uuid.uuid4().hex
    sink: _Sink = _DryRun(pool) if dry_run else _Import(pool, stamp, actor)
    batch: list[Parsed] = []

    async def write() -> None:
        for parsed, imported in zip(batch, await sink.write(batch), strict=True):
            report.count(imported)
            if imported.other_protocols:
                others = ", ".join(imported.other_protocols)
                reason = f"the pool knows this address as {others} too; two numbers would share one exit"
                report.warn(Warned(parsed.line, "shared_address", reason))
        batch.clear()
        if on_progress is not None:
            on_progress(report)

    async for outcome in _outcomes(chunks, ProxyReader(protocol=default_protocol, group=group)):
        match outcome:
            case Parsed():
                batch.append(outcome)
                if len(batch) >= BATCH:
                    await write()
            case Rejected():
                report.reject(outcome)
            case Warned():
                report.warn(outcome)
    if batch:
        await write()
    if mode == "sync":
        if not report.accepted:
            raise InvalidInputError(field="file", reason="names no proxy; a sync would drain the whole pool")
        report.drained = await sink.drain()
        if on_progress is not None:
            on_progress(report)
    return report


async def _outcomes(chunks: AsyncIterable[bytes], reader: ProxyReader) -> AsyncIterator[Outcome]:
    """In slices, with a turn for everybody else after each: reading is the CPU's work."""
    async for chunk in chunks:
        for start in range(0, len(chunk), _SLICE):
            for outcome in reader.feed(chunk[start : start + _SLICE]):
                yield outcome
            await asyncio.sleep(0)
    for outcome in reader.close():
        yield outcome


class _Import:
    """Writes batches into the pool. The stamp says which proxies this import named."""

    def __init__(self, pool: Pool, stamp: str, actor: str) -> None:
        self._pool = pool
        self._stamp = stamp
        self._actor = actor
        self._batches = 0

    async def write(self, batch: list[Parsed]) -> list[Imported]:
        self._batches += 1
        specs = [parsed.spec for parsed in batch]
        op_id = f"{self._stamp}:{self._batches}"
        return await self._pool.import_proxies(specs, stamp=self._stamp, actor=self._actor, op_id=op_id)

    async def drain(self) -> int:
        cursor, drained = "", 0
        while True:
            cursor, count = await self._pool.sync(stamp=self._stamp, cursor=cursor, limit=BATCH, actor=self._actor)
            drained += count
            if not cursor:
                return drained


class _DryRun:
    """Foretells what :class:`_Import` would do, without a lock on anything.

    Of a proxy that the source names twice the second naming is ``unchanged``, as far as the first million new ones.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._new: set[str] = set()
        self._named: set[str] = set()

    async def write(self, batch: list[Parsed]) -> list[Imported]:
        answers = []
        foretold = await self._pool.preview([parsed.spec for parsed in batch])
        for parsed, imported in zip(batch, foretold, strict=True):
            proxy_id = parsed.spec.id
            if imported.status:
                self._named.add(proxy_id)
            elif proxy_id in self._new:
                imported = Imported("unchanged", "", imported.other_protocols)
            elif len(self._new) < _REMEMBERED:
                self._new.add(proxy_id)
            answers.append(imported)
        return answers

    async def drain(self) -> int:
        cursor, drained = "", 0
        while True:
            cursor, proxies = await self._pool.page(cursor, BATCH)
            drained += sum(proxy.active and proxy.id not in self._named for proxy in proxies)
            if not cursor:
                return drained


_Sink = _Import | _DryRun
