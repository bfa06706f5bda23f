"""docs/integrators.md: its examples, run from top to bottom, one program a language, against a service of their own."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import orjson
import playwright
import pytest
from pydantic import SecretStr
from redis.asyncio import Redis

from service.evolution.simulator import Simulator
from service.pool.tokens import Role
from tests.helpers import require
from tests.web.api import Api
from tests.web.conftest import serving, settings_for

PAGE = (Path(__file__).parents[2] / "docs/integrators.md").read_text("utf-8")
SECRETS = {
    "EVOPROXY_JWT_SECRET": "a secret of the application, long enough",
    "EVOPROXY_WEBHOOK_SECRET": "the-webhooks-own-secret",
}
NODE = Path(playwright.__file__).parent / "driver/node"
"""Playwright's own: what a machine has is often too old to run TypeScript."""
DONE = {"proxy.added", "lease.reserved", "lease.rotated", "lease.releasing", "proxy.updated"}
"""What each language's examples do, by the audit."""


@pytest.fixture
async def shop(redis: Redis, redis_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    """The service that the page speaks of: the server ``default`` with the instance ``loja-1``, and no proxies yet."""
    async with Simulator() as sim:
        sim.create("loja-1", state="close")
        settings = settings_for(
            redis_url,
            tmp_path / "data",
            sim,
            jwt_secret=SecretStr(SECRETS["EVOPROXY_JWT_SECRET"]),
            webhook_secret=SecretStr(SECRETS["EVOPROXY_WEBHOOK_SECRET"]),
        )
        default = settings.servers[0].model_copy(update={"name": "default"})
        async with serving(settings.model_copy(update={"servers": (default,)})) as api:
            await api.read_once()
            yield api


def program(language: str) -> str:
    blocks = re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert len(blocks) > 6
    return "\n".join(blocks)


async def run(api: Api, folder: Path, *command: str) -> str:
    """What the program prints; it has to succeed, and to have done what the page tells of."""
    given = {
        "PATH": os.environ["PATH"],
        "API": str(api.client.make_url("/api/v1")),
        "TOKEN": api.tokens[Role.ADMIN],
        **SECRETS,
    }
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, cwd=folder, env=given, stdout=pipe, stderr=pipe)
    try:
        printed, complaints = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
    assert process.returncode == 0, (printed + complaints).decode()
    events = await api.events(*DONE)
    assert {event["type"] for event in events if event["actor"] == "token:the-admin"} == DONE
    return printed.decode()


async def test_bash(shop: Api, tmp_path: Path) -> None:
    require("curl", shutil.which("curl"))
    printed = await run(shop, tmp_path, "bash", "-euo", "pipefail", "-c", program("bash"))
    assert '"rejectedCount":1' in printed


async def test_python(shop: Api, tmp_path: Path) -> None:
    printed = await run(shop, tmp_path, sys.executable, "-c", program("python"))
    assert "jwt:ana" in printed


async def test_typescript(shop: Api, tmp_path: Path) -> None:
    require("Playwright's node", NODE.exists())
    examples = tmp_path / "examples.mts"
    examples.write_text(program("ts"), "utf-8")
    printed = await run(shop, tmp_path, str(NODE), "--experimental-strip-types", str(examples))
    assert "invalid: " in printed


async def test_the_refusal_is_what_is_answered(shop: Api) -> None:
    [shown] = map(orjson.loads, re.findall(r"^```json\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))
    wish = {"server": "default", "instance": "loja-3", "ttl": 1}
    answer = await shop.call("POST", "/reservations", wish, headers={"X-Request-Id": shown["requestId"]})
    assert shown == answer.body
