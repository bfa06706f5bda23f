"""Each test of the mirror runs on SQLite, on a real PostgreSQL and on a real MariaDB, in a database of its own."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from redis.asyncio import Redis
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from service.mirror.database import open_database
from service.mirror.migrate import migrate
from service.mirror.mirror import Mirror
from tests.lua.stage import Stage
from tests.mirror.scene import stage_on
from tests.mirror.servers import Server, mariadb, postgresql

BACKENDS = [
    "sqlite",
    pytest.param("postgresql", marks=pytest.mark.postgresql),
    pytest.param("mariadb", marks=pytest.mark.mariadb),
]


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[Server]:
    with postgresql() as server:
        yield server


@pytest.fixture(scope="session")
def mariadb_server() -> Iterator[Server]:
    with mariadb() as server:
        yield server


@pytest.fixture(params=BACKENDS)
async def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """An empty database."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/mirror.db"
        return
    server: Server = request.getfixturevalue(f"{request.param}_server")
    name = f"test_{uuid.uuid4().hex}"
    async with open_database(server.url(server.first)) as engine:
        alone = engine.execution_options(isolation_level="AUTOCOMMIT")
        async with alone.connect() as connection:
            await connection.execute(text(f"CREATE DATABASE {name}"))
        yield server.url(name)
        async with alone.connect() as connection:
            force = " WITH (FORCE)" if request.param == "postgresql" else ""
            await connection.execute(text(f"DROP DATABASE {name}{force}"))


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    """A database with evoproxy's tables."""
    async with open_database(database_url) as engine:
        await migrate(engine)
        yield engine


@pytest.fixture
async def stage(redis: Redis) -> Stage:
    """A pool with one server, whose gate is open, on a real Redis."""
    return await stage_on(redis, "test")


@pytest.fixture
def mirror(stage: Stage, engine: AsyncEngine) -> Mirror:
    return Mirror(stage.pool, engine)
