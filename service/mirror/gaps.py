"""Which events nobody can read any more."""

from __future__ import annotations

from service.pool.stream import EventId, Reading


def gap(position: EventId, reading: Reading) -> tuple[EventId, EventId] | None:
    """The first and the last id of the events after ``position`` that are lost; ``None`` if none is.

    They were dropped by the stream's bound, or trimmed behind a position that SQL has fallen back from, or deleted by
    hand. ``reading`` began at ``position``. At the border of two epochs the ids enclose what may be missing there.
    """
    following = EventId(position.epoch, position.seq + 1)
    last = reading.lost[1] if reading.lost else position
    if not reading.events:
        last = max(last, reading.last)
    else:
        first = reading.events[0].id
        read_before = reading.mirrored > position and reading.events[0].type != "pool.created"
        if first != following and (first.epoch == position.epoch or read_before):
            last = max(last, EventId(first.epoch, first.seq - 1))
    if last <= position:
        return None
    if reading.lost and reading.mirrored <= position:
        return max(following, reading.lost[0]), last
    return following, last
