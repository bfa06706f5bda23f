"""The whole application on a real Redis and a simulated Evolution server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from pydantic import SecretStr
from redis.asyncio import Redis

from service.errors import RefusedError
from service.evolution.simulator import Paces, Simulator
from service.main import create_app
from service.pool.tokens import Role
from service.settings import ServerSettings, Settings
from service.web.bodies import LIMIT
from service.web.context import CONTROLLER, POOL
from tests.web.api import SUPERADMIN, Api


@asynccontextmanager
async def serving(settings: Settings, *, import_limit: int = 1 << 20) -> AsyncIterator[Api]:
    app = create_app(settings)
    app[LIMIT] = import_limit
    async with TestClient(TestServer(app)) as client:
        tokens = {Role.SUPERADMIN: SUPERADMIN}
        for role in (Role.VIEWER, Role.ADMIN):
            with suppress(RefusedError):
                await app[POOL].revoke_token(f"the-{role}", actor="cli:test")
            tokens[role] = await app[POOL].create_token(f"the-{role}", role, actor="cli:test")
        yield Api(client, app[POOL], app[CONTROLLER], tokens)


def settings_for(redis_url: str, folder: Path, *sims: Simulator, **values: Any) -> Settings:
    servers = [
        ServerSettings(name=name, base_url=sim.url, api_key=SecretStr(sim.api_key))
        for name, sim in zip(("a", "b"), sims, strict=False)
    ]
    defaults = {"poll_interval": 0.1, "restart_rate": 1000, "restart_burst": 1000, "locale": "en"}
    return Settings(
        redis_url=SecretStr(redis_url),
        data_dir=folder,
        superadmin_token=SecretStr(SUPERADMIN),
        servers=servers,
        **{**defaults, **values},
    )


@pytest.fixture
async def sim() -> AsyncIterator[Simulator]:
    async with Simulator(paces=Paces.fast()) as simulator:
        yield simulator


@pytest.fixture
async def api(redis: Redis, redis_url: str, tmp_path: Path, sim: Simulator) -> AsyncIterator[Api]:
    """One server, ``a``, that was read once. ``assign_on`` is ``open``, and no instance is there yet."""
    async with serving(settings_for(redis_url, tmp_path, sim)) as api:
        await api.read_once()
        yield api


@pytest.fixture
async def two(redis: Redis, redis_url: str, tmp_path: Path, sim: Simulator) -> AsyncIterator[tuple[Api, Simulator]]:
    """Two servers, ``a`` (the fixture ``sim``) and ``b``."""
    async with (
        Simulator(paces=Paces.fast(), api_key="the-other-key") as other,
        serving(settings_for(redis_url, tmp_path, sim, other)) as api,
    ):
        await api.read_once()
        yield api, other
