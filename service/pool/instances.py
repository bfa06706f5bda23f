"""Transitions of instances, servers and the pool as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from service.pool.batches import Sighting
from service.pool.models import Instance, Lease, Rests, Row
from service.pool.runner import Runner


@dataclass(frozen=True, slots=True)
class _Named:
    name: str


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What one batch of :meth:`Instances.forget_server` ended and forgot, and whether more is left."""

    leases: int
    instances: int
    more: bool


class Instances(Runner):
    """What is known of servers and their instances. Methods raise what :meth:`Runner.run` raises."""

    rests: Rests

    async def configure(self, servers: Sequence[str], *, events_max: int, actor: str = "auto") -> None:
        """Says which servers the gate of acquire asks for. One that is no longer named keeps what it holds, as a former
        server, until it is named again or forgotten."""
        named = [_Named(name) for name in servers]
        await self.run("configure", named, events_max=events_max, settle_ms=self.rests.settle_ms, actor=actor)

    async def renew_epoch(self, life: str, *, behind: bool = False, actor: str = "auto") -> str:
        """Begins a new epoch if ``life`` is not the known one, or the pool is ``behind``; answers the epoch."""
        return str((await self.run("renew_epoch", life=life, behind=behind, actor=actor))[0])

    async def epoch(self) -> str:
        return str(await self.reading(self.redis.hget(self.keys.named("meta"), "epoch")) or "")

    async def observe(
        self, server: str, sightings: Sequence[Sighting], *, seen_at: int | None = None, actor: str = "auto"
    ) -> bool:
        """Records what changed of some instances (a few hundred is a good size); read since ``seen_at`` (now). Answers
        whether all rows counted: one that was read before the lease last changed does not, and is to be told again."""
        seen_at = self.clock.now() + 1 if seen_at is None else seen_at
        reply = await self.run("observe", sightings, server=server, seen_at=seen_at, actor=actor)
        return int(reply[1]) == 0

    async def mark_read(self, server: str, *, epoch: str, listed: int) -> None:
        """The server was read completely since ``epoch`` was asked for. Refused: stale, not_configured."""
        await self.run("mark_read", server=server, epoch=epoch, listed=listed)

    async def ignore_server(self, server: str, *, ignored: bool, actor: str) -> None:
        await self.run("ignore_server", server=server, ignored=ignored, actor=actor)

    async def forget_server(
        self, server: str, *, actor: str, rest_ms: int, limit: int = 200, op_id: str | None = None
    ) -> Forgotten:
        """One batch of ending what a former server holds, its proxies resting at least ``rest_ms``.

        Refused: still_configured, unknown_server.
        """
        ended, forgotten, more = await self.run(
            "forget_server",
            server=server,
            limit=limit,
            rest_ms=rest_ms,
            rest_reason="orphan",
            settle_ms=self.rests.settle_ms,
            memory_ms=self.rests.memory_ms,
            actor=actor,
            op_id=op_id,
        )
        return Forgotten(int(ended), int(forgotten), more=bool(int(more)))

    async def forget_instance(self, server: str, instance: str, *, actor: str = "auto") -> None:
        """Refused: held."""
        await self.run("forget_instance", server=server, instance=instance, actor=actor)

    async def unmanage(self, server: str, instance: str, *, unmanaged: bool, actor: str) -> None:
        await self.run("unmanage", server=server, instance=instance, unmanaged=unmanaged, actor=actor)

    async def brake(self, server: str, half: str, *, engaged: bool, reason: str, actor: str = "auto") -> bool:
        """``half`` is release or set; answers whether it changed."""
        reply = await self.run("brake", server=server, half=half, engaged=engaged, reason=reason, actor=actor)
        return bool(int(reply[0]))

    async def suspect(self, server: str, *, suspected: bool, reason: str) -> bool:
        """The server itself is to blame for what its instances show, or no longer; answers whether that is new."""
        reply = await self.run("suspect", server=server, suspected=suspected, reason=reason, actor="auto")
        return bool(int(reply[0]))

    async def pause(self, *, paused: bool, actor: str) -> bool:
        return bool(int((await self.run("pause", paused=paused, actor=actor))[0]))

    async def paused(self) -> bool:
        return bool(await self.reading(self.redis.hget(self.keys.named("meta"), "paused")) == "1")

    async def server(self, server: str) -> dict[str, str]:
        """What the pool remembers of a server: readings, brake, last proxy that was set with success."""
        found: dict[str, str] = await self.reading(self.redis.hgetall(self.keys.server(server)))
        return found

    async def unmanaged(self, server: str) -> set[str]:
        """Ids of the server's instances that policy has to leave alone."""
        holders = await self.reading(self.redis.smembers(self.keys.named("unmanaged")))
        return {holder.partition("/")[2] for holder in holders if holder.startswith(f"{server}/")}

    async def is_unmanaged(self, server: str, instance: str) -> bool:
        """Whether policy has to leave this one alone."""
        holder = f"{server}/{instance}"
        return bool(await self.reading(self.redis.sismember(self.keys.named("unmanaged"), holder)))

    async def rows_naming(self, proxy_id: str) -> set[str]:
        """Holders, ``<server>/<instance id>``, whose rows named the proxy when they were last seen."""
        found: set[str] = await self.reading(self.redis.smembers(self.keys.users(proxy_id)))
        return found

    async def known(self, server: str) -> dict[str, str]:
        """Every instance of the server that is remembered: name to id."""
        found: dict[str, str] = await self.reading(self.redis.hgetall(self.keys.names(server)))
        return found

    async def row_of(self, server: str, instance: str, row: str) -> Row:
        """What the proxy is to the pool that a row of ``instance`` names although its lease does not."""
        async with self.redis.pipeline(transaction=True) as pipeline:
            pipeline.exists(self.keys.proxy(row))
            pipeline.zscore(self.keys.shunned(server, instance), row)
            pipeline.hmget(self.keys.lease(row), "server", "instance")
            known, late, (holder_server, holder) = await self.reading(pipeline.execute())
        if not known:
            return Row.EXTERNAL
        if late is not None:
            return Row.LATE
        return Row.HELD if holder and (holder_server, holder) != (server, instance) else Row.CHOSEN

    async def instance_id(self, server: str, name: str) -> str | None:
        """The id that this name last had on the server."""
        found: str | None = await self.reading(self.redis.hget(self.keys.names(server), name))
        return found

    async def instance(self, server: str, instance: str) -> Instance | None:
        """One known instance with its lease."""
        raw = await self.reading(self.redis.hgetall(self.keys.instance(server, instance)))
        if not raw:
            return None
        proxy_id = await self.reading(self.redis.hget(self.keys.leases(server), instance))
        lease = await self.reading(self.redis.hgetall(self.keys.lease(proxy_id))) if proxy_id else {}
        unmanaged = await self.reading(self.redis.sismember(self.keys.named("unmanaged"), f"{server}/{instance}"))
        held = Lease.parse(str(proxy_id), lease) if lease else None
        return Instance.parse(server, instance, raw, held, unmanaged=bool(unmanaged))
