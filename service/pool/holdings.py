"""Who holds which proxy: the leases as they are."""

from __future__ import annotations

from collections.abc import Iterable

from service.pool.models import Lease
from service.pool.runner import Runner


class Holdings(Runner):
    """Reads only. Methods raise :class:`service.errors.StoreUnavailableError`."""

    async def reserved_names(self, server: str) -> set[str]:
        """The names with an open reservation on a server."""
        holders: list[str] = await self.reading(
            self.redis.zrangebyscore(self.keys.named("reservations"), "-inf", "+inf")
        )
        ids = [instance for at, _, instance in (holder.partition("/") for holder in holders) if at == server]
        if not ids:
            return set()
        held = await self.reading(self.redis.hmget(self.keys.leases(server), ids))
        return {lease.name for lease in await self._load(filter(None, held)) if lease.reservation}

    async def last_token(self) -> int:
        """The last token that was given: a lease with a higher one was made after this call."""
        return int(await self.reading(self.redis.hget(self.keys.named("meta"), "token")) or 0)

    async def lease(self, proxy_id: str) -> Lease | None:
        """The lease of a proxy, current or tail."""
        raw = await self.reading(self.redis.hgetall(self.keys.lease(proxy_id)))
        return Lease.parse(proxy_id, raw) if raw else None

    async def leases_at(self, proxy_ids: Iterable[str]) -> dict[str, Lease]:
        """The leases of those of the proxies that have one, current or tail, by the proxy's id."""
        return {lease.proxy_id: lease for lease in await self._load(proxy_ids)}

    async def leases_of(self, server: str) -> dict[str, Lease]:
        """The current lease of each instance of a server, by the instance's id; reservations by ``~`` and theirs."""
        ids = await self.reading(self.redis.hgetall(self.keys.leases(server)))
        return {lease.instance: lease for lease in await self._load(ids.values()) if not lease.tail}

    async def tails_of(self, server: str) -> list[Lease]:
        """The leases that instances of a server have moved away from and whose proxies may still be in use."""
        ids = await self.reading(self.redis.hgetall(self.keys.tails(server)))
        return [lease for lease in await self._load(ids) if lease.tail]

    async def lease_of(self, server: str, instance: str) -> Lease | None:
        """The current lease of one instance."""
        proxy_id = await self.reading(self.redis.hget(self.keys.leases(server), instance))
        return await self.lease(proxy_id) if proxy_id else None

    async def held_by(self, server: str, instance: str) -> tuple[Lease | None, list[Lease]]:
        """The current lease of one instance, and its tails."""
        async with self.redis.pipeline(transaction=False) as pipeline:
            pipeline.hget(self.keys.leases(server), instance)
            pipeline.hgetall(self.keys.tails(server))
            current, tails = await self.reading(pipeline.execute())
        ids = [proxy_id for proxy_id, holder in tails.items() if holder == instance]
        found = await self.leases_at([current, *ids] if current else ids)
        return found.get(current), [found[one] for one in ids if one in found and found[one].tail]

    async def _load(self, proxy_ids: Iterable[str]) -> list[Lease]:
        ids = list(proxy_ids)
        found = []
        for start in range(0, len(ids), 500):
            part = ids[start : start + 500]
            async with self.redis.pipeline(transaction=False) as pipeline:
                for proxy_id in part:
                    pipeline.hgetall(self.keys.lease(proxy_id))
                raws = await self.reading(pipeline.execute())
            found += [Lease.parse(proxy_id, raw) for proxy_id, raw in zip(part, raws, strict=True) if raw]
        return found
