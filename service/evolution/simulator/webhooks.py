"""Posting of events to the global and the per-instance webhook (EVOLUTION.md, 11)."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import aiohttp
import jwt
import orjson

from service.evolution.simulator.concurrency import Tasks
from service.evolution.simulator.connector import Sleep
from service.evolution.simulator.instance import Instance, iso
from service.evolution.simulator.warts import Warts

GLOBAL_EVENTS = frozenset({"instance.create", "instance.delete", "connection.update", "qrcode.updated"})
"""status.instance, logout.instance and remove.instance never come globally (B28)."""
EVENTS = GLOBAL_EVENTS | {"status.instance", "logout.instance", "remove.instance"}
_FINAL_STATUSES = frozenset({400, 401, 403, 404, 422})


@dataclass(frozen=True, slots=True)
class Retries:
    """The server's defaults, in seconds: waits of ``first * 2**n`` up to ``longest``, with 20 % of jitter."""

    first: float = 5.0
    longest: float = 300.0
    attempts: int = 10
    timeout: float = 30.0

    def wait(self, failures: int, rng: random.Random) -> float:
        """Seconds after the given number of failures (1 or more); never less than ``first``."""
        return max(self.first, min(self.first * 2.0 ** (failures - 1), self.longest) * rng.uniform(0.8, 1.2))


class Webhooks:
    """Posts each event by itself, so later ones overtake those that are retried. Calls never wait for it.

    ``url`` is the global webhook (``None``: none); with ``by_events`` the event is appended to its path.
    Of one event the per-instance webhook is posted first and holds up the global one by all its retries.
    """

    def __init__(
        self,
        url: str | None,
        *,
        by_events: bool,
        server_url: Callable[[], str],
        warts: Warts,
        retries: Retries,
        tasks: Tasks,
        sleep: Sleep,
        rng: random.Random,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.url = url
        self._by_events = by_events
        self._server_url = server_url
        self._warts = warts
        self._retries = retries
        self._tasks = tasks
        self._sleep = sleep
        self._rng = rng
        self._now = now
        self._session: aiohttp.ClientSession | None = None
        self._undelivered: set[asyncio.Task[None]] = set()

    def emit(self, instance: Instance, event: str, data: object) -> None:
        """Post the event, as things are now, to whoever listens for it."""
        local = instance.webhook
        if local is not None and not _wants(local, event):
            local = None
        if local is None and (self.url is None or event not in GLOBAL_EVENTS):
            return
        at_global = None if self.url is None else _by_event(self.url, event)
        body = {
            "event": event,
            "instance": instance.name,
            "data": data,
            "destination": local["url"] if local else at_global,
            "date_time": iso(self._now()),
            "sender": instance.sender,
            "server_url": self._server_url(),
            "apikey": instance.token if self._warts.webhook_apikey else None,
        }
        if instance.sender is None:
            del body["sender"]
        delivery = self._tasks.spawn(self._deliver(event, orjson.dumps(body), local))
        self._undelivered.add(delivery)
        delivery.add_done_callback(self._undelivered.discard)

    def lose(self) -> None:
        """Forget what is not delivered, as a restart of the server does (11, B28)."""
        for delivery in self._undelivered:
            delivery.cancel()

    async def close(self) -> None:
        """The tasks have ended before."""
        if self._session is not None:
            await self._session.close()

    async def _deliver(self, event: str, body: bytes, local: Mapping[str, Any] | None) -> None:
        if self._warts.webhooks_shuffled:
            await self._sleep(self._rng.uniform(0, self._warts.webhooks_shuffled))
        if local is not None:
            url = _by_event(local["url"], event) if local["webhookByEvents"] else local["url"]
            await self._post(url, body, _headers(local["headers"] or {}, self._now()))
        if self.url is not None and event in GLOBAL_EVENTS:
            url = _by_event(self.url, event) if self._by_events else self.url
            await self._post(url, body, {})
            if self._rng.random() < self._warts.webhooks_repeated:
                await self._post(url, body, {})

    async def _post(self, url: str, body: bytes, headers: Mapping[str, str]) -> None:
        for failures in range(1, self._retries.attempts + 1):
            if await self._accepted(url, body, headers):
                return
            if failures < self._retries.attempts:
                await self._sleep(self._retries.wait(failures, self._rng))

    async def _accepted(self, url: str, body: bytes, headers: Mapping[str, str]) -> bool:
        """Whether this needs no retry: taken, or refused for good."""
        if self._session is None:
            agent = {"content-type": "application/json", "user-agent": "axios/1.13.2"}
            self._session = aiohttp.ClientSession(headers=agent, timeout=aiohttp.ClientTimeout(self._retries.timeout))
        try:
            async with self._session.post(url, data=body, headers=headers, max_redirects=21) as answer:
                return answer.ok or answer.status in _FINAL_STATUSES
        except (TimeoutError, aiohttp.ClientError, OSError):
            return False


def _wants(webhook: Mapping[str, Any], event: str) -> bool:
    if not webhook["enabled"]:
        return False
    return not webhook["events"] or event.upper().replace(".", "_") in webhook["events"]


def _by_event(url: str, event: str) -> str:
    return f"{url.rstrip('/')}/{quote(event.replace('.', '-'))}"


def _headers(configured: Mapping[str, str], now: float) -> dict[str, str]:
    """The headers as given; ``jwt_key`` becomes a bearer token signed with it."""
    headers = {name: value for name, value in configured.items() if name != "jwt_key"}
    if key := configured.get("jwt_key"):
        claims = {"iat": int(now), "exp": int(now) + 600, "app": "evolution", "action": "webhook"}
        headers["authorization"] = f"Bearer {jwt.encode(claims, key, algorithm='HS256')}"
    return headers
