"""Lines that can be read in two orders follow most of the other lines of their file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from service.importing.draft import Note, Order, Reading
from service.importing.outcomes import Rejected

LOOKAHEAD = 10_000
"""Lines that are read, at most, before the first doubtful one is decided."""

Pending = tuple[int, Sequence[Reading] | Rejected]
"""A line and its equally likely readings (the more usual one first), or why it has none."""

Decided = tuple[int, Reading | Rejected]


class Majority:
    """Decides between the readings of a line by the votes of all lines read before, doubtful ones excepted.

    Lines pass through at once and in order. Only when a doubtful line comes among the first ``LOOKAHEAD`` are it
    and its successors held back, until so many lines were read or the file ends. Without a majority the more usual
    order is taken. Each decision adds the warning ``order_guessed``.
    """

    def __init__(self) -> None:
        self._votes: Counter[Order] = Counter()
        self._lines = 0
        self._held: list[Pending] = []

    def feed(self, line: int, readings: Sequence[Reading] | Rejected) -> Iterator[Decided]:
        """The lines that this one lets go, itself included or not. The answer must be used up."""
        self._lines += 1
        doubtful = not isinstance(readings, Rejected) and len(readings) > 1
        if not isinstance(readings, Rejected) and not doubtful and (order := readings[0].order):
            self._votes[order] += 1
        if self._held or doubtful:
            self._held.append((line, readings))
            if self._lines >= LOOKAHEAD:
                yield from self.close()
        else:
            yield line, self._decide(readings)

    def close(self) -> Iterator[Decided]:
        """The lines held back, decided."""
        for line, readings in self._held:
            yield line, self._decide(readings)
        self._held.clear()

    def _decide(self, readings: Sequence[Reading] | Rejected) -> Reading | Rejected:
        if isinstance(readings, Rejected):
            return readings
        if len(readings) == 1:
            return readings[0]
        chosen = max(readings, key=lambda reading: self._votes[reading.order] if reading.order else 0)
        order = chosen.order or Order.HOST_FIRST
        ground = "as in most of this file" if self._votes[order] else "the more usual order"
        note = Note("order_guessed", f"both orders fit; read with the {order.value}, {ground}")
        return replace(chosen, notes=(*chosen.notes, note))
