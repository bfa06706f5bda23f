"""What humans have told policy and still holds, although only the audit trail remembers it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from service.mirror.keyset import values_of
from service.mirror.schema import EVENTS
from service.pool.stream import EventId

_POLICY = frozenset(("auto", "webhook"))
_LEFT_ALONE = {"instance.unmanaged": True, "lease.releasing": True, "instance.managed": False, "lease.reserved": False}
"""Whether policy leaves an instance alone after a human's event of this type."""
_KEY = (EVENTS.c.epoch, EVENTS.c.seq)


@dataclass(frozen=True, slots=True)
class Standing:
    """``unmanaged`` are the server and the id of each instance that policy has to leave alone."""

    paused: bool
    unmanaged: Sequence[tuple[str, str]]


async def standing(connection: AsyncConnection) -> Standing:
    """Costs the events of humans, not all there are."""
    said: dict[tuple[str, str], tuple[EventId, bool]] = {}
    for actor in set(await values_of(connection, EVENTS.c.actor)) - _POLICY:
        c = EVENTS.c
        by_hand = select(*_KEY, c.type, c.server, c.instance).where(c.actor == actor, c.type.in_(_LEFT_ALONE))
        for epoch, seq, word, server, instance in await connection.execute(by_hand):
            latest = (EventId(epoch, seq), _LEFT_ALONE[word])
            said[server, instance] = max(said.get((server, instance), latest), latest)
    return Standing(await _is_paused(connection), sorted(one for one, (_, left) in said.items() if left))


async def _is_paused(connection: AsyncConnection) -> bool:
    """Whether the last word on it was a pause."""
    said: list[Any] = []
    for word in ("pool.paused", "pool.resumed"):
        of_word = select(*_KEY, EVENTS.c.type).where(EVENTS.c.type == word)
        said += (await connection.execute(of_word.order_by(*(one.desc() for one in _KEY)).limit(1))).all()
    return bool(said) and max(said).type == "pool.paused"
