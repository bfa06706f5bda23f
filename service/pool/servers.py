"""What the pool remembers of one Evolution server, as a typed view of its hash."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BrakeRecord:
    """One half of the brake: ``since`` when (ms) it last engaged; ``reason``, a code with values, of its change."""

    engaged: bool
    since: int | None
    reason: str

    @classmethod
    def parse(cls, half: str, raw: Mapping[str, str]) -> BrakeRecord:
        return cls(
            raw.get(f"{half}_brake") == "1", _time(raw, f"{half}_brake_since"), raw.get(f"{half}_brake_reason", "")
        )


@dataclass(frozen=True, slots=True)
class ServerRecord:
    """Times in ms. ``release_override``: a human let the release half go. ``rows_void`` counts the doubts about what is
    remembered of rows; ``last_good`` is the proxy that was last set with success."""

    release_brake: BrakeRecord
    set_brake: BrakeRecord
    release_override: bool
    ignored: bool
    first_read_at: int | None
    read_epoch: str
    rows_void: str
    last_good: str
    suspect_since: int | None
    suspect_reason: str

    @classmethod
    def parse(cls, raw: Mapping[str, str]) -> ServerRecord:
        return cls(
            release_brake=BrakeRecord.parse("release", raw),
            set_brake=BrakeRecord.parse("set", raw),
            release_override=raw.get("release_override") == "1",
            ignored=raw.get("ignored") == "1",
            first_read_at=_time(raw, "first_read_at"),
            read_epoch=raw.get("read_epoch", ""),
            rows_void=raw.get("rows_void", ""),
            last_good=raw.get("last_good", ""),
            suspect_since=_time(raw, "suspect_since"),
            suspect_reason=raw.get("suspect_reason", ""),
        )

    @property
    def brakes(self) -> Mapping[str, BrakeRecord]:
        """By half, ``release`` and ``set``."""
        return {"release": self.release_brake, "set": self.set_brake}

    @property
    def engaged(self) -> Mapping[str, BrakeRecord]:
        """Those of :attr:`brakes` that are."""
        return {half: brake for half, brake in self.brakes.items() if brake.engaged}

    def read_in(self, epoch: str) -> bool:
        """Whether the server was read completely in the pool's life and in this epoch."""
        return self.first_read_at is not None and self.read_epoch == epoch


def _time(raw: Mapping[str, str], name: str) -> int | None:
    return int(raw.get(name) or 0) or None
