"""Reading the pool: figures, pages and the check of its promises."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from service.pool.batches import Outcome, Wish
from service.pool.choice import Choice
from service.pool.models import Broken, Instance, Lease, Proxy
from service.pool.runner import Runner
from service.pool.stats import Stats

_ZSETS = ("all", "free", "kept", "used", "quarantine", "disabled", "reserved", "releasing", "stuck")
_PAGE = 200


@dataclass(frozen=True, slots=True)
class Explanation:
    """What ``acquire`` would answer now. ``closed`` is the word that closes the gate before it, with the server that it
    is about, in lower case; ``""`` while it is open."""

    closed: str
    closed_by: str
    outcome: Outcome
    choice: Choice


@dataclass(frozen=True, slots=True)
class _Id:
    id: str


def _pairs(flat: Sequence[str] | Mapping[str, str]) -> dict[str, str]:
    return dict(flat) if isinstance(flat, Mapping) else dict(zip(flat[::2], flat[1::2], strict=True))


class Reads(Runner):
    """Reads only. Methods raise :class:`service.errors.StoreUnavailableError`."""

    async def stats(self) -> Stats:
        """All figures at one instant; costs the number of groups and servers, not of proxies."""
        return Stats.parse(await self.run("stats"))

    async def page(self, cursor: str = "", limit: int = _PAGE) -> tuple[str, list[Proxy]]:
        """Proxies in the order of their ids after ``cursor``, and the next cursor (``""`` at the end)."""
        following, *items = await self.run("page", cursor=cursor, limit=limit)
        now = self.clock.now()
        return following, [
            Proxy.parse(proxy_id, _pairs(raw), _pairs(lease), now)
            for proxy_id, raw, lease in zip(items[::3], items[1::3], items[2::3], strict=True)
            if raw
        ]

    async def page_instances(
        self, cursor: str = "", limit: int = _PAGE, which: str = "instances"
    ) -> tuple[str, list[Instance]]:
        """Instances in the order of server and name. ``which``: instances, unprotected, unapplied, spent or
        external."""
        following, *items = await self.run("page_instances", list=which, cursor=cursor, limit=limit)
        found = []
        columns = (items[start::5] for start in range(5))
        for member, raw, unmanaged, proxy_id, lease in zip(*columns, strict=True):
            server, _, rest = member.partition("/")
            held = Lease.parse(proxy_id, _pairs(lease)) if lease else None
            found.append(
                Instance.parse(server, rest.rpartition("\n")[2], _pairs(raw), held, unmanaged=bool(int(unmanaged)))
            )
        return following, found

    async def explain(self, server: str, wish: Wish, *, human: bool = False, probe: bool = False) -> Explanation:
        """What :meth:`~service.pool.leases.Leases.acquire` would answer to this wish now, and why."""
        closed, closed_by, word, proxy_id, token, *choice = await self.run(
            "explain",
            server=server,
            human=human,
            probe=probe,
            instance=wish.instance,
            name=wish.name,
            owner=wish.owner,
            pin=wish.pin,
            group=wish.group,
            strict=wish.strict,
        )
        return Explanation(closed.lower(), closed_by, Outcome(word, proxy_id, token), Choice.parse(*choice))

    async def check(self) -> AsyncIterator[Broken | int]:
        """Holds the live pool against promise P1, a page at a time: what is broken, and after each page how many ids
        were looked at. An id is reported only if one atomic look found it broken."""
        servers: set[str] = set()
        for name in ("servers", "former"):
            servers |= await self.reading(self.redis.smembers(self.keys.named(name)))
        for structure in _ZSETS:
            async for ids in self._members(structure):
                if structure == "used":
                    servers |= await self._servers_of(ids)
                for broken in await self._verify("verify", [_Id(member) for member in ids]):
                    yield broken
                yield len(ids)
        for server in sorted(servers):
            async for ids in self._fields(self.keys.leases(server)):
                for broken in await self._verify("verify_leases", [_Id(field) for field in ids], server=server):
                    yield Broken(f"{server}/{broken.id}", broken.what)
                yield len(ids)
            async for ids in self._fields(self.keys.tails(server)):
                for broken in await self._verify("verify", [_Id(field) for field in ids]):
                    yield broken
                yield len(ids)

    async def _verify(self, script: str, ids: Sequence[_Id], **values: Any) -> list[Broken]:
        reply = await self.run(script, ids, **values)
        return [Broken(one, what) for one, what in zip(reply[::2], reply[1::2], strict=True)]

    async def _servers_of(self, proxy_ids: Sequence[str]) -> set[str]:
        """Leases may be of a server that is not configured any more."""
        async with self.redis.pipeline(transaction=False) as pipeline:
            for proxy_id in proxy_ids:
                pipeline.hget(self.keys.lease(proxy_id), "server")
            return set(filter(None, await self.reading(pipeline.execute())))

    async def _members(self, structure: str) -> AsyncIterator[list[str]]:
        cursor = 0
        while True:
            cursor, pairs = await self.reading(self.redis.zscan(self.keys.named(structure), cursor=cursor, count=_PAGE))
            for start in range(0, len(pairs), _PAGE):
                yield [member for member, _ in pairs[start : start + _PAGE]]
            if int(cursor) == 0:
                return

    async def _fields(self, key: str) -> AsyncIterator[list[str]]:
        cursor = 0
        while True:
            cursor, fields = await self.reading(self.redis.hscan(key, cursor=cursor, count=_PAGE))
            names = list(fields)
            for start in range(0, len(names), _PAGE):
                yield names[start : start + _PAGE]
            if int(cursor) == 0:
                return
