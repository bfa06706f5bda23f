"""Limits on failed logins and on a token's requests. Each process counts for itself, in bounded memory."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil


class Logins:
    """Counts failed logins: more than ``most`` of an address within ``seconds`` are told to wait.

    More than ``in_total`` of all addresses leave each address one. So whoever guesses from many addresses gets one
    guess from each, and nobody who has not failed is ever made to wait for others.
    """

    def __init__(
        self,
        most: int = 10,
        in_total: int = 100,
        seconds: float = 60,
        *,
        now: Callable[[], float] = time.monotonic,
        addresses: int = 10_000,
    ) -> None:
        self._most = most
        self._in_total = in_total
        self._seconds = seconds
        self._now = now
        self._addresses = addresses
        self._failed: dict[str, tuple[float, int]] = {}
        self._total = (now(), 0)

    def wait(self, address: str) -> float:
        """The seconds that this address has to wait, 0 for none."""
        now = self._now()
        since, count = self._since(self._failed.get(address), now)
        _, total = self._since(self._total, now)
        return since + self._seconds - now if count >= (self._most if total < self._in_total else 1) else 0.0

    def failed(self, address: str) -> None:
        """Counts one."""
        now = self._now()
        since, count = self._since(self._failed.pop(address, None), now)
        if len(self._failed) >= self._addresses:
            self._failed.pop(next(iter(self._failed)))
        self._failed[address] = (since, count + 1)
        since, total = self._since(self._total, now)
        self._total = (since, total + 1)

    def _since(self, counted: tuple[float, int] | None, now: float) -> tuple[float, int]:
        """``counted``, or a new count when its time is over."""
        return counted if counted and now - counted[0] < self._seconds else (now, 0)


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left to an actor of ``limit`` requests a minute, and whether the present one was ``taken``."""

    limit: int
    left: float
    taken: bool

    @property
    def wait(self) -> int:
        """Whole seconds after which a request is taken, at least one."""
        return max(1, ceil((1 - self.left) * 60 / self.limit))

    @property
    def headers(self) -> dict[str, str]:
        """As draft-ietf-httpapi-ratelimit-headers-10 has them; ``t``: seconds until all of the limit is there again."""
        full_in = ceil((self.limit - self.left) * 60 / self.limit)
        return {
            "RateLimit-Policy": f'"token";q={self.limit};w=60',
            "RateLimit": f'"token";r={int(self.left)};t={full_in}',
        }


class Rates:
    """A token bucket an actor: it holds the requests of a minute and fills steadily."""

    def __init__(self, *, now: Callable[[], float] = time.monotonic, actors: int = 10_000) -> None:
        self._now = now
        self._actors = actors
        self._buckets: dict[str, tuple[float, float]] = {}

    def take(self, actor: str, limit: int) -> Allowance:
        """One request of ``actor``, who may make ``limit`` a minute."""
        now = self._now()
        at, left = self._buckets.pop(actor, (now, float(limit)))
        left = min(float(limit), left + (now - at) * limit / 60)
        taken = left >= 1
        if len(self._buckets) >= self._actors:
            self._buckets.pop(next(iter(self._buckets)))  # the one used longest ago
        self._buckets[actor] = (now, left - taken)
        return Allowance(limit, left - taken, taken)
