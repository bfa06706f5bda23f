"""JWTs of an application by HTTP: what they open, and what those that are no good are told."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr
from redis.asyncio import Redis

from service.evolution.simulator import Simulator
from service.pool.tokens import Role
from tests.helpers import wait_until
from tests.web.api import Api
from tests.web.conftest import serving, settings_for
from tests.web.issuer import SECRET, Published, jwk, rsa_key, signed
from tests.web.logins import call, log_in


def bearing(text: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {text}"}


@pytest.fixture
async def jwt_api(redis: Redis, redis_url: str, tmp_path: Path, sim: Simulator) -> AsyncIterator[Api]:
    async with serving(settings_for(redis_url, tmp_path, sim, jwt_secret=SecretStr(SECRET))) as api:
        yield api


async def test_a_jwt_acts_in_its_own_name_and_role(jwt_api: Api) -> None:
    assert (await jwt_api.call("POST", "/pause", role=None, headers=bearing(signed()))).status == 200
    [event] = await jwt_api.events("pool.paused")
    assert event["actor"] == "jwt:ana"
    viewer = bearing(signed(role="viewer"))
    assert (await jwt_api.call("POST", "/pause", role=None, headers=viewer)).code == "forbidden"
    assert (await jwt_api.call("GET", "/session", role=None, headers=viewer)).body["actor"] == "jwt:ana"


async def test_a_bad_jwt_is_told_no_more_than_that(jwt_api: Api) -> None:
    answers = [
        await jwt_api.call("GET", "/stats", role=None, headers=bearing(text))
        for text in (signed("x" * 32), signed(role="king"), signed(exp=1), "x")
    ]
    assert {(answer.status, answer.code, answer.body["detail"]) for answer in answers} == {
        (401, "unauthorized", "The token is missing or invalid")
    }
    assert all(answer.headers["WWW-Authenticate"].startswith("Bearer") for answer in answers)


async def test_without_the_settings_no_jwt_is_good(api: Api) -> None:
    assert (await api.call("GET", "/stats", role=None, headers=bearing(signed()))).code == "unauthorized"


async def test_a_session_by_a_jwt_ends_with_it(jwt_api: Api) -> None:
    exp = int(time.time()) + 600
    login = await log_in(jwt_api, text=signed(exp=exp))
    assert login.me["expiresAt"] == time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(exp + 30))
    assert (await call(jwt_api, login, "POST", "/pause")).status == 200
    [listed] = (await jwt_api.call("GET", "/sessions", role=Role.SUPERADMIN)).body["items"]
    assert listed["actor"] == "jwt:ana"


async def test_an_endless_jwt_opens_a_session_of_a_week(jwt_api: Api) -> None:
    login = await log_in(jwt_api, text=signed(exp=10**30))
    assert login.me["expiresAt"] < time.strftime("%Y-%m-%dT", time.gmtime(time.time() + 8 * 86_400))
    told = await jwt_api.call("GET", "/session", role=None, headers=bearing(signed(exp=10**30)))
    assert told.body["expiresAt"] == "9999-12-31T23:59:59.000Z"


async def test_keys_at_a_url(redis: Redis, redis_url: str, tmp_path: Path, sim: Simulator) -> None:
    published = Published([jwk(rsa_key(), kid="k1")])
    app = web.Application()
    app.router.add_get("/jwks", published.serve)
    async with TestServer(app) as server:
        url = str(server.make_url("/jwks"))
        async with serving(settings_for(redis_url, tmp_path, sim, jwks_url=url)) as api:
            good = bearing(signed(rsa_key(), "RS256", kid="k1"))
            assert (await api.call("GET", "/stats", role=None, headers=good)).status == 200
            hmac = bearing(signed(kid="k1"))
            assert (await api.call("GET", "/stats", role=None, headers=hmac)).code == "unauthorized"
            async with api.client.get("/readyz") as ready:
                assert (await ready.json())["parts"]["jwks"] == "ok"


async def test_keys_that_can_not_be_read_refuse_no_jwt_for_good(
    redis: Redis, redis_url: str, tmp_path: Path, sim: Simulator
) -> None:
    async with serving(settings_for(redis_url, tmp_path, sim, jwks_url="http://127.0.0.1:9/jwks")) as api:
        text = bearing(signed(rsa_key(), "RS256", kid="k1"))
        answer = await api.call("GET", "/stats", role=None, headers=text)
        assert (answer.status, answer.code) == (503, "store_unavailable")
        assert "Retry-After" in answer.headers
        assert (await api.call("GET", "/stats")).status == 200

        async def degraded() -> bool:
            async with api.client.get("/readyz") as ready:
                told = await ready.json()
            return (ready.status, told["status"], told["parts"]["jwks"]) == (200, "degraded", "store_unavailable")

        await wait_until(degraded, what="the loop that reads the keys is told of")
        metrics = await api.client.get("/metrics", headers=bearing(api.tokens[Role.VIEWER]))
        assert 'evoproxy_loop_failures{loop="jwks"} 0.0' not in await metrics.text()
        assert 'evoproxy_loop_failures{loop="jwks"}' in await metrics.text()


async def test_a_job_of_an_endless_jwt(jwt_api: Api) -> None:
    body, headers = {"action": "disable", "ids": ["none"]}, bearing(signed(exp=10**4298))
    begun = await jwt_api.call("POST", "/proxies/bulk", body, role=None, headers=headers)
    assert begun.status == 202

    async def done() -> bool:
        return bool((await jwt_api.call("GET", f"/jobs/{begun.body['jobId']}")).body["state"] == "done")

    await wait_until(done, what="the job is done")
