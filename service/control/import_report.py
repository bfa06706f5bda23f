"""What an import tells of itself: counts of everything, remarks, and in a dry run the lines with their verdicts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from service.importing import Parsed, Rejected, Warned
from service.models import Protocol
from service.pool.batches import Foretold, Imported
from service.pool.models import Proxy

KEPT = 1000
"""Refusals, warnings, and lines of each verdict that a report lists; beyond it they are only counted."""

Endpoint = tuple[Protocol, str, int]
"""Protocol, host and port."""


class Verdict(StrEnum):
    """What would become of a line, or of a proxy that no line names."""

    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    DUPLICATE = "duplicate"  # an earlier line has said the same of this proxy
    REFUSED = "refused"
    WARNED = "warned"  # it is about no proxy, and listed for its warning alone
    DRAINED = "drained"  # no line names the proxy, and the import is a sync


_VERDICTS = {
    "added": Verdict.NEW,
    "disabled": Verdict.NEW,
    "updated": Verdict.CHANGED,
    "unchanged": Verdict.UNCHANGED,
    "duplicate": Verdict.DUPLICATE,
}


@dataclass(frozen=True, slots=True)
class Judged:
    """One line with its verdict; ``line`` is None for a proxy that no line names. ``changed`` is as in
    :class:`service.pool.batches.Foretold`."""

    line: int | None
    verdict: Verdict
    endpoint: Endpoint | None = None
    changed: tuple[str, ...] = ()
    remarks: tuple[Rejected | Warned, ...] = ()


@dataclass(slots=True)
class ImportReport:
    """What an import did, or in a dry run would do.

    ``added`` includes those that are kept ``disabled`` because the Evolution API can't use them; ``drained`` counts
    what a sync took out of use. ``rejected`` and ``warnings`` hold the first :data:`KEPT`, their counts all.

    Only a dry run has ``verdicts``, which count all lines, and ``lines``: the first :data:`KEPT` of each verdict and
    those of the warnings kept.
    """

    dry_run: bool = False
    added: int = 0
    updated: int = 0
    unchanged: int = 0
    disabled: int = 0
    drained: int = 0
    rejected: list[Rejected] = field(default_factory=list)
    rejected_count: int = 0
    warnings: list[Warned] = field(default_factory=list)
    warnings_count: int = 0
    verdicts: Counter[Verdict] = field(default_factory=Counter)
    lines: list[Judged] = field(default_factory=list)

    def in_order(self) -> list[Judged]:
        """``lines`` as the source has them, then what none of them names."""
        return sorted(self.lines, key=lambda judged: (judged.line is None, judged.line or 0))

    @property
    def accepted(self) -> int:
        """Lines that gave a proxy."""
        return self.added + self.updated + self.unchanged

    def accept(self, parsed: Parsed, imported: Imported, warnings: Sequence[Warned]) -> None:
        match imported.word:
            case "updated":
                self.updated += 1
            case "unchanged" | "duplicate":
                self.unchanged += 1
            case _:
                self.added += 1
                self.disabled += imported.word == "disabled"
        for warned in warnings:
            self._note(warned)
        if isinstance(imported, Foretold):
            spec = parsed.spec
            endpoint = (spec.protocol, spec.host, spec.port)
            verdict = _VERDICTS[imported.word]
            self._judge(Judged(parsed.line, verdict, endpoint, imported.changed, tuple(warnings)))

    def reject(self, rejected: Rejected) -> None:
        self.rejected_count += 1
        if len(self.rejected) < KEPT:
            self.rejected.append(rejected)
        self._judge(Judged(rejected.line, Verdict.REFUSED, remarks=(rejected,)))

    def warn(self, warned: Warned, *, first: bool = False) -> None:
        """Of no proxy. ``first`` is for what the whole import is about: nobody may miss it."""
        self._note(warned, first=first)
        self._judge(Judged(warned.line, Verdict.WARNED, remarks=(warned,)))

    def drain(self, proxy: Proxy) -> None:
        self.drained += 1
        self._judge(Judged(None, Verdict.DRAINED, (proxy.protocol, proxy.host, proxy.port)))

    def _note(self, warned: Warned, *, first: bool = False) -> None:
        self.warnings_count += 1
        self.warnings.insert(0 if first else len(self.warnings), warned)
        del self.warnings[KEPT:]

    def _judge(self, judged: Judged) -> None:
        if not self.dry_run:
            return
        self.verdicts[judged.verdict] += 1
        warned = judged.remarks and judged.verdict is not Verdict.REFUSED
        if self.verdicts[judged.verdict] <= KEPT or (warned and self.warnings_count <= KEPT):
            self.lines.append(judged)
