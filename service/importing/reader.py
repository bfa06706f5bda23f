"""Bytes in, proxies out: the encoding, the format, and the way of each line through the checks."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Callable, Iterable, Iterator

from service.errors import InvalidInputError
from service.importing import records, text
from service.importing.draft import Draft, Reading, check
from service.importing.lines import Lines
from service.importing.majority import Decided, Majority
from service.importing.outcomes import LineError, Outcome, Parsed, Rejected, Warned
from service.importing.records import Elements
from service.importing.table import Table
from service.models import Protocol

SNIFF_BYTES = 8192
"""How much of a source is looked at to tell its encoding and format."""

_SLICE = 65536
_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (codecs.BOM_UTF8, "utf-8-sig"),
)
_ZIP = b"PK\x03\x04"
"""How an .xlsx or .ods begins."""

_JSON_LINES = re.compile(r"\s*\{[^\n]*\}[ \t]*\n\s*\{")
_JSON = re.compile(r'\s*(?:\{|\[\s*(?:[\["{\]]|$))')
_DAMAGED = "\N{REPLACEMENT CHARACTER}"


class ProxyReader:
    """Reads one source in chunks of any size; where they are cut makes no difference.

    Text lines, CSV with a header, JSON and JSON lines are told apart by the first ``SNIFF_BYTES``, never by a file
    name or content type, which are often wrong. UTF-8 is expected; UTF-16 and UTF-32 are read when they begin with
    a byte order mark. ``protocol`` and ``group`` are for proxies whose source names none.

    Outcomes come in the order of the lines; warnings follow the proxy they are about. A bad line costs no other.
    Memory is bounded by the longest chunk, element and look-ahead, not by the source; a proxy named twice comes
    twice. The only exception is ``InvalidInputError`` for a source that is no text.
    """

    def __init__(self, *, protocol: Protocol = Protocol.HTTP, group: str = "") -> None:
        self._protocol = protocol
        self._group = group
        self._head: bytes | None = b""
        self._decoder = _decoder("utf-8")
        self._split: Lines | Elements = Lines()
        self._read: Callable[[str], list[Draft]] | None = None
        self._majority = Majority()

    def feed(self, data: bytes) -> list[Outcome]:
        """What can be said once ``data`` has arrived. Raises ``InvalidInputError`` for binary data."""
        if self._head is None:
            return list(self._outcomes(self._split.feed(self._decoder.decode(data))))
        self._head += data
        return self._begin() if len(self._head) >= SNIFF_BYTES else []

    def close(self) -> list[Outcome]:
        """What is left to say once everything has arrived. Raises ``InvalidInputError`` for binary data."""
        outcomes = [] if self._head is None else self._begin()
        outcomes += self._outcomes(self._split.feed(self._decoder.decode(b"", final=True)))
        outcomes += self._outcomes(self._split.close())
        for decided in self._majority.close():
            outcomes += _told(decided)
        return outcomes

    def _begin(self) -> list[Outcome]:
        data, self._head = self._head or b"", None
        if data.startswith(_ZIP):
            raise InvalidInputError(field="file", reason="workbook")
        encoding = next((name for bom, name in _BOMS if data.startswith(bom)), None)
        if encoding is None and b"\0" in data[:SNIFF_BYTES]:
            raise InvalidInputError(field="file", reason="binary")
        self._decoder = _decoder(encoding or "utf-8")
        start = _decoder(encoding or "utf-8").decode(data[:SNIFF_BYTES])
        if _JSON_LINES.match(start):
            self._read = records.read
        elif _JSON.match(start):
            self._read = records.read
            self._split = Elements()
        return self.feed(data)

    def _outcomes(self, pieces: Iterable[tuple[int, str | LineError]]) -> Iterator[Outcome]:
        for line, piece in pieces:
            if self._read is None and isinstance(piece, str):
                if not piece.strip() or text.COMMENT.match(piece.strip()):
                    continue
                if table := Table.from_header(piece):
                    self._read = table.read
                    if table.unknown:
                        yield Warned(line, "unknown_columns", f"columns ignored: {', '.join(table.unknown)}")
                    continue
                self._read = text.read
            readings: list[Reading] | Rejected
            try:
                readings = self._readings(piece, self._read or text.read)
            except LineError as error:
                readings = Rejected(line, error.code, error.reason)
            if readings:
                for decided in self._majority.feed(line, readings):
                    yield from _told(decided)

    def _readings(self, piece: str | LineError, read: Callable[[str], list[Draft]]) -> list[Reading]:
        if isinstance(piece, LineError):
            raise piece
        damage = LineError("encoding", "the line is not valid UTF-8") if _DAMAGED in piece else None
        readings: list[Reading] = []
        try:
            for draft in read(piece):
                readings.append(check(draft, self._protocol, self._group))
        except LineError as error:
            # A second reading that fails its checks only leaves no doubt about the first.
            if not readings:
                raise damage or error from None
        if damage and readings:
            raise damage
        return readings


def parse(chunks: Iterable[bytes], *, protocol: Protocol = Protocol.HTTP, group: str = "") -> Iterator[Outcome]:
    """:class:`ProxyReader` for a source that can be iterated over, such as an open binary file."""
    reader = ProxyReader(protocol=protocol, group=group)
    for chunk in chunks:
        for start in range(0, len(chunk), _SLICE):
            yield from reader.feed(chunk[start : start + _SLICE])
    yield from reader.close()


def _decoder(encoding: str) -> io.IncrementalNewlineDecoder:
    """Decodes without ever failing; what can't be decoded becomes ``_DAMAGED``."""
    return io.IncrementalNewlineDecoder(codecs.getincrementaldecoder(encoding)("replace"), translate=True)


def _told(decided: Decided) -> Iterator[Outcome]:
    line, outcome = decided
    if isinstance(outcome, Rejected):
        yield outcome
        return
    yield Parsed(line, outcome.spec)
    for note in outcome.notes:
        yield Warned(line, note.code, note.reason)
