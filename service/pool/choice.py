"""Why a proxy was chosen, and from what: kept with each lease and its event (lua/lib/choice.lua)."""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import StrEnum


class Why(StrEnum):
    """What decided between the proxies."""

    PIN = "pin"
    """A human named it."""
    MEMORY = "memory"
    """The number, or an instance of this name, had it before."""
    GROUP = "group"
    """It is the longest rested one of the group asked for."""
    LINE = "line"
    """It is the longest rested one of all."""
    ROW = "row"
    """The instance's row named it: it was adopted."""
    UNKNOWN = ""
    """Nobody noted it."""


@dataclass(frozen=True, slots=True)
class Counts:
    """The pool, or the group that was looked in, at that moment.

    ``candidates`` were free and rested; ``kept`` too, but remembered for numbers that may return, so that others get
    them last; ``elsewhere`` too, but in other groups. ``shunned`` is how many proxies this instance is not offered
    again, wherever they are.
    """

    candidates: int
    kept: int
    resting: int
    elsewhere: int
    quarantined: int
    used: int
    disabled: int
    shunned: int


@dataclass(frozen=True, slots=True)
class Choice:
    """``group`` is the one that was looked in, ``""`` for the whole pool; without ``counts`` nothing was chosen."""

    why: Why
    group: str = ""
    counts: Counts | None = None

    @classmethod
    def parse(cls, why: str, group: str, counts: str) -> Choice:
        """From what the scripts keep. A word of another release is :attr:`Why.UNKNOWN`, its counts are none."""
        known = {name: number for name, _, number in (pair.partition(":") for pair in counts.split())}
        complete = known.keys() >= {field.name for field in fields(Counts)}
        return cls(
            Why(why) if why in Why.__members__.values() else Why.UNKNOWN,
            group,
            Counts(**{field.name: int(known[field.name]) for field in fields(Counts)}) if complete else None,
        )
