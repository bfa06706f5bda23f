"""The figures of the pool, from the flat reply of stats.lua."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from service.pool.servers import ServerRecord


def utilization(used: int, total: int, disabled: int) -> float:
    """Percent of the proxies that could be used, one decimal; never clamped: an impossible figure is to be seen."""
    base = total - disabled
    return round(100 * used / base, 1) if base else (100.0 if used else 0.0)


@dataclass(slots=True)
class Counts:
    """Proxies by status; ``available`` may be given out now."""

    total: int = 0
    used: int = 0
    available: int = 0
    cooling: int = 0
    quarantined: int = 0
    disabled: int = 0

    @property
    def utilization(self) -> float:
        return utilization(self.used, self.total, self.disabled)

    def figures(self) -> dict[str, Any]:
        """All of them, with the utilization, by their names."""
        return {**asdict(self), "utilization": self.utilization}


@dataclass(slots=True)
class ServerFigures:
    """One server: its leases, its instances by state, those that are open, managed and without an applied proxy, and
    what the pool remembers of it."""

    leases: int = 0
    unprotected: int = 0
    states: dict[str, int] = field(default_factory=dict)
    remembered: dict[str, str] = field(default_factory=dict)

    @property
    def record(self) -> ServerRecord:
        """``remembered``, typed."""
        return ServerRecord.parse(self.remembered)


@dataclass(slots=True)
class Stats:
    """Every figure at one instant. ``former``: leases and tails of servers that are no longer configured; their
    instances are counted with the others."""

    counts: Counts
    reserved: int
    releasing: int
    stuck: int
    external: int
    unprotected: int
    unapplied: int
    spent: int
    reservations: int
    instances: int
    events: int
    events_max: int
    lost: tuple[str, str] | None
    paused: bool
    restoring: bool
    epoch: str
    states: dict[str, int] = field(default_factory=dict)
    groups: dict[str, Counts] = field(default_factory=dict)
    servers: dict[str, ServerFigures] = field(default_factory=dict)
    former: dict[str, int] = field(default_factory=dict)

    @classmethod
    def parse(cls, reply: Sequence[str]) -> Stats:
        """``reply``: names and values in turn, as the header of stats.lua lists them."""
        raw = dict(zip(reply[::2], reply[1::2], strict=True))

        def number(name: str) -> int:
            return int(raw.get(name) or 0)

        cooling = number("cooling")
        stats = cls(
            counts=Counts(
                number("total"),
                number("used"),
                number("line") - cooling,
                cooling,
                number("quarantine"),
                number("disabled"),
            ),
            reserved=number("reserved"),
            releasing=number("releasing"),
            stuck=number("stuck"),
            external=number("external"),
            unprotected=number("unprotected"),
            unapplied=number("unapplied"),
            spent=number("spent"),
            reservations=number("reservations"),
            instances=number("instances"),
            events=number("events"),
            events_max=number("events_max"),
            lost=(raw["lost_first"], raw["lost_last"]) if raw.get("lost_first") else None,
            paused=raw.get("paused") == "1",
            restoring=bool(raw.get("restoring")),
            epoch=raw.get("epoch", ""),
        )
        for name, value in raw.items():
            subject, _, rest = name.partition(":")
            if subject == "group":
                status, _, group = rest.partition(":")
                stats._count_group(group, status, int(value))
            elif name.startswith("cooling:"):
                counts = stats.groups.setdefault(rest, Counts())
                counts.cooling += int(value)
                counts.available -= int(value)
            elif subject == "state":
                server, _, state = rest.partition(":")
                stats.servers.setdefault(server, ServerFigures()).states[state] = int(value)
                stats.states[state] = stats.states.get(state, 0) + int(value)
            elif subject == "unprotected" and rest:
                stats.servers.setdefault(rest, ServerFigures()).unprotected = int(value)
            elif subject == "leases":
                stats.servers.setdefault(rest, ServerFigures()).leases = int(value)
            elif subject == "former":
                stats.former[rest] = int(value)
            elif subject == "server":
                server, _, what = rest.partition(":")
                stats.servers.setdefault(server, ServerFigures()).remembered[what] = value
        return stats

    def _count_group(self, group: str, status: str, value: int) -> None:
        counts = self.groups.setdefault(group, Counts())
        counts.total += value
        if status == "free":
            counts.available += value
        elif status == "used":
            counts.used += value
        elif status == "quarantined":
            counts.quarantined += value
        else:
            counts.disabled += value
