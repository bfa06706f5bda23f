"""Every script under the user of lua/README.md, who may touch nothing but one pool."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from redis.asyncio import Redis
from redis.exceptions import NoPermissionError

from service.errors import StoreUnavailableError
from service.pool.clock import Clock
from service.pool.pool import Pool, open_pool
from tests.lua.headers import README
from tests.lua.stage import MovedClock, Stage
from tests.lua.transitions import TRANSITIONS, read_everything
from tests.redis_server import running

pytestmark = pytest.mark.redis


def _rules() -> list[str]:
    """The documented ACL line, after the name of the user."""
    [line] = re.findall(r"^ACL SETUSER evoproxy (.+)$", README, re.MULTILINE)
    return str(line).replace("<password>", "secret").replace("<pool>", "default").split()


async def _execute(redis: Redis, *command: str) -> None:
    await redis.execute_command(*command)  # type: ignore[no-untyped-call]


async def test_every_script_needs_no_more_than_the_documented_rights(tmp_path: Path) -> None:
    with running(tmp_path) as url:
        async with Redis.from_url(url, decode_responses=True) as admin:
            await _execute(admin, "ACL", "SETUSER", "evoproxy", *_rules())
            for name, prepare in TRANSITIONS.items():
                await admin.flushall()
                async with open_pool(f"{url}?username=evoproxy&password=secret", "default") as pool:
                    pool.clock = clock = MovedClock()
                    stage = Stage(pool, clock)
                    await stage.open()
                    await (await prepare(stage))(pool)
                    assert await Clock().measure(pool.redis) is not None, name
            await admin.flushall()
            async with open_pool(f"{url}?username=evoproxy&password=secret", "default") as pool:
                pool.clock = clock = MovedClock()
                stage = Stage(pool, clock)
                await stage.open()
                await read_everything(stage)


async def test_it_reaches_nothing_else(tmp_path: Path) -> None:
    with running(tmp_path) as url:
        async with Redis.from_url(url, decode_responses=True) as admin:
            await _execute(admin, "ACL", "SETUSER", "evoproxy", *_rules())
        async with Redis.from_url(f"{url}?username=evoproxy&password=secret", decode_responses=True) as redis:
            with pytest.raises(StoreUnavailableError, match="NoPermissionError"):
                await Pool(redis, "other", clock=MovedClock()).renew_epoch("life")
            for command in (("FLUSHALL",), ("KEYS", "*"), ("CONFIG", "GET", "*"), ("GET", "elsewhere"), ("DEL", "x")):
                with pytest.raises(NoPermissionError):
                    await _execute(redis, *command)
