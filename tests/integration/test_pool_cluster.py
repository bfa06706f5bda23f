"""Every script on a server in cluster mode: all keys of a pool share one slot, those that scripts build too."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from redis.asyncio import Redis
from redis.exceptions import ClusterCrossSlotError

from service.pool.pool import Pool
from tests.helpers import wait_until
from tests.lua.invariants import assert_invariants, dump
from tests.lua.stage import MovedClock, Stage
from tests.lua.transitions import TRANSITIONS, read_everything
from tests.redis_server import running

pytestmark = pytest.mark.redis


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def test_every_script_keeps_to_one_slot(tmp_path: Path) -> None:
    options = ("--cluster-enabled", "yes", "--cluster-port", str(_free_port()), "--bind", "127.0.0.1")
    with running(tmp_path, *options, port=_free_port()) as url:
        async with Redis.from_url(url, decode_responses=True) as redis:
            await redis.cluster("addslotsrange", 0, 16383)

            async def ready() -> bool:
                return bool((await redis.cluster("info"))["cluster_state"] == "ok")

            await wait_until(ready, what="the cluster is ok")
            with pytest.raises(ClusterCrossSlotError):
                await redis.mset({"one": 1, "another": 2})
            first = Stage(Pool(redis, "first", clock=MovedClock()), MovedClock())
            for name, prepare in TRANSITIONS.items():
                stage = await first.beside(name)
                await (await prepare(stage))(stage.pool)
                assert_invariants(await dump(redis, stage.pool.keys.root), stage.clock.now())
            await read_everything(await first.beside("reads"))
