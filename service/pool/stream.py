"""The audit trail as the mirror reads it: events in their order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from service.pool.runner import Runner

_META = ("epoch", "seq", "mirrored", "lost_first", "lost_last", "life", "restoring")


class EventId(NamedTuple):
    """``<epoch>-<seq>``; compared as the stream orders them. Within an epoch ``seq`` counts from 1 without a gap."""

    epoch: int
    seq: int

    @classmethod
    def parse(cls, text: str) -> EventId:
        epoch, _, seq = text.partition("-")
        return cls(int(epoch), int(seq))

    def __str__(self) -> str:
        return f"{self.epoch}-{self.seq}"


START = EventId(0, 0)
"""Before all events."""


@dataclass(frozen=True, slots=True)
class Event:
    """One entry of the audit trail. ``at`` in ms; ``fields`` are what its script said of it, all text."""

    id: EventId
    type: str
    level: str
    at: int
    actor: str
    fields: Mapping[str, str]

    @property
    def proxies(self) -> Iterable[str]:
        """The proxies whose state it changed."""
        return filter(None, (self.fields.get("proxy"), self.fields.get("replaces")))


@dataclass(frozen=True, slots=True)
class Reading:
    """Events at one instant, oldest first, and what the pool said of its stream at that instant.

    ``last`` is the id of the newest event ever written, ``lost`` the first and the last id that the stream's bound
    dropped unread, ``mirrored`` the last id that was reported as read. While ``restoring`` proxies may be missing.
    """

    events: Sequence[Event]
    last: EventId
    mirrored: EventId
    lost: tuple[EventId, EventId] | None
    life: str
    restoring: bool = False


class Stream(Runner):
    """Methods raise what :meth:`Runner.run` raises."""

    async def waiting_since(self, position: EventId) -> int | None:
        """When the oldest event after ``position`` was written, in ms; ``None`` if there is none."""
        entries = await self.reading(self.redis.xrange(self.keys.named("events"), min=f"({position}", count=1))
        return int(entries[0][1]["at"]) if entries else None

    async def mirrored_to(self) -> EventId:
        """The position that :meth:`mirrored` was last told."""
        mirrored = await self.reading(self.redis.hget(self.keys.named("meta"), "mirrored"))
        return EventId.parse(mirrored) if mirrored else START

    async def read_events(self, position: EventId, limit: int) -> Reading:
        """At most ``limit`` events after ``position``."""
        async with self.redis.pipeline(transaction=True) as pipeline:
            pipeline.hmget(self.keys.named("meta"), _META)
            pipeline.xrange(self.keys.named("events"), min=f"({position}", count=limit)
            (epoch, seq, mirrored, first, last, life, restoring), entries = await self.reading(pipeline.execute())
        return Reading(
            events=[_event(entry_id, fields) for entry_id, fields in entries],
            last=EventId(int(epoch or 0), int(seq or 0)),
            mirrored=EventId.parse(mirrored) if mirrored else START,
            lost=(EventId.parse(first), EventId.parse(last)) if first else None,
            life=life or "",
            restoring=bool(restoring),
        )

    async def mirrored(self, position: EventId, *, keep: int) -> None:
        """Says that the mirror holds every event up to ``position``, and lets go of those but the last ``keep`` of its
        epoch. Refused: behind."""
        await self.run("mirrored", position=str(position), keep=keep, op_id="")


def _event(entry_id: str, fields: Mapping[str, str]) -> Event:
    rest = dict(fields)
    return Event(
        EventId.parse(entry_id), rest.pop("type"), rest.pop("level"), int(rest.pop("at")), rest.pop("actor"), rest
    )
