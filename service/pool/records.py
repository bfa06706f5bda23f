"""What the pool keeps of each proxy: its hash and its lease's, read together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from service.pool.models import Proxy
from service.pool.runner import Runner

_CHUNK = 50
"""Proxies read by one transaction: a hundred hashes block Redis for less than a millisecond."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One proxy at one instant: its hash and its lease's hash, as stored. Both empty: the pool does not know it."""

    id: str
    proxy: Mapping[str, str]
    lease: Mapping[str, str]


class Records(Runner):
    """Reads only. Methods raise :class:`service.errors.StoreUnavailableError`."""

    async def snapshots(self, proxy_ids: Sequence[str]) -> list[Snapshot]:
        """Each proxy at an instant of its own, in the order of ``proxy_ids``."""
        found = []
        for start in range(0, len(proxy_ids), _CHUNK):
            chunk = proxy_ids[start : start + _CHUNK]
            async with self.redis.pipeline(transaction=True) as pipeline:
                for proxy_id in chunk:
                    pipeline.hgetall(self.keys.proxy(proxy_id))
                    pipeline.hgetall(self.keys.lease(proxy_id))
                answers = await self.reading(pipeline.execute())
            found += [Snapshot(*one) for one in zip(chunk, answers[::2], answers[1::2], strict=True)]
        return found

    async def proxies_at(self, proxy_ids: Iterable[str]) -> dict[str, Proxy]:
        """Those of the proxies that the pool knows, with their leases, by id."""
        now = self.clock.now()
        found = await self.snapshots(list(proxy_ids))
        return {one.id: Proxy.parse(one.id, one.proxy, one.lease, now) for one in found if one.proxy}

    async def proxy(self, proxy_id: str) -> Proxy | None:
        """The proxy with its lease, or ``None``."""
        return (await self.proxies_at([proxy_id])).get(proxy_id)

    async def page_ids(self, cursor: str, limit: int) -> list[str]:
        """At most ``limit`` ids of known proxies after ``cursor``, in their order."""
        low = f"({cursor}" if cursor else "-"
        ids: list[str] = await self.reading(
            self.redis.zrangebylex(self.keys.named("all"), low, "+", start=0, num=limit)
        )
        return ids

    async def unknown(self, proxy_ids: Sequence[str]) -> list[str]:
        """Those that the pool does not know."""
        async with self.redis.pipeline(transaction=False) as pipeline:
            for proxy_id in proxy_ids:
                pipeline.exists(self.keys.proxy(proxy_id))
            answers = await self.reading(pipeline.execute())
        return [proxy_id for proxy_id, known in zip(proxy_ids, answers, strict=True) if not known]

    async def size(self) -> int:
        """How many proxies the pool knows."""
        return int(await self.reading(self.redis.zcard(self.keys.named("all"))))
