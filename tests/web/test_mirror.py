"""SQL beside the service: it follows the pool, and that it is away stops nothing else."""

from __future__ import annotations

import logging
import socket
from pathlib import Path

import pytest
from pydantic import SecretStr
from redis.asyncio import Redis

from service.errors import SettingsError
from service.evolution.simulator import Simulator
from service.main import running
from service.settings import Settings
from service.web.context import MIRROR
from tests.helpers import wait_until
from tests.web.api import Api
from tests.web.conftest import serving, settings_for


async def parts(api: Api) -> tuple[int, str, dict[str, str]]:
    async with api.client.get("/readyz") as answer:
        body = await answer.json()
        return answer.status, body["status"], body["parts"]


async def told(api: Api, kind: str) -> bool:
    return bool((await api.call("GET", f"/events?type={kind}")).body["items"])


async def test_what_happens_is_in_sql_soon(api: Api) -> None:
    await api.add(3)
    await wait_until(lambda: told(api, "proxy.added"), what="the mirror has read it")
    assert (await api.get("/stats"))["mirrorLag"] == 0
    status, _, found = await parts(api)
    assert (status, found["mirror"], found["compare"], found["snapshots"]) == (200, "ok", "ok", "ok")


async def test_a_snapshot_by_hand(api: Api) -> None:
    await api.add(3)
    answer = await api.call("POST", "/snapshots")
    assert (answer.status, answer.body) == (200, {"compared": 3, "absent": 0, "differing": 0, "surplus": 0})
    assert (await api.get("/stats/history"))["points"]
    assert [event["actor"] for event in await api.events("pool.compared")] == ["token:the-admin"]


async def test_an_emptied_pool_says_what_to_do(api: Api) -> None:
    await api.add(4)
    assert (await api.call("POST", "/snapshots")).status == 200
    for proxy_id in await api.pool.page_ids("", 10):
        await api.pool.redis.delete(api.pool.keys.proxy(proxy_id))
        await api.pool.redis.zrem(api.pool.keys.named("all"), proxy_id)
    answer = await api.call("POST", "/snapshots")
    assert (answer.status, answer.code) == (409, "pool_emptied")
    assert "evoproxy restore" in answer.body["detail"]


async def test_nothing_is_handed_out_during_a_restore(api: Api, sim: Simulator) -> None:
    sim.create("one")
    await api.add(2)
    await api.pool.redis.hset(api.pool.keys.named("meta"), "restoring", "r1")
    answer = await api.call("POST", "/instances/one/proxy")
    assert (answer.status, answer.code) == (503, "restoring")
    assert answer.headers["Retry-After"]
    [warning] = (await api.get("/stats"))["warnings"]
    assert warning == "The pool is being restored, or a restore was interrupted: run evoproxy restore again"


async def test_without_sql_all_else_goes_on(
    redis: Redis, redis_url: str, tmp_path: Path, sim: Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    url = SecretStr(f"postgresql://ana:secret@127.0.0.1:{port}/none")
    caplog.set_level(logging.WARNING)
    async with serving(settings_for(redis_url, tmp_path, sim, database_url=url)) as api:
        await api.read_once()
        await api.add(2)
        sim.create("one")
        assert (await api.call("POST", "/instances/one/proxy")).status == 201
        mirror = api.client.app[MIRROR].loops[0]
        await wait_until(lambda: mirror.failures >= 3, what="it has been tried some times")
        assert (await api.get("/stats"))["mirrorLag"] > 0
        status, word, found = await parts(api)
        assert (status, word, found["mirror"]) == (200, "degraded", "store_unavailable")
        answer = await api.call("GET", "/events")
        assert (answer.status, answer.body["detail"]) == (503, "The store sql can't be reached")
    said = [record.getMessage() for record in caplog.records if getattr(record, "loop", "mirror") == "mirror"]
    assert (said.count("loop failed"), sum("SQL is out of reach" in one for one in said)) == (1, 1)
    assert "secret" not in caplog.text


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("sqlite:////nowhere/evoproxy.db", "DATABASE_URL: /nowhere is no folder"),
        ("sqlite:///:memory:", "DATABASE_URL: names no file"),
    ],
)
async def test_a_database_that_can_not_be_stops_the_start(
    redis: Redis, redis_url: str, tmp_path: Path, url: str, problem: str
) -> None:
    settings = Settings(redis_url=SecretStr(redis_url), data_dir=tmp_path, port=0, database_url=SecretStr(url))
    with pytest.raises(SettingsError) as caught:
        async with running(settings):
            pass
    assert caught.value.params["problems"][0].startswith(problem)


async def test_the_database_of_another_pool_stops_the_start(redis: Redis, redis_url: str, tmp_path: Path) -> None:
    settings = Settings(redis_url=SecretStr(redis_url), data_dir=tmp_path, port=0)
    async with running(settings):
        pass
    with pytest.raises(SettingsError, match="mirrors the pool default"):
        async with running(settings.model_copy(update={"pool": "another"})):
            pass


async def test_a_data_dir_that_can_not_be_made_is_named(redis: Redis, redis_url: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    settings = Settings(redis_url=SecretStr(redis_url), data_dir=tmp_path / "file" / "data", port=0)
    with pytest.raises(SettingsError, match="EVOPROXY_DATA_DIR"):
        async with running(settings):
            pass
