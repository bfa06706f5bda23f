"""The demo keeps what it promises: every open instance on a proxy of its own, and nothing left behind."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import ClientSession
from redis.asyncio import Redis

from service.cli.command import DONE, USAGE
from service.demo import PROXIES, Demo, play
from service.embedded import find_running
from service.errors import SettingsError
from service.settings import Settings
from tests.helpers import LONG, wait_until

pytestmark = pytest.mark.redis

ROOT = Path(__file__).parents[2]
"""Seconds from serving until all open instances hold distinct proxies."""


def exits_are_distinct(demo: Demo) -> bool:
    """The thing itself: each open instance's socket goes out through a proxy, and no two through one."""
    exits = list(demo.simulator.exits().values())
    opened = sum(one.state == "open" for one in demo.simulator.memory.values())
    return 0 < opened == len(exits) == len(set(exits)) and None not in exits


@pytest.mark.slow
async def test_all_open_instances_go_out_through_their_own_proxies() -> None:
    async with play(Settings(port=0)) as demo, ClientSession() as session:

        async def stats() -> dict[str, int]:
            async with session.get(
                f"{demo.url}/api/v1/stats", headers={"Authorization": f"Bearer {demo.token}"}
            ) as answer:
                assert answer.status == 200
                figures: dict[str, int] = await answer.json()
                return figures

        async def protected() -> bool:
            figures = await stats()
            return figures["unprotected"] == 0 and figures["used"] >= 50 and exits_are_distinct(demo)

        assert (await stats())["total"] == PROXIES
        await wait_until(protected, deadline=4 * LONG, what="every open instance on its own proxy")
        demo.simulator.assert_no_shared_exit()


async def test_a_directory_in_use_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "appendonlydir").mkdir()
    with pytest.raises(SettingsError) as refused:
        async with play(Settings(port=0), data_dir=tmp_path):
            pytest.fail("played on somebody's data")
    assert str(tmp_path) in refused.value.params["problems"][0]
    assert [path.name for path in tmp_path.iterdir()] == ["appendonlydir"]


@asynccontextmanager
async def process(temporary: Path, *args: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """``evoproxy demo`` in a process of its own, whose temporary files are below ``temporary``."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("EVOPROXY")}
    env |= {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", "TMPDIR": str(temporary), "EVOPROXY_LOCALE": "en"}
    started = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "service.cli", "demo", *args),
        cwd=temporary,
        env=env,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield started
    finally:
        if started.returncode is None:
            started.kill()
        await started.wait()
        for folder in temporary.iterdir():  # a killed owner's Redis lives on
            if left := await find_running(folder):
                async with Redis.from_url(left) as redis:
                    await redis.shutdown()


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_ends_all_of_it(tmp_path: Path, number: signal.Signals) -> None:
    async with process(tmp_path, "--port", "0") as demo:
        assert demo.stdout is not None
        assert demo.stderr is not None
        log = asyncio.create_task(demo.stderr.read())
        told = ""
        while "Token" not in told:
            line = await demo.stdout.readline()
            assert line, (await log).decode()
            told += line.decode()
        assert re.search(r"Address: http://127\.0\.0\.1:\d+\n +Token: +\S{16,}\n", told)
        (folder,) = tmp_path.glob("evoproxy-demo-*")
        url = await find_running(folder)
        assert url is not None
        async with Redis.from_url(url) as redis:
            server = int((await redis.info("server"))["process_id"])

        demo.send_signal(number)
        assert await asyncio.wait_for(demo.wait(), LONG) == DONE, (await log).decode()
        assert not re.search(r"INFO|Traceback", (await log).decode()), "nothing scrolls the address away"
    with pytest.raises(ProcessLookupError):
        os.kill(server, 0)
    assert list(tmp_path.iterdir()) == []


async def test_a_busy_port_is_named(tmp_path: Path) -> None:
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = busy.getsockname()[1]
        async with process(tmp_path, "--port", str(port)) as demo:
            _, told = await demo.communicate()
    assert demo.returncode == USAGE
    last = told.decode().splitlines()[-1]
    assert last.startswith(f"evoproxy: EVOPROXY_PORT: 127.0.0.1:{port} can't be listened on")
    assert list(tmp_path.iterdir()) == []
