"""Fixtures of every room."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator
from zlib import crc32

import pytest
from hypothesis import settings
from redis.asyncio import Redis

from tests import redis_server
from tests.mutations import Copy
from tests.virtual import VirtualLoop

settings.register_profile("unhurried", settings(), deadline=None)
settings.load_profile("unhurried")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """One in twenty-four mutations, others with each random seed: each is a pytest of its own and takes seconds."""
    if os.environ.get("MUTATIONS") == "all":
        return
    seed = getattr(config.option, "randomly_seed", 0)
    kept: list[pytest.Item] = []
    left_out: list[pytest.Item] = []
    for item in items:
        drawn = (crc32(item.nodeid.encode()) + seed) % 24 == 0 or item.get_closest_marker("mutation") is None
        (kept if drawn else left_out).append(item)
    config.hook.pytest_deselected(items=left_out)
    items[:] = kept


def pytest_asyncio_loop_factories(item: pytest.Item) -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Virtual time for the tests that are marked so."""
    return {"loop": VirtualLoop if item.get_closest_marker("virtual") else asyncio.new_event_loop}


@pytest.fixture(scope="session")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """A copy of the project to be mutated."""
    return Copy(tmp_path_factory.mktemp("mutant"))


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a real redis-server of this session, without persistence."""
    with redis_server.running(tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    """A client of an empty database; emptied again afterwards."""
    async with Redis.from_url(redis_url, decode_responses=True) as client:
        yield client
        await client.flushall()
