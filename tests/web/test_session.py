"""The dashboard's login: a cookie that lives as long as its token, and writes that were meant."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from redis.asyncio import Redis

from service.evolution.simulator import Simulator
from service.pool.sessions import IDLE_MS, LONGEST_MS
from service.pool.tokens import Role
from tests.web.api import SUPERADMIN, Api
from tests.web.conftest import serving, settings_for
from tests.web.logins import Login, call, cookie_of, log_in


@pytest.mark.parametrize("by", ["header", "body"])
async def test_a_token_opens_a_session(api: Api, by: str) -> None:
    body, role = ({"token": api.tokens[Role.ADMIN]}, None) if by == "body" else (None, Role.ADMIN)
    answer = await api.call("POST", "/session", body, role=role)
    assert (answer.status, answer.body["actor"], answer.body["role"]) == (201, "token:the-admin", "admin")
    assert answer.body["idleSeconds"] == IDLE_MS / 1000
    assert answer.body["expiresAt"] is not None
    cookie = cookie_of(answer)
    assert (cookie["httponly"], cookie["samesite"], cookie["path"], cookie["secure"]) == (True, "Strict", "/", "")
    assert int(cookie["max-age"]) == LONGEST_MS / 1000
    login = Login(cookie.value, answer.body)
    told = await api.call("GET", "/session", role=None, headers=login.cookie)
    assert (told.status, told.body) == (200, answer.body)
    assert (await api.call("GET", "/proxies", role=None, headers=login.cookie)).status == 200
    [event] = await api.events("session.opened")
    assert (event["actor"], event["role"], event["address"]) == ("token:the-admin", "admin", "127.0.0.1")


async def test_a_bearer_has_no_session_to_tell_of(api: Api) -> None:
    told = await api.call("GET", "/session", role=Role.VIEWER)
    assert told.body == {
        "actor": "token:the-viewer",
        "role": "viewer",
        "csrf": None,
        "expiresAt": None,
        "idleSeconds": None,
    }
    assert (await api.call("DELETE", "/session", role=Role.VIEWER)).status == 204


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (None, 401, "unauthorized"),
        ({}, 401, "unauthorized"),
        ({"token": ""}, 401, "unauthorized"),
        ({"token": "nobodys"}, 401, "unauthorized"),
        ({"token": "x" * 9000}, 422, "invalid"),
        ({"token": 5}, 422, "invalid"),
        ({"token": SUPERADMIN, "more": 1}, 422, "invalid"),
        ([], 422, "invalid"),
    ],
)
async def test_what_opens_none(api: Api, body: object, status: int, code: str) -> None:
    answer = await api.call("POST", "/session", body, role=None)
    assert (answer.status, answer.code) == (status, code)
    assert "Set-Cookie" not in answer.headers


async def test_401_comes_before_what_else_is_wrong_with_a_login(api: Api) -> None:
    bad = {"Authorization": "Bearer nobodys"}
    answer = await api.call("POST", "/session?x=1", {"more": 1}, role=None, headers=bad)
    assert (answer.status, answer.code) == (401, "unauthorized")


async def test_no_session_opens_another(api: Api) -> None:
    login = await log_in(api)
    answer = await call(api, login, "POST", "/session")
    assert (answer.status, answer.code) == (401, "unauthorized")


async def test_what_a_page_of_another_host_can_post_opens_none(api: Api) -> None:
    data = b'{"token": "' + SUPERADMIN.encode() + b'"}'
    answer = await api.call("POST", "/session", role=None, data=data, headers={"Content-Type": "text/plain"})
    assert (answer.status, answer.code) == (415, "unsupported_media_type")


async def test_writes_bring_the_word_of_their_own_session(api: Api) -> None:
    login, other = await log_in(api), await log_in(api)
    assert login.me["csrf"] != other.me["csrf"]
    for word in ({}, {"X-CSRF-Token": ""}, {"X-CSRF-Token": "é"}, {"X-CSRF-Token": other.me["csrf"]}):
        for method, path in (("POST", "/pause"), ("PATCH", "/proxies/none"), ("DELETE", "/session")):
            answer = await api.call(method, path, role=None, headers={**login.cookie, **word})
            assert (answer.status, answer.code) == (403, "csrf")
    assert (await call(api, login, "POST", "/pause")).status == 200
    [event] = await api.events("pool.paused")
    assert event["actor"] == "token:the-admin"


async def test_the_role_of_a_session_is_that_of_its_token(api: Api) -> None:
    viewer = await log_in(api, Role.VIEWER)
    answer = await call(api, viewer, "POST", "/pause")
    assert (answer.status, answer.code) == (403, "forbidden")


async def test_a_bearer_token_is_heard_rather_than_a_cookie(api: Api) -> None:
    viewer = await log_in(api, Role.VIEWER)
    assert (await api.call("POST", "/pause", role=Role.ADMIN, headers=viewer.cookie)).status == 200
    bad = {**viewer.cookie, "Authorization": "Bearer nobodys"}
    assert (await api.call("GET", "/stats", role=None, headers=bad)).status == 401
    basic = {**viewer.cookie, "Authorization": "Basic YTpi"}  # of a proxy in front
    assert (await api.call("GET", "/stats", role=None, headers=basic)).status == 200


async def test_logging_out_ends_the_session_and_clears_its_cookie(api: Api) -> None:
    login, other = await log_in(api), await log_in(api)
    answer = await call(api, login, "DELETE", "/session")
    assert answer.status == 204
    cookie = cookie_of(answer)
    assert (cookie.value, cookie["max-age"], cookie["path"]) == ("", "0", "/")
    assert (await call(api, login, "GET", "/session")).status == 401
    assert (await call(api, other, "GET", "/session")).status == 200
    [event] = await api.events("session.ended")
    assert (event["actor"], event["owner"], event["reason"]) == ("token:the-admin", "token:the-admin", "logout")


async def test_forged_cookies(api: Api) -> None:
    login = await log_in(api)
    swapped = ("b" if login.secret[0] == "a" else "a") + login.secret[1:]
    [kept] = await api.pool.sessions()
    for secret in ("", "x", swapped, login.secret + "=", f'"{login.secret}', "a" * 43, "é" * 43, kept, "x" * 7000):
        headers = {"Cookie": f"evoproxy_session={secret}"}
        assert (await api.call("GET", "/stats", role=None, headers=headers)).code == "unauthorized"
    twice = {"Cookie": f"evoproxy_session={login.secret}; evoproxy_session={'a' * 43}"}
    assert (await api.call("GET", "/stats", role=None, headers=twice)).code == "unauthorized"
    beside = {"Cookie": f"other=1; evoproxy_session={login.secret}; more=2"}
    assert (await api.call("GET", "/stats", role=None, headers=beside)).status == 200


async def test_a_client_chooses_no_secret(api: Api) -> None:
    """Session fixation."""
    planted = {"Cookie": f"evoproxy_session={'a' * 43}"}
    login = await log_in(api, headers=planted)
    assert login.secret != "a" * 43
    assert (await api.call("GET", "/session", role=None, headers=planted)).status == 401


async def test_the_secret_and_the_word_are_kept_nowhere(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    login = await log_in(api)
    await call(api, login, "POST", "/pause")
    assert login.secret not in caplog.text
    assert login.me["csrf"] not in caplog.text
    redis = api.pool.redis
    for key in await redis.keys("*"):
        assert login.secret not in key
        match await redis.type(key):
            case "hash":
                kept: object = await redis.hgetall(key)
            case "zset":
                kept = await redis.zrange(key, 0, -1)
            case "stream":
                kept = await redis.xrange(key)
            case _:
                continue
        assert login.secret not in str(kept)
        assert login.me["csrf"] not in str(kept)


async def test_a_session_outlives_the_service(redis: Redis, redis_url: str, tmp_path: Path, sim: Simulator) -> None:
    settings = settings_for(redis_url, tmp_path, sim)
    async with serving(settings) as api:
        login = await log_in(api, Role.SUPERADMIN)
    async with serving(settings) as api:
        assert (await call(api, login, "POST", "/pause")).status == 200


async def test_a_session_is_of_one_pool(redis: Redis, redis_url: str, tmp_path: Path, sim: Simulator) -> None:
    async with serving(settings_for(redis_url, tmp_path / "a", sim)) as api:
        login = await log_in(api, Role.SUPERADMIN)
    async with serving(settings_for(redis_url, tmp_path / "b", sim, pool="other")) as api:
        assert (await call(api, login, "GET", "/session")).status == 401


async def test_a_session_ends_with_its_token(api: Api) -> None:
    login, other = await log_in(api), await log_in(api, Role.VIEWER)
    await api.pool.revoke_token("the-admin", actor="cli:test")
    assert (await call(api, login, "GET", "/stats")).code == "unauthorized"
    assert (await call(api, other, "GET", "/stats")).status == 200
    await api.pool.create_token("the-admin", Role.SUPERADMIN, actor="cli:test")
    assert (await call(api, login, "GET", "/stats")).code == "unauthorized"


async def test_revoking_while_requests_run(api: Api) -> None:
    """What was let in ends as it may; nothing is let in once the revocation was answered."""
    login = await log_in(api)
    running = [asyncio.create_task(call(api, login, "GET", "/proxies")) for _ in range(20)]
    await api.pool.revoke_token("the-admin", actor="cli:test")
    after = await call(api, login, "GET", "/proxies")
    assert {(await one).status for one in running} <= {200, 401}
    assert after.status == 401


async def test_a_token_that_goes_while_it_logs_in_opens_none(api: Api) -> None:
    async def race(number: int) -> bool:
        text = await api.pool.create_token(f"t{number}", Role.VIEWER, actor="cli:test")
        answer, _ = await asyncio.gather(
            api.call("POST", "/session", {"token": text}, role=None),
            api.pool.revoke_token(f"t{number}", actor="cli:test"),
        )
        assert answer.status in (201, 401, 404)
        if answer.status != 201:
            return True
        login = Login(cookie_of(answer).value, answer.body)
        return (await call(api, login, "GET", "/session")).status == 401

    assert all([await race(number) for number in range(5)])


async def test_the_superadmin_lists_and_ends_sessions(api: Api) -> None:
    login = await log_in(api, headers={"User-Agent": "Browser/1.0 " + "x" * 500})
    boss = await log_in(api, Role.SUPERADMIN)
    listed = (await call(api, boss, "GET", "/sessions")).body["items"]
    [shown] = [one for one in listed if one["actor"] == "token:the-admin"]
    assert [one["actor"] for one in listed if one["current"]] == ["token:superadmin"]
    assert (shown["role"], shown["address"], len(shown["userAgent"])) == ("admin", "127.0.0.1", 120)
    assert shown["userAgent"].startswith("Browser/1.0 x")
    assert shown["createdAt"] == shown["lastSeenAt"] < shown["expiresAt"]
    assert (await call(api, boss, "DELETE", f"/sessions/{shown['id']}")).status == 204
    assert (await call(api, login, "GET", "/stats")).status == 401
    again = await call(api, boss, "DELETE", f"/sessions/{shown['id']}")
    assert (again.status, again.code) == (404, "unknown_session")
    [event] = await api.events("session.ended")
    assert (event["actor"], event["owner"], event["reason"]) == ("token:superadmin", "token:the-admin", "ended")
    assert len((await call(api, boss, "GET", "/sessions")).body["items"]) == 1


async def test_sessions_come_in_pages(api: Api) -> None:
    for _ in range(3):
        await log_in(api)
    first = (await api.call("GET", "/sessions?limit=2", role=Role.SUPERADMIN)).body
    path = f"/sessions?limit=2&cursor={first['nextCursor']}"
    second = (await api.call("GET", path, role=Role.SUPERADMIN)).body
    assert (len(first["items"]), len(second["items"]), second["nextCursor"]) == (2, 1, None)
    assert len({one["id"] for one in first["items"] + second["items"]}) == 3
    assert not any(one["current"] for one in first["items"] + second["items"]), "a token has no session"


@pytest.mark.parametrize(
    ("headers", "secure"),
    [
        ({}, False),
        ({"X-Forwarded-Proto": "https"}, True),
        ({"X-Forwarded-Proto": "HTTPS"}, True),
        ({"X-Forwarded-Proto": "http"}, False),
    ],
)
async def test_the_cookie_is_secure_behind_tls(api: Api, headers: dict[str, str], secure: bool) -> None:
    sent = {"token": SUPERADMIN}
    answer = await api.call("POST", "/session", sent, role=None, headers=headers)
    assert bool(cookie_of(answer)["secure"]) is secure


async def test_the_stream_is_open_to_a_session_until_it_ends(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    await api.controller.polls["a"].stop()
    monkeypatch.setattr("service.web.routes.stats._TRUSTED_SECONDS", 0.0)
    login = await log_in(api, Role.VIEWER)
    url = api.client.make_url("/api/v1/stats/stream")
    async with api.client.session.get(url, headers=login.cookie) as response:
        assert response.status == 200
        await response.content.readuntil(b"event: stats\n")
        await response.content.readuntil(b"\n\n")
        await call(api, login, "DELETE", "/session")
        await api.pool.pause(paused=True, actor="cli:test")
        assert await response.content.read() == b""
