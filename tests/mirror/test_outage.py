"""A database that is away: the pool goes on, and what happened meanwhile is caught up."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from redis.asyncio import Redis

from service.errors import StoreUnavailableError
from service.mirror.database import open_database
from service.mirror.mirror import Mirror
from tests.helpers import wait_until
from tests.lua.stage import Stage
from tests.mirror.scene import Life, assert_events_once, assert_table_equals_pool, stream
from tests.mirror.servers import Server, mariadb, postgresql

pytestmark = [pytest.mark.redis, pytest.mark.slow]


@pytest.fixture(
    params=[
        pytest.param(postgresql, marks=pytest.mark.postgresql, id="postgresql"),
        pytest.param(mariadb, marks=pytest.mark.mariadb, id="mariadb"),
    ]
)
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """One of its own, to be killed."""
    with request.param() as server:
        yield server


async def test_killed_and_started_again(redis: Redis, stage: Stage, server: Server) -> None:
    await stage.add(20)
    life = Life(stage, 8)
    async with open_database(server.url(server.first)) as engine:
        mirror = Mirror(stage.pool, engine, batch=50)
        await mirror.catch_up()
        server.kill()
        await life.happen(300)
        for _ in range(2):
            with pytest.raises(StoreUnavailableError) as caught:
                await mirror.catch_up()
            assert caught.value.params["store"] == "sql"
        assert mirror.lag
        server.start()
        await mirror.catch_up()
        assert (mirror.lag, mirror.lost) == (0, 0)
        await assert_events_once(engine, await stream(stage))
        await assert_table_equals_pool(engine, stage.pool)


async def test_its_loop_waits_and_goes_on(stage: Stage, server: Server) -> None:
    server.kill()
    async with open_database(server.url(server.first)) as engine:
        mirror = Mirror(stage.pool, engine)
        mirror.loop.interval = 0.01
        mirror.loop.start()
        await wait_until(lambda: mirror.loop.failures, what="the loop fails")
        server.start()
        await wait_until(lambda: mirror.loop.last_success is not None, what="the loop succeeds")
        await mirror.loop.stop()
        await assert_events_once(engine, await stream(stage))
