"""What the tests of the command line share."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from redis import Redis

from service.evolution.simulator import Paces, Simulator


@pytest.fixture
def store(redis_url: str) -> Iterator[Any]:
    """A blocking client of an empty database; emptied again afterwards."""
    with Redis.from_url(redis_url, decode_responses=True) as client:
        yield client
        client.flushall()


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    """A server without an instance."""
    async with Simulator(paces=Paces.fast()) as simulator:
        yield simulator
