"""What reading a source gives: proxies, and words about the lines that gave none or deserve a look."""

from __future__ import annotations

from dataclasses import dataclass

from service.models import ProxySpec


@dataclass(frozen=True, slots=True)
class Parsed:
    """One proxy. ``line`` counts from 1; for JSON it is the line on which the element starts."""

    line: int
    spec: ProxySpec


@dataclass(frozen=True, slots=True)
class Rejected:
    """A line that gave no proxy. ``code`` is for machines, ``reason`` is English; neither quotes the line."""

    line: int
    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Warned:
    """Something to know about a line, most often about the proxy just parsed from it."""

    line: int
    code: str
    reason: str


Outcome = Parsed | Rejected | Warned


class LineError(ValueError):
    """Why a line gives no proxy. Never carries a piece of the line: any piece may turn out to be a password."""

    def __init__(self, code: str, reason: str) -> None:
        self.code = code
        self.reason = reason
        super().__init__(code, reason)
