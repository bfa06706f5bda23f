"""Starting, failing to start, losing Redis and stopping: the service as a process and as a whole."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import socket
import stat
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from pydantic import SecretStr
from redis.asyncio import Redis

from service import log, main
from service.errors import SettingsError, StoreUnavailableError
from service.evolution.client import Limits
from service.evolution.simulator import Fault, Simulator
from service.main import running
from service.pool.pool import Pool, open_pool
from service.pool.tokens import Role
from service.settings import ServerSettings, Settings
from tests import redis_server
from tests.helpers import LONG, wait_until
from tests.web.api import SUPERADMIN, Api
from tests.web.conftest import serving, settings_for

ROOT = Path(__file__).parents[2]


async def start(settings: Settings) -> None:
    async with running(settings):
        pass


def bare(folder: Path, **values: Any) -> Settings:
    return Settings(data_dir=folder, port=0, superadmin_token=SecretStr(SUPERADMIN), **values)


async def test_a_redis_that_evicts_is_refused(tmp_path: Path) -> None:
    with (
        redis_server.running(tmp_path, "--maxmemory-policy", "allkeys-lru") as url,
        pytest.raises(SettingsError) as caught,
    ):
        await start(bare(tmp_path, redis_url=SecretStr(url)))
    assert "REDIS_URL" in str(caught.value)
    assert "allkeys-lru" in str(caught.value)


async def test_without_aof_it_warns(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with redis_server.running(tmp_path, "--appendonly", "yes") as url:
        await start(bare(tmp_path, redis_url=SecretStr(url)))
        assert "AOF" not in caplog.text
    with redis_server.running(tmp_path, "--appendonly", "no") as url:
        await start(bare(tmp_path, redis_url=SecretStr(url)))
    assert "AOF" in caplog.text


async def test_an_unreachable_redis_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailableError) as caught:
        await start(bare(tmp_path, redis_url=SecretStr(f"unix://{tmp_path}/none.sock")))
    assert caught.value.params["store"] == "redis"


async def test_a_taken_port_is_named(redis: Redis, redis_url: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = bare(tmp_path, redis_url=SecretStr(redis_url))
        settings = settings.model_copy(update={"port": taken.getsockname()[1]})
        with pytest.raises(SettingsError) as refused:
            await start(settings)
    told = f"EVOPROXY_PORT: 127.0.0.1:{settings.port} can't be listened on: Address already in use"
    assert refused.value.params["problems"] == [told]
    assert await redis.keys("*meta") == [], "it has not acted before it had the port"


@pytest.mark.parametrize("host", ["no-such-host.invalid", "a..b", "192.0.2.1"])
async def test_a_host_that_is_not_ours_is_named(tmp_path: Path, host: str) -> None:
    with pytest.raises(SettingsError, match="EVOPROXY_HOST"):
        await start(bare(tmp_path / "data", host=host))
    assert not (tmp_path / "data").exists()


async def test_a_free_port_is_the_same_on_all_addresses_of_a_host(redis: Redis, redis_url: str, tmp_path: Path) -> None:
    async with running(bare(tmp_path, redis_url=SecretStr(redis_url), host="localhost")) as url:
        port = int(url.rpartition(":")[2])
        for *_, address in socket.getaddrinfo("localhost", port, type=socket.SOCK_STREAM):
            with socket.create_connection((str(address[0]), port), timeout=LONG):
                pass


async def test_the_settings_secrets_are_masked(redis: Redis, redis_url: str, tmp_path: Path) -> None:
    settings = bare(tmp_path, redis_url=SecretStr(redis_url), webhook_secret=SecretStr("seldom-seen-words"))
    server = ServerSettings(name="a", base_url="http://127.0.0.1:9", api_key=SecretStr("rarely-used-key"))
    await start(settings.model_copy(update={"servers": (server,)}))
    assert log.masked("seldom-seen-words rarely-used-key") == f"{log.MASK} {log.MASK}"


def test_a_password_in_a_store_url_is_masked_in_both_spellings(tmp_path: Path) -> None:
    main.mask_secrets(
        bare(tmp_path, database_url=SecretStr("mysql://ana:hid%5Bden%2B@h/d"), jwt_secret=SecretStr("//[" + "x" * 32))
    )
    assert log.masked("hid%5Bden%2B hid[den+") == f"{log.MASK} {log.MASK}"


async def test_a_second_serve_on_one_data_dir_is_refused(tmp_path: Path) -> None:
    async with running(bare(tmp_path)):
        with pytest.raises(SettingsError, match="in use by another evoproxy"):
            await start(bare(tmp_path))


async def test_a_start_without_a_server_says_so(
    redis: Redis, redis_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await start(bare(tmp_path, redis_url=SecretStr(redis_url)))
    assert "no Evolution server is configured" in caplog.text


async def test_the_first_start_makes_the_superadmins_token(
    redis: Redis, redis_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = Settings(redis_url=SecretStr(redis_url), data_dir=tmp_path / "data", port=0)
    file = tmp_path / "data" / "superadmin.token"
    async with running(settings) as url, aiohttp.ClientSession(url) as http:
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        text = file.read_text().strip()
        async with http.get("/api/v1/tokens", headers={"Authorization": f"Bearer {text}"}) as answer:
            assert answer.status == 200
    assert text not in caplog.text
    file.unlink()
    await start(settings)
    assert not file.exists()


async def test_on_a_terminal_it_is_shown_there_only(
    redis: Redis, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    await start(Settings(redis_url=SecretStr(redis_url), data_dir=tmp_path / "data", port=0))
    assert "evp_superadmin_" in capsys.readouterr().err
    assert not (tmp_path / "data" / "superadmin.token").exists()


async def test_a_token_that_can_not_be_handed_over_is_taken_back(redis: Redis, redis_url: str, tmp_path: Path) -> None:
    (tmp_path / "data").touch()
    with pytest.raises(SettingsError, match="EVOPROXY_DATA_DIR"):
        await start(Settings(redis_url=SecretStr(redis_url), data_dir=tmp_path / "data", port=0))
    assert await redis.keys("*tokens") == []


async def test_a_crash_after_the_token_was_handed_over_loses_none(
    redis: Redis, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(redis_url=SecretStr(redis_url), data_dir=tmp_path, port=0)
    file = tmp_path / "superadmin.token"

    async def crash(self: Pool, text: str) -> bool:
        assert file.read_text() == text + "\n"
        raise StoreUnavailableError(store="redis")

    with monkeypatch.context() as patched:
        patched.setattr(Pool, "make_superadmin", crash)
        with pytest.raises(StoreUnavailableError):
            await start(settings)
    async with open_pool(redis_url, "default") as pool:
        assert await pool.token_of(file.read_text().strip()) is None
        await start(settings)
        assert await pool.token_of(file.read_text().strip()) is not None


async def test_of_two_first_starts_one_token_remains(
    redis: Redis, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = Pool.make_superadmin

    async def second(self: Pool, text: str) -> bool:
        await self.set_superadmin("the other's token")
        return await make(self, text)

    monkeypatch.setattr(Pool, "make_superadmin", second)
    await start(Settings(redis_url=SecretStr(redis_url), data_dir=tmp_path, port=0))
    assert not (tmp_path / "superadmin.token").exists()


async def test_a_lost_redis_answers_503_and_recovers(tmp_path: Path, sim: Simulator) -> None:
    with redis_server.running(tmp_path, "--appendonly", "yes", "--appendfsync", "always") as url:
        context = serving(settings_for(url, tmp_path, sim))
        api = await context.__aenter__()
        await api.read_once()
        await api.add(2)
    for method, path in (("GET", "/stats"), ("POST", "/pause")):
        answer = await api.call(method, path)
        assert (answer.status, answer.code) == (503, "store_unavailable")
        assert int(answer.headers["Retry-After"]) > 0
    async with api.client.get("/readyz") as ready:
        assert (ready.status, (await ready.json())["parts"]["pool"]) == (503, "store_unavailable")
    async with api.client.get("/livez") as live:
        assert live.status == 200
    with redis_server.running(tmp_path, "--appendonly", "yes", "--appendfsync", "always"):
        sim.create("one", state="open")
        await wait_until(lambda: _protected(api), what="the loops go on by themselves")
        await context.__aexit__(None, None, None)


async def _protected(api: Api) -> bool:
    answer = await api.call("GET", "/instances/one", role=Role.VIEWER)
    return answer.status == 200 and answer.body["applied"] == "yes"


async def test_sigterm_ends_the_process_in_time_with_a_set_in_flight(tmp_path: Path, sim: Simulator) -> None:
    sim.create("one", state="open")
    sim.warts.faults.append(Fault("proxy/set", hang=True))
    code = (
        "from pathlib import Path; from pydantic import SecretStr; from service.settings import Settings;"
        "from service import log, main; import sys; log.configure('json');"
        "main.serve(Settings(evolution_api_base_url=sys.argv[1], global_api_key=SecretStr(sys.argv[2]),"
        "data_dir=Path(sys.argv[3]), port=int(sys.argv[4]), poll_interval=0.1, superadmin_token=SecretStr('x' * 20)))"
    )
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        code,
        sim.url,
        sim.api_key,
        str(tmp_path / "data"),
        str(port),
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    said = asyncio.create_task(process.stderr.read())
    try:
        headers = {"Authorization": "Bearer " + "x" * 20}
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}", headers=headers) as http:

            async def listed() -> bool:
                try:
                    async with http.post(
                        "/api/v1/proxies/import",
                        data="192.0.2.1:80\n192.0.2.2:80",
                        headers={"Content-Type": "text/plain"},
                    ) as answer:
                        return answer.status == 200
                except aiohttp.ClientError:
                    return False

            await wait_until(listed, what="it serves")
            await wait_until(lambda: bool(sim.calls.to("proxy/set")), what="a set is in flight")
            sim.create("two")
            assigning = asyncio.create_task(http.post("/api/v1/instances/two/proxy"))
            await wait_until(lambda: len(sim.calls.to("proxy/set")) == 2, what="a request is in flight")
            async with http.get("/api/v1/stats/stream") as stream:
                await stream.content.readuntil(b"event: stats")
                process.send_signal(signal.SIGTERM)
                assert await asyncio.wait_for(process.wait(), Limits().set_proxy - 5) == 0, "it waits for the set"
                with pytest.raises(aiohttp.ClientError):
                    await assigning
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        log_text = (await said).decode()
    assert '"evoproxy serves"' in log_text
    assert '"stopped"' in log_text
    assert sim.api_key not in log_text


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def test_the_stop_leaves_time_for_the_stores() -> None:
    assert main._REQUESTS_END + main._ACTS_END <= 7


def test_what_is_there_at_the_start_is_in_no_full_collection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    @asynccontextmanager
    async def stopped_at_once(_: Settings) -> AsyncIterator[str]:
        asyncio.get_running_loop().call_soon(signal.raise_signal, signal.SIGTERM)
        yield ""

    monkeypatch.setattr(main, "running", stopped_at_once)
    try:
        main.serve(bare(tmp_path))
        assert gc.get_freeze_count() > 10_000
    finally:
        gc.unfreeze()
