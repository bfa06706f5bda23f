"""A pool in a known state, on a clock that the test moves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from service.errors import RefusedError
from service.models import Protocol, ProxySpec
from service.pool.batches import Claim, Outcome, Sighting, Wish
from service.pool.clock import Clock
from service.pool.models import Evidence, Lease, Waits
from service.pool.pool import Pool
from service.pool.scripts import load_all
from tests.lua.invariants import dump

START = 2_000_000_000_000
"""Later than any real clock of today: an epoch made by a real clock is always smaller than a token made here."""

MINUTE = 60_000

HOUR = 60 * MINUTE
SETTLE = 15 * MINUTE


class MovedClock(Clock):
    """Stands still until the test moves it."""

    __slots__ = ("at",)

    def __init__(self, at: int = START) -> None:
        super().__init__()
        self.at = at

    def now(self) -> int:
        return self.at

    def move(self, ms: int) -> int:
        self.at += ms
        return self.at


class RepeatedPool(Pool):
    """Sends each transition twice, as a client does that lost the reply: the second may change nothing, and answers
    the same."""

    async def run(self, name: str, rows: Sequence[object] = (), /, **values: Any) -> list[Any]:
        if not any(argument.name == "op_id" for argument in load_all()[name].arguments):
            return await super().run(name, rows, **values)
        values["op_id"] = values.get("op_id") or f"{name}-{await self.redis.incr('calls')}"
        outcomes = []
        dumps = []
        for _ in range(2):
            try:
                outcomes.append(tuple(await super().run(name, rows, **values)))
            except RefusedError as error:
                outcomes.append((error.code, error.params))
                refusal: RefusedError | None = error
            else:
                refusal = None
            dumps.append(await dump(self.redis, self.keys.root))
        assert outcomes[0] == outcomes[1], f"the replay of {name} answers something else"
        assert dumps[0] == dumps[1], f"the replay of {name} changes the pool"
        if refusal is not None:
            raise refusal
        return list(outcomes[0])


@contextmanager
def refused(word: str, *details: str) -> Iterator[None]:
    """The pool refuses what is done inside with ``word``; ``details`` are what came with it, if given."""
    with pytest.raises(RefusedError) as caught:
        yield
    assert caught.value.code == word.lower()
    if details:
        assert caught.value.params["details"] == details


def spec(number: int = 1, **fields: Any) -> ProxySpec:
    """The endpoint number ``number``."""
    values: dict[str, Any] = {"protocol": Protocol.HTTP, "host": f"10.0.{number // 250}.{number % 250}", "port": 8080}
    return ProxySpec(**{**values, "username": "u", "password": "p", **fields})


class Stage:
    """Leads a pool to the state that a test begins with."""

    def __init__(self, pool: Pool, clock: MovedClock) -> None:
        self.pool = pool
        self.clock = clock
        self.redis: Any = pool.redis  # redis-py's types do not know of decode_responses

    async def beside(self, name: str) -> Stage:
        """Another empty pool with an open gate on the same Redis, with a clock of its own."""
        clock = MovedClock()
        pool = Pool(self.redis, name, clock=clock)
        await pool.renew_epoch("life")
        other = Stage(pool, clock)
        await other.open()
        return other

    async def open(self, *servers: str) -> None:
        """The servers (``a`` if none is named) are configured and read: the gate is open."""
        servers = servers or ("a",)
        await self.pool.configure(servers, events_max=100_000)
        for server in servers:
            await self.pool.mark_read(server, epoch=await self.pool.epoch(), listed=0)

    async def add(self, count: int = 1, **fields: Any) -> list[str]:
        """Imports proxies 1 to ``count``, one millisecond apart, so that their order in the line is known."""
        specs = [spec(number, **fields) for number in range(1, count + 1)]
        for one in specs:
            await self.pool.import_proxies([one], stamp="s0", actor="cli:test")
            self.clock.move(1)
        return [one.id for one in specs]

    async def see(self, instance: str = "i1", **fields: Any) -> None:
        """The server lists the instance: open and managed unless ``fields`` say otherwise."""
        values: dict[str, Any] = {"name": f"name-{instance}", "state": "open", "integration": "WHATSAPP-BAILEYS"}
        sighting = Sighting(instance=instance, managed=fields.pop("managed", True), **{**values, **fields})
        await self.pool.observe("a", [sighting])

    async def try_acquire(self, instance: str = "i1", *, human: bool = False, **fields: Any) -> Outcome:
        wish = Wish(instance, fields.pop("name", f"name-{instance}"), **fields)
        return (await self.pool.acquire("a", [wish], reason="connected", human=human))[0]

    async def lease(self, proxy_id: str) -> Lease:
        """The present lease of a proxy."""
        lease = await self.pool.lease(proxy_id)
        assert lease is not None
        return lease

    async def reserved(self, instance: str = "i1", **fields: Any) -> Lease:
        outcome = await self.try_acquire(instance, **fields)
        assert outcome.word == "LEASED", outcome
        return await self.lease(outcome.proxy_id)

    async def active(self, instance: str = "i1", **fields: Any) -> Lease:
        lease = await self.reserved(instance, **fields)
        await self.pool.confirm(lease)
        return await self.lease(lease.proxy_id)

    async def releasing(self, instance: str = "i1", waits: Waits = Waits.ROW, **fields: Any) -> Lease:
        lease = await self.active(instance)
        await self.pool.begin_release(lease, waits, reason="test", **fields)
        return await self.lease(lease.proxy_id)

    async def cleared(self, instance: str = "i1", **fields: Any) -> Lease:
        """A release whose row was read back: it waits for the socket."""
        lease = await self.releasing(instance, **fields)
        await self.pool.begin_clear(lease)
        await self.pool.row_cleared(lease, "off")
        return await self.lease(lease.proxy_id)

    async def released(self, instance: str = "i1", **fields: Any) -> str:
        """A proxy whose lease ended on proof."""
        lease = await self.cleared(instance)
        await self.moved(lease, **fields)
        return lease.proxy_id

    async def moved(self, lease: Lease, **fields: Any) -> str:
        """The socket is seen down after the row moved, and the lease ends on that; the proxy's status."""
        await self.pool.mark(lease, "down")
        return await self.pool.finish_release(lease, Evidence.MOVED, **fields)

    async def assert_let_go(self, proxy_id: str) -> None:
        """No row names the proxy any more: it rests as long as a socket may linger, and is free at that moment."""
        self.clock.move(SETTLE - 1)
        assert await self.status(proxy_id) == "cooling"
        self.clock.move(1)
        assert await self.status(proxy_id) == "free"

    async def tail(self, instance: str = "i1") -> tuple[Lease, Lease]:
        """After a rotation: the new lease (reserved) and the old one, which became a tail."""
        old = await self.active(instance)
        proxy_id, _ = await self.pool.rotate(old, reason="signs")
        return await self.lease(proxy_id), await self.lease(old.proxy_id)

    async def adopt(self, instance: str, row: str, **fields: Any) -> Outcome:
        claim = Claim(instance, fields.pop("name", f"name-{instance}"), row)
        return (await self.pool.adopt("a", [claim], **fields))[0]

    async def status(self, proxy_id: str) -> str:
        """The status as users see it."""
        proxy = await self.pool.proxy(proxy_id)
        assert proxy is not None
        return proxy.status.value

    async def raw(self, name: str) -> dict[str, str]:
        """A hash of the pool by its short name."""
        found: dict[str, str] = await self.redis.hgetall(self.pool.keys.named(name))
        return found

    async def events(self, type: str = "") -> list[dict[str, str]]:
        """The events, of one type if it is given, oldest first."""
        entries = await self.redis.xrange(self.pool.keys.named("events"))
        return [fields for _, fields in entries if type in ("", fields["type"])]
