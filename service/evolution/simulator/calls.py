"""The record of what was asked of a simulated server."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(slots=True)
class Call:
    """``route`` is the first two segments of the path (``"proxy/set"``), ``name`` the instance acted on, ``at`` the
    simulator's time (epoch seconds). ``status`` is ``None`` until it is answered, and stays so for a connection that
    was cut."""

    method: str
    route: str
    name: str | None
    at: float
    status: int | None = None


class Calls:
    """The latest 100,000 calls in order of arrival; ``counts`` of all and the most at one time (``peak``), by route."""

    def __init__(self) -> None:
        self.recent: deque[Call] = deque(maxlen=100_000)
        self.counts: Counter[str] = Counter()
        self.peak: Counter[str] = Counter()
        self._in_flight: Counter[str] = Counter()

    def to(self, route: str, name: str | None = None) -> list[Call]:
        """The calls to a route, of one instance or all."""
        return [call for call in self.recent if call.route == route and name in (None, call.name)]

    @contextmanager
    def record(self, call: Call) -> Iterator[Call]:
        self.recent.append(call)
        self.counts[call.route] += 1
        self._in_flight[call.route] += 1
        self.peak[call.route] = max(self.peak[call.route], self._in_flight[call.route])
        try:
            yield call
        finally:
            self._in_flight[call.route] -= 1
