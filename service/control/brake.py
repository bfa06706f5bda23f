"""The release half of the brake: a wrong answer from a server never empties the pool. Pure decisions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from service.control.actions import Action, is_humans, needs_brake_off

FEWEST = 10
SHARE = 0.2
WHOLE = 0.9
"""Share of the leased instances that the list must hold again, rounded down: of few one may have gone meanwhile…"""
TICKS = 3
"""…for so many ticks before the brake lets go by itself."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What one tick counted of a server's leased instances; ``missing`` and ``unexplained`` are disjoint."""

    leased: int
    missing: int
    unexplained: int

    @property
    def whole(self) -> bool:
        return self.leased - self.missing >= int(WHOLE * self.leased)

    @property
    def suspicious(self) -> bool:
        return self.missing + self.unexplained > max(FEWEST, SHARE * self.leased)


@dataclass(frozen=True, slots=True)
class Brake:
    """``engaged`` and ``overridden`` (a human let go while the list was shrunken) live in the pool; ``good_ticks``
    counts whole lists in a row and starts anew with the process."""

    engaged: bool = False
    overridden: bool = False
    good_ticks: int = 0


def after_reading(brake: Brake, reading: Reading) -> tuple[Brake, str]:
    """The brake after a complete list, and if it changed the reason, for :func:`service.messages.why`."""
    good = brake.good_ticks + 1 if reading.whole and not reading.suspicious else 0
    if brake.engaged:
        if good >= TICKS:
            return Brake(False, False, good), f"whole ticks={TICKS}"
        return Brake(True, False, good), ""
    if brake.overridden:
        return Brake(False, good == 0, good), ""
    if reading.suspicious:
        reason = f"missing leased={reading.leased} missing={reading.missing} closed={reading.unexplained}"
        return Brake(True, False, 0), reason
    return Brake(False, False, good), ""


def after_failure(brake: Brake) -> Brake:
    """The brake after a server that erred: engaged, unless a human has let go of this very list."""
    return Brake(not brake.overridden, brake.overridden, 0)


def admitted(actions: Sequence[Action], engaged: bool, *, paused: bool = False) -> list[Action]:
    """Of one tick's actions on a server, those that may go on now: proofs always; the others not while the brake is
    engaged, and else at most a tenth of them (at least ten). While the pool is paused, only what humans began."""
    if paused:
        actions = [action for action in actions if is_humans(action)]
    waiting = [action for action in actions if needs_brake_off(action)]
    quota = 0 if engaged else max(FEWEST, ceil(len(waiting) / 10))
    held_back = {id(action) for action in waiting[quota:]}
    return [action for action in actions if id(action) not in held_back]
