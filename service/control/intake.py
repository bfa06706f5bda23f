"""Importing proxies: from the bytes of a source into the pool, in batches and in bounded memory."""

from __future__ import annotations

import asyncio
import hashlib
import uuid
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

from service.control.import_report import ImportReport
from service.errors import InvalidInputError
from service.importing import Outcome, Parsed, ProxyReader, Rejected, Warned
from service.importing.fields import host_rank
from service.models import USABLE_PROTOCOLS, Protocol, ProxySpec
from service.pool.batches import Foretold, Imported
from service.pool.pool import Pool

Mode = Literal["add", "sync"]

BATCH = 50
"""Proxies a script call: some milliseconds of Redis' time (docs/figures.md)."""

LARGEST = 128 << 20
"""Bytes of one source: above two million lines. What is larger is most likely no list of proxies."""

_SLICE = 16384
_IP_LITERAL = 2
_REMEMBERED = 100_000
_DETAILS = ("password", "group", "labels", "expires_at")


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

    ``sync`` afterwards drains what the source did not name, unless a line was rejected: a damaged line may be that of
    a proxy in use, so nothing is drained then and the first warning (``not_drained``) says so. ``default_protocol``
    and ``group`` are for lines that name none. ``on_progress`` is told after each batch. With ``dry_run`` nothing
    changes. Calls with one ``op_id`` and the same source within ten minutes are one import.

    What was read before an error stays imported, and nothing is drained then: the same import again finishes it.
    Raises :class:`InvalidInputError` for a source that is no text, or for a sync that names no proxy;
    :class:`service.errors.StoreUnavailableError`; whatever ``chunks`` raises.
    """
    report = ImportReport(dry_run)
    sink: _Sink = _DryRun(pool) if dry_run else _Import(pool, await _stamp(pool, op_id), actor)
    batch: list[_Line] = []

    async def write() -> None:
        answers = await sink.write([line.parsed for line in batch])
        for line, imported in zip(batch, answers, strict=True):
            warnings = [*line.warnings, *_warnings(line.parsed, imported, pool.clock.now())]
            report.accept(line.parsed, imported, warnings)
        batch.clear()
        if on_progress is not None:
            on_progress(report)

    async for outcome in _outcomes(chunks, ProxyReader(protocol=default_protocol, group=group)):
        match outcome:
            case Parsed():
                if len(batch) >= BATCH:
                    await write()
                batch.append(_Line(outcome))
            case Rejected():
                report.reject(outcome)
            case Warned() if batch and batch[-1].parsed.line == outcome.line:
                batch[-1].warnings.append(outcome)
            case Warned():
                report.warn(outcome)
    if batch:
        await write()
    if mode == "sync":
        if not report.accepted:
            raise InvalidInputError(field="file", reason="names_no_proxy")
        if report.rejected:
            line = report.rejected[0].line
            report.warn(Warned(line, "not_drained", "a sync drains nothing while a line is rejected"), first=True)
        else:
            await sink.drain(report)
        if on_progress is not None:
            on_progress(report)
    return report


@dataclass(frozen=True, slots=True)
class _Line:
    """A line that waits to be written, with what was said of it."""

    parsed: Parsed
    warnings: list[Warned] = field(default_factory=list)


async def _outcomes(chunks: AsyncIterable[bytes], reader: ProxyReader) -> AsyncIterator[Outcome]:
    """In slices, with a turn for everybody else after each: reading is the CPU's work."""
    async for chunk in chunks:
        for start in range(0, len(chunk), _SLICE):
            for outcome in reader.feed(chunk[start : start + _SLICE]):
                yield outcome
            await asyncio.sleep(0)
    for outcome in reader.close():
        yield outcome


async def _stamp(pool: Pool, op_id: str | None) -> str:
    """What marks the proxies that this import names.

    It lives as long as the answer to ``op_id``: the mark of yesterday's import under the same id is still on all that
    it named, and a sync would take that for named again.
    """
    stamp = uuid.uuid4().hex
    if op_id is None:
        return stamp
    if kept := await pool.answer_to(f"{op_id}:stamp"):
        return kept[0]
    await pool.keep_answer(f"{op_id}:stamp", stamp)
    return stamp


def _expired(spec: ProxySpec, now: int) -> bool:
    return spec.expires_at is not None and spec.expires_at <= now


def _warnings(parsed: Parsed, imported: Imported, now: int) -> Iterator[Warned]:
    """What only the pool and the clock know of a proxy."""
    if imported.other_protocols:
        others = ", ".join(imported.other_protocols)
        reason = f"the pool knows this address as {others} too; two numbers would share one exit"
        yield Warned(parsed.line, "shared_address", reason)
    if _expired(parsed.spec, now):
        yield Warned(parsed.line, "expired", "the proxy has expired already; it stays disabled")
    elif imported.word != "disabled" and imported.status == "disabled" and parsed.spec.protocol in USABLE_PROTOCOLS:
        yield Warned(parsed.line, "still_disabled", "known and disabled; an import enables nothing")


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
        op_id = f"{self._stamp}:{self._batches}:{self._digest(specs)}"
        return await self._pool.import_proxies(specs, stamp=self._stamp, actor=self._actor, op_id=op_id)

    def _digest(self, specs: list[ProxySpec]) -> str:
        """Another content is another operation. Passwords by fingerprint: the operation's id is a name in Redis."""
        fingerprint = self._pool.vault.fingerprint
        told = [(one.id, fingerprint(one.password), one.group, one.labels, one.expires_at) for one in specs]
        return hashlib.sha256(repr(told).encode()).hexdigest()[:16]

    async def drain(self, report: ImportReport) -> None:
        cursor = ""
        while True:
            cursor, count = await self._pool.sync(stamp=self._stamp, cursor=cursor, limit=BATCH, actor=self._actor)
            report.drained += count
            if not cursor:
                return


class _DryRun:
    """Foretells what :class:`_Import` would do, without a lock on anything.

    Of a proxy that the source names twice the second naming is held against the first, as far as the first hundred
    thousand that would change the pool.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._named: set[str] = set()
        self._written: dict[str, ProxySpec] = {}
        self._addresses: set[tuple[str, Protocol]] = set()

    async def write(self, batch: list[Parsed]) -> list[Foretold]:
        foretold = await self._pool.preview([parsed.spec for parsed in batch])
        return [self._after(parsed.spec, imported) for parsed, imported in zip(batch, foretold, strict=True)]

    def _after(self, spec: ProxySpec, imported: Foretold) -> Foretold:
        """What becomes of ``imported``, foretold by the pool as it is, after the lines before it.

        ``duplicate`` is what they leave unchanged of a proxy that they named.
        """
        earlier = self._written.get(spec.id)
        again = earlier is not None or spec.id in self._named
        if imported.status:
            self._named.add(spec.id)
        if earlier is not None:
            spec = _over(earlier, spec)
            changed = tuple(name for name in _DETAILS if getattr(spec, name) != getattr(earlier, name))
            imported = replace(imported, word="updated" if changed else "unchanged", changed=changed)
        elif imported.word == "added" and _expired(spec, self._pool.clock.now()):
            imported = replace(imported, word="disabled")
        others = [
            str(protocol)
            for protocol in Protocol
            if protocol in imported.other_protocols
            or (protocol is not spec.protocol and (spec.host, protocol) in self._addresses)
        ]
        if again and imported.word == "unchanged":
            imported = replace(imported, word="duplicate")
        elif earlier is not None or (imported.word != "unchanged" and len(self._written) < _REMEMBERED):
            self._written[spec.id] = spec
            if host_rank(spec.host) == _IP_LITERAL:
                self._addresses.add((spec.host, spec.protocol))
        return replace(imported, other_protocols=tuple(others))

    async def drain(self, report: ImportReport) -> None:
        cursor = ""
        while True:
            cursor, proxies = await self._pool.page(cursor, BATCH)
            for proxy in proxies:
                if proxy.active and proxy.id not in self._named:
                    report.drain(proxy)
            if not cursor:
                return


def _over(earlier: ProxySpec, spec: ProxySpec) -> ProxySpec:
    """What the pool holds after both: an import keeps the details that a line does not name."""
    return replace(
        spec,
        password=spec.password or earlier.password,
        group=spec.group or earlier.group,
        labels=spec.labels or earlier.labels,
        expires_at=earlier.expires_at if spec.expires_at is None else spec.expires_at,
    )


_Sink = _Import | _DryRun
