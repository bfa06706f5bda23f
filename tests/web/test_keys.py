"""EVOPROXY_ENCRYPTION_KEY and the start: the right keys, or a clear word."""

from __future__ import annotations

from pathlib import Path

import pytest
from aiohttp import web
from redis.asyncio import Redis

from service.errors import SettingsError
from service.main import create_app
from service.settings import Settings
from tests.web.api import Api, proxy
from tests.web.conftest import serving, settings_for

KEY = "a key of the operator"


async def secret_of(api: Api, proxy_id: str) -> str:
    return str(await api.pool.redis.hget(api.pool.keys.proxy(proxy_id), "secret"))


async def refusal(settings: Settings) -> str:
    """The one line that stops the start."""
    runner = web.AppRunner(create_app(settings))
    try:
        with pytest.raises(SettingsError) as caught:
            await runner.setup()
    finally:
        await runner.cleanup()
    [problem] = caught.value.params["problems"]
    return str(problem)


async def test_without_a_key_of_the_pool_it_does_not_start(redis: Redis, redis_url: str, tmp_path: Path) -> None:
    async with serving(settings_for(redis_url, tmp_path, encryption_key=KEY)) as api:
        await api.add()
    told = await refusal(settings_for(redis_url, tmp_path))
    assert told.startswith("EVOPROXY_ENCRYPTION_KEY: not set, but the pool holds")
    told = await refusal(settings_for(redis_url, tmp_path, encryption_key="quite another key"))
    assert told.startswith("EVOPROXY_ENCRYPTION_KEY: does not hold every key")
    async with serving(settings_for(redis_url, tmp_path, encryption_key=f"quite another key, {KEY}")) as api:
        assert (await api.pool.spec(proxy().id)) == proxy()


async def test_a_pool_in_clear_goes_on_with_a_key_and_says_how_to_encrypt_the_rest(
    redis: Redis, redis_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(settings_for(redis_url, tmp_path)) as api:
        [first] = await api.add()
    assert "rotate-key" not in caplog.text
    async with serving(settings_for(redis_url, tmp_path, encryption_key=KEY)) as api:
        assert "evoproxy rotate-key" in caplog.text
        [second] = await api.add(1, port=81)
        assert (await secret_of(api, first)).startswith("plain:")
        assert (await secret_of(api, second)).startswith("sealed:")
        await api.add()
        assert await api.events("proxy.updated") == [], "the same file under a key is the same file"
        async for _ in api.pool.rotate_key(actor="cli:test"):
            pass
        assert (await secret_of(api, first)).startswith("sealed:")
    caplog.clear()
    async with serving(settings_for(redis_url, tmp_path, encryption_key=KEY)):
        assert "rotate-key" not in caplog.text
