"""Fixtures of every room."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from zlib import crc32

import pytest
from redis import Redis as BlockingRedis
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from tests.helpers import redis_server


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Of the mutations a quarter, another one with each random seed: each is a pytest of its own and takes seconds."""
    if os.environ.get("MUTATIONS") == "all":
        return
    seed = getattr(config.option, "randomly_seed", 0)
    kept: list[pytest.Item] = []
    left_out: list[pytest.Item] = []
    for item in items:
        drawn = (crc32(item.nodeid.encode()) + seed) % 4 == 0 or item.get_closest_marker("mutation") is None
        (kept if drawn else left_out).append(item)
    config.hook.pytest_deselected(items=left_out)
    items[:] = kept


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a real redis-server of this session, without persistence."""
    binary = redis_server()
    folder = tmp_path_factory.mktemp("redis")
    url = f"unix://{folder}/redis.sock"
    with (folder / "log").open("wb") as log:
        command: list[str | Path] = [
            binary,
            "--port",
            "0",
            "--unixsocket",
            folder / "redis.sock",
            "--save",
            "",
            "--dir",
            folder,
        ]
        server = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        _answering(url, server, folder / "log")
        yield url
    finally:
        server.terminate()
        server.wait(timeout=10)


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    """A client of an empty database; emptied again afterwards."""
    async with Redis.from_url(redis_url, decode_responses=True) as client:
        yield client
        await client.flushall()


def _answering(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + 10
    with BlockingRedis.from_url(url) as client:
        while True:
            try:
                client.ping()
            except RedisConnectionError:
                if server.poll() is not None or time.monotonic() > end:
                    pytest.fail(f"redis-server does not start: {log.read_text()}")
                time.sleep(0.01)
            else:
                return
