"""Instances that open together get their proxies together: one call of the script for many."""

from __future__ import annotations

import asyncio
from typing import TypeAlias

from service.pool.batches import Outcome, Wish
from service.pool.models import Lease
from service.pool.pool import Pool

_TOGETHER = 50
"""Wishes a call: some five milliseconds of Redis' time."""

_Given: TypeAlias = tuple[Outcome, Lease | None]
_Waiting: TypeAlias = tuple[Wish, asyncio.Future[_Given]]


class Acquiring:
    """The automatic acquires of one server. A wish waits for the call that is under way, never for others to come."""

    def __init__(self, pool: Pool, server: str) -> None:
        self._pool = pool
        self._server = server
        self._waiting: dict[tuple[str, bool], list[_Waiting]] = {}
        self._answering: asyncio.Task[None] | None = None

    async def acquire(self, wish: Wish, *, reason: str, probe: bool = False) -> _Given:
        """The outcome, and with ``LEASED`` the lease unless it is over already.

        Raises what :meth:`~service.pool.pool.Pool.acquire` raises. Who is cancelled while it waits may leave a
        reservation, as after a crash.
        """
        answer: asyncio.Future[_Given] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault((reason, probe), []).append((wish, answer))
        if self._answering is None:
            self._answering = asyncio.create_task(self._answer_all(), name=f"acquire:{self._server}")
        return await answer

    async def _answer_all(self) -> None:
        try:
            while self._waiting:
                kind, waiting = self._waiting.popitem()
                if len(waiting) > _TOGETHER:
                    self._waiting[kind] = waiting[_TOGETHER:]
                await self._answer(*kind, waiting[:_TOGETHER])
        finally:
            self._answering = None

    async def _answer(self, reason: str, probe: bool, waiting: list[_Waiting]) -> None:
        try:
            wishes = [wish for wish, _ in waiting]
            outcomes = await self._pool.acquire(self._server, wishes, reason=reason, probe=probe)
            leases = await self._pool.leases_at([one.proxy_id for one in outcomes if one.word == "LEASED"])
        except Exception as error:
            for _, answer in waiting:
                if not answer.done():
                    answer.set_exception(error)
            return
        for (_, answer), outcome in zip(waiting, outcomes, strict=True):
            lease = leases.get(outcome.proxy_id)
            if not answer.done():
                answer.set_result((outcome, lease if lease is not None and lease.token == outcome.token else None))
