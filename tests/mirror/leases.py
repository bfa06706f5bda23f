"""Leases that come and go at random, and what the ledger says of them."""

from __future__ import annotations

import random
from contextlib import suppress
from typing import Any

from service.audit import LedgerFilter, Tenancy
from service.errors import RefusedError
from service.mirror.mirror import Mirror
from service.mirror.questions import Questions
from service.pool.models import Evidence, Lease, Waits
from tests.lua.stage import MINUTE, Stage

LATER = 20 * MINUTE
"""Long enough for every rest to be over."""


async def ledger(mirror: Mirror, **wanted: Any) -> list[Tenancy]:
    """What the ledger says once all is mirrored, oldest first."""
    await mirror.catch_up()
    page = await Questions(mirror.engine).ledger(LedgerFilter(**wanted), limit=500)
    assert page.following is None
    return list(reversed(page.items))


class Leases:
    """Random steps of leases; ``done`` names those that succeeded."""

    def __init__(self, stage: Stage, seed: int) -> None:
        self.done: set[str] = set()
        self.draw = random.Random(seed)
        self._stage = stage
        self._reservations = 0

    async def leases(self) -> list[Lease]:
        """All, tails and reservations too."""
        _, proxies = await self._stage.pool.page("")
        return [proxy.lease for proxy in proxies if proxy.lease]

    async def step(self) -> None:
        self._stage.clock.move(self.draw.choice((1, MINUTE, LATER)))
        with suppress(RefusedError):
            await self.draw.choice((self._acquire, self._reserve, self._adopt, *[self._go_on] * 6))()

    async def _acquire(self) -> None:
        await self._stage.try_acquire(f"i{self.draw.randrange(6)}", human=True)

    async def _reserve(self) -> None:
        self._reservations += 1
        name = f"name-i{self.draw.randrange(6, 9)}"
        await self._stage.pool.reserve(
            "a", name, reservation=f"r{self._reservations}", expires_at=self._stage.clock.at + MINUTE, actor="cli:ana"
        )

    async def _adopt(self) -> None:
        instance = f"i{self.draw.randrange(9)}"
        row = self.draw.choice(await self._stage.pool.page_ids("", 50))
        await self._stage.see(instance, row=row)
        if (await self._stage.adopt(instance, row)).word == "ADOPTED":
            self.done.add("adopt")

    async def _go_on(self) -> None:
        leases = await self.leases()
        if not leases:
            return
        lease, pool = self.draw.choice(leases), self._stage.pool
        if lease.reservation is not None:
            if self.draw.random() < 0.5:
                await pool.expire_reservation("a", lease.reservation, cancelled=self.draw.random() < 0.5)
                self.done.add("expire")
                return
            instance = lease.name.removeprefix("name-")
            await self._stage.see(instance, row=lease.proxy_id)
            if (await self._stage.adopt(instance, lease.proxy_id)).word == "ADOPTED":
                self.done.add("fulfil")
            return
        word = self.draw.choice(("confirm", "rotate", "abandon", "release", "keep", "moved", "gone", "forced"))
        if word == "confirm":
            await pool.confirm(lease)
        elif word == "rotate":
            await pool.rotate(lease, reason="signs", human=True)
        elif word == "abandon":
            await pool.abandon(lease, self.draw.choice(("refused", "unsent", "unknown")))
        elif word == "release":
            await pool.begin_release(lease, Waits.ROW, reason="by_hand")
        elif word == "keep":
            await pool.cancel_release(lease, manage=True)
        elif word == "moved":
            await pool.begin_clear(lease)
            await pool.row_cleared(lease, "off")
            await pool.mark(lease, "down")
            await pool.finish_release(lease, Evidence.MOVED)
        elif self.draw.random() < 0.3:
            await pool.finish_release(lease, Evidence(word))
        else:
            return
        self.done.add(word)
