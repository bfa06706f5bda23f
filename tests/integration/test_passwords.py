"""A password goes the whole way unharmed: file, pool, Evolution, read back, and out again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr
from redis.asyncio import Redis

from service.control.intake import import_proxies
from service.evolution.client import EvolutionClient
from service.evolution.simulator import Simulator
from service.importing import Parsed, parse, render
from service.models import Protocol, ProxySpec
from service.pool.pool import Pool
from service.pool.vault import Vault

pytestmark = pytest.mark.redis

PRINTABLE = st.characters(exclude_categories=["Cs", "Cc", "Cf", "Zl", "Zp", "Zs", "Cn", "Co"])


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(password=st.text(PRINTABLE, min_size=1, max_size=8), keyed=st.booleans())
async def test_a_password_of_any_characters(redis: Redis, password: str, keyed: bool) -> None:
    await redis.flushall()
    spec = ProxySpec(Protocol.HTTP, "192.0.2.1", 8080, "user", password)
    pool = Pool(redis, "passwords", vault=Vault(["a key of the test"] if keyed else []))

    async def source() -> AsyncIterator[bytes]:
        yield f"{render(spec)}\n".encode()

    assert (await import_proxies(pool, source(), actor="cli:test")).added == 1
    stored = await pool.spec(spec.id)
    assert stored is not None
    async with (
        Simulator() as server,
        EvolutionClient.open("a", server.url, SecretStr(server.api_key)) as client,
    ):
        server.create("x")
        await client.set_proxy("x", stored)
        row = await client.find_proxy("x")
    assert row is not None
    assert row.names(spec)
    assert not row.names(replace(spec, password=password + "x"))
    [back] = parse([render(stored).encode()])
    assert isinstance(back, Parsed)
    assert back.spec == spec
