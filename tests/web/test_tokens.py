"""Tokens: made, shown once, listed without their secret, revoked."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

import pytest

from service.errors import StoreUnavailableError
from service.pool.tokens import Role, token_text
from service.web.auth import RATES
from service.web.models import rfc3339
from tests.lua.stage import MovedClock
from tests.web.api import Api
from tests.web.logins import call, log_in


async def test_the_life_of_a_token(api: Api) -> None:
    made = await api.call("POST", "/tokens", {"name": "grafana", "role": "viewer"}, role=Role.SUPERADMIN)
    assert (made.status, made.body["id"], made.body["role"]) == (201, "grafana", "viewer")
    headers = {"Authorization": f"Bearer {made.body['token']}"}
    assert (await api.call("GET", "/stats", role=None, headers=headers)).status == 200
    assert (await api.call("POST", "/pause", role=None, headers=headers)).status == 403
    listed = await api.call("GET", "/tokens", role=Role.SUPERADMIN)
    assert [item["name"] for item in listed.body["items"]] == ["grafana", "superadmin", "the-admin", "the-viewer"]
    assert all(item["token"] is None for item in listed.body["items"])
    assert (await api.call("DELETE", "/tokens/grafana", role=Role.SUPERADMIN)).status == 204
    assert (await api.call("GET", "/stats", role=None, headers=headers)).status == 401
    assert (await api.call("DELETE", "/tokens/grafana", role=Role.SUPERADMIN)).code == "unknown_token"
    actors = {event["actor"] for event in await api.events("token.created", "token.revoked")}
    assert "token:superadmin" in actors


async def test_pages(api: Api) -> None:
    first = (await api.call("GET", "/tokens?limit=2", role=Role.SUPERADMIN)).body
    assert ([item["name"] for item in first["items"]], first["total"]) == (["superadmin", "the-admin"], 3)
    path = f"/tokens?limit=2&cursor={first['nextCursor']}"
    second = (await api.call("GET", path, role=Role.SUPERADMIN)).body
    assert ([item["name"] for item in second["items"]], second["nextCursor"]) == (["the-viewer"], None)


async def test_a_token_with_an_end(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    ends = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
    body = {"name": "short", "role": "viewer", "expiresAt": ends.isoformat()}
    made = (await api.call("POST", "/tokens", body, role=Role.SUPERADMIN)).body
    assert made["expiresAt"] == ends.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    login = await log_in(api, text=made["token"])
    assert login.me["expiresAt"] == made["expiresAt"]
    headers = {"Authorization": f"Bearer {made['token']}"}
    assert (await api.call("GET", "/session", role=None, headers=headers)).body["expiresAt"] == made["expiresAt"]
    monkeypatch.setattr(api.pool, "clock", MovedClock(api.pool.clock.now() + 3_600_000))
    assert (await api.call("GET", "/stats", role=None, headers=headers)).code == "unauthorized"
    assert (await call(api, login, "GET", "/stats")).code == "unauthorized"
    listed = (await api.call("GET", "/tokens", role=Role.SUPERADMIN)).body["items"]
    assert [item["expiresAt"] for item in listed if item["name"] == "short"] == [made["expiresAt"]]


async def test_when_a_token_was_last_used_is_written_at_most_once_a_minute(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def last_used() -> int | None:
        return {token.name: token.last_used_at for token in await api.pool.tokens()}["idle"]

    now = api.pool.clock.now()
    clock = MovedClock(now)
    monkeypatch.setattr(api.pool, "clock", clock)
    headers = {"Authorization": f"Bearer {await api.pool.create_token('idle', Role.VIEWER, actor='cli:test')}"}
    assert await last_used() is None
    for later, told in ((0, 0), (59_999, 0), (60_000, 60_000)):
        clock.at = now + later
        await api.call("GET", "/session", role=None, headers=headers)
        assert await last_used() == now + told
    login = await log_in(api, text=headers["Authorization"].removeprefix("Bearer "))
    clock.at = now + 120_000
    await call(api, login, "GET", "/session")
    assert await last_used() == now + 120_000, "its session is the token, too"
    [session] = await api.pool.sessions_by(await api.pool.sessions())
    assert (session.created_at, session.seen_at) == (now + 60_000, now + 120_000)
    listed = (await api.call("GET", "/tokens", role=Role.SUPERADMIN)).body["items"]
    assert [item["lastUsedAt"] for item in listed if item["name"] == "idle"] == [rfc3339(now + 120_000)]


async def test_a_redis_that_takes_no_writes_answers_questions(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    async def unwritable(**_: str) -> None:
        asked.append(1)
        raise StoreUnavailableError(store="redis", reason="READONLY")

    asked: list[int] = []
    monkeypatch.setattr(api.pool, "seen", unwritable)
    assert (await api.call("GET", "/session", role=Role.ADMIN)).status == 200
    assert asked


async def test_a_token_with_a_rate_limit(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(api.client.app[RATES], "_now", lambda: now[0])
    body = {"name": "grafana", "role": "viewer", "rateLimit": 2}
    made = (await api.call("POST", "/tokens", body, role=Role.SUPERADMIN)).body
    assert made["rateLimit"] == 2
    headers = {"Authorization": f"Bearer {made['token']}"}
    login = await log_in(api, text=made["token"])
    now[0] += 30  # a login is a request, too
    first = await api.call("GET", "/session", role=None, headers=headers)
    assert (first.headers["RateLimit-Policy"], first.headers["RateLimit"]) == ('"token";q=2;w=60', '"token";r=1;t=30')
    assert (await call(api, login, "GET", "/session")).status == 200
    for third in (
        await api.call("GET", "/session", role=None, headers=headers),
        await call(api, login, "GET", "/stats"),
    ):
        assert (third.status, third.code, third.headers["Retry-After"]) == (429, "too_many_requests", "30")
        assert third.headers["RateLimit"] == '"token";r=0;t=60'
    now[0] += 30
    assert (await api.call("GET", "/session", role=None, headers=headers)).status == 200
    more = await api.call("POST", "/session", {"token": made["token"]}, role=None)
    assert (more.status, more.code, len(await api.pool.sessions())) == (429, "too_many_requests", 1)
    unlimited = await api.call("GET", "/session", role=Role.VIEWER)
    assert "RateLimit" not in unlimited.headers


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"name": "a b", "role": "viewer"}, 422, "name"),
        ({"name": "..", "role": "viewer"}, 422, "name"),
        ({"name": ".x", "role": "viewer"}, 422, "name"),
        ({"name": "-", "role": "viewer"}, 422, "name"),
        ({"name": "x" * 65, "role": "viewer"}, 422, "name"),
        ({"name": "x", "role": "king"}, 422, "role"),
        ({"name": "x"}, 422, "role"),
        ({"name": "x", "role": "viewer", "more": 1}, 422, "more"),
        ({"name": "x", "role": "viewer", "expiresAt": "2020-01-01T00:00:00Z"}, 422, "expiresAt"),
        ({"name": "x", "role": "viewer", "expiresAt": "2090-01-01"}, 422, "expiresAt"),
        ({"name": "x", "role": "viewer", "expiresAt": 4102444800}, 422, "expiresAt"),
        ({"name": "x", "role": "viewer", "rateLimit": 0}, 422, "rateLimit"),
        ({"name": "x", "role": "viewer", "rateLimit": -(2**63)}, 422, "rateLimit"),
        ({"name": "x", "role": "viewer", "rateLimit": 1000001}, 422, "rateLimit"),
        ({"name": "x", "role": "viewer", "rateLimit": "60"}, 422, "rateLimit"),
        ([], 422, "body"),
    ],
)
async def test_bad_input(api: Api, body: object, status: int, field: str) -> None:
    answer = await api.call("POST", "/tokens", body, role=Role.SUPERADMIN)
    assert (answer.status, answer.body["field"]) == (status, field)


async def test_a_name_of_an_older_release_lets_in_until_it_is_revoked(api: Api) -> None:
    text = token_text("..")
    await api.pool.run(
        "token_create",
        token="..",
        digest=hashlib.sha256(text.encode()).hexdigest(),
        role="viewer",
        expires_at=0,
        rate_limit=0,
        replace=False,
        actor="cli:test",
        op_id=None,
    )
    headers = {"Authorization": f"Bearer {text}"}
    assert (await api.call("GET", "/stats", role=None, headers=headers)).status == 200
    await api.pool.revoke_token("..", actor="cli:test")
    assert (await api.call("GET", "/stats", role=None, headers=headers)).status == 401


async def test_a_name_that_is_taken(api: Api) -> None:
    answer = await api.call("POST", "/tokens", {"name": "superadmin", "role": "viewer"}, role=Role.SUPERADMIN)
    assert (answer.status, answer.code) == (409, "token_exists")
