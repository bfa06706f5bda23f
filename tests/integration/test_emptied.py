"""Redis is emptied under the running service and restored from SQL (tests/load/emptied.py), with fewer instances."""

from __future__ import annotations

from pathlib import Path

import pytest
from redis.asyncio import Redis

from tests.load.emptied import emptied
from tests.load.simulated import simulated

pytestmark = [pytest.mark.redis, pytest.mark.slow]

INSTANCES = 30


@pytest.mark.timeout(600)
async def test_every_instance_keeps_the_proxy_that_it_had(redis: Redis, redis_url: str, tmp_path: Path) -> None:
    async with simulated() as server:
        found = await emptied(redis_url, server, tmp_path, INSTANCES)
    assert (found.restored, found.leases) == (2 * INSTANCES, INSTANCES)
    assert (found.moved, found.broken, found.drift, found.calls, found.shared) == (0, 0, 0, 0, 0)
