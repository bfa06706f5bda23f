"""A Redis that answers, but does not take writes, is an unavailable store: a clear error, nothing changed."""

from __future__ import annotations

from pathlib import Path

import pytest
from redis.asyncio import Redis

from service.errors import StoreUnavailableError
from service.models import Protocol, ProxySpec
from service.pool.pool import open_pool
from tests.redis_server import running

pytestmark = pytest.mark.redis

SPEC = ProxySpec(Protocol.HTTP, "192.0.2.1", 8080)


async def test_a_redis_without_memory_left(tmp_path: Path) -> None:
    with running(tmp_path) as url:
        async with open_pool(url, "full") as pool:
            await pool.redis.config_set("maxmemory", "1")
            with pytest.raises(StoreUnavailableError, match=r"OutOfMemoryError|OOM"):
                await pool.import_proxies([SPEC], stamp="one", actor="cli:test")
            await pool.redis.config_set("maxmemory", "0")
            assert await pool.proxy(SPEC.id) is None


async def test_a_redis_that_became_a_replica(tmp_path: Path) -> None:
    with running(tmp_path) as url:
        async with open_pool(url, "replica") as pool, Redis.from_url(url) as admin:
            await admin.replicaof("127.0.0.1", "1")
            with pytest.raises(StoreUnavailableError):
                await pool.import_proxies([SPEC], stamp="one", actor="cli:test")
            await admin.replicaof("NO", "ONE")
            assert await pool.proxy(SPEC.id) is None
