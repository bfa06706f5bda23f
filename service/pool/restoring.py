"""Bringing proxies and leases back into a pool whose Redis was emptied."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from service.pool.models import Rests
from service.pool.records import Snapshot
from service.pool.runner import Runner
from service.pool.stream import EventId
from service.pool.vault import Vault


@dataclass(frozen=True, slots=True)
class _Field:
    proxy: str
    record: str
    name: str
    value: str = field(repr=False)


class Brought(NamedTuple):
    """What became of one proxy: ``outcome`` as in the script's header, ``status`` as stored."""

    outcome: str
    status: str


class Restoring(Runner):
    """Nothing is handed out from the beginning of a restore to its end, however often it is cut and begun anew. Methods
    raise what :meth:`Runner.run` raises."""

    vault: Vault
    rests: Rests

    async def restoring(self) -> bool:
        """Whether a restore has begun and not ended."""
        return bool(await self.reading(self.redis.hexists(self.keys.named("meta"), "restoring")))

    async def begin_restore(
        self, restore: str, *, after: EventId, token: int, merge: bool, actor: str, op_id: str | None = None
    ) -> None:
        """``restore`` is an id of the caller's, ``after`` the last event and ``token`` the last token known of.
        Takes over from a restore that was cut. Refused: not_empty, unless ``merge``."""
        await self.run(
            "begin_restore", restore=restore, merge=merge, epoch=after.epoch, token=token, actor=actor, op_id=op_id
        )

    async def restore(
        self, restore: str, snapshots: Sequence[Snapshot], *, actor: str, op_id: str | None = None
    ) -> list[Brought]:
        """Brings back some proxies (fifty is a good size) that the pool does not know, their secrets sealed by
        :attr:`vault`; the answers are in their order. Refused: stale, wrong_encryption_key."""
        reply = await self.run(
            "restore",
            [field for snapshot in snapshots for field in _fields(snapshot)],
            restore=restore,
            key=self.vault.key_id,
            settle_ms=self.rests.settle_ms,
            memory_ms=self.rests.memory_ms,
            actor=actor,
            op_id=op_id,
        )
        return [Brought(*words) for words in zip(reply[::2], reply[1::2], strict=True)]

    async def finish_restore(
        self,
        restore: str,
        *,
        source: Literal["sql", "file"],
        proxies: int,
        leases: int = 0,
        left: int = 0,
        actor: str,
        op_id: str | None = None,
    ) -> None:
        """The counts stand in the event. Refused: stale."""
        counts = {"proxies": proxies, "leases": leases, "left": left}
        await self.run("finish_restore", restore=restore, source=source, **counts, actor=actor, op_id=op_id)


def _fields(snapshot: Snapshot) -> Iterator[_Field]:
    for record, values in (("proxy", snapshot.proxy), ("lease", snapshot.lease)):
        for name, value in values.items():
            yield _Field(snapshot.id, record, name, value)
