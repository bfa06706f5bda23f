"""Tokens: made, shown once, listed without their secret, revoked."""

from __future__ import annotations

import pytest

from service.pool.tokens import Role
from tests.web.api import Api


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


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"name": "a b", "role": "viewer"}, 422, "name"),
        ({"name": "x", "role": "king"}, 422, "role"),
        ({"name": "x"}, 422, "role"),
        ({"name": "x", "role": "viewer", "more": 1}, 422, "more"),
        ([], 422, "body"),
    ],
)
async def test_bad_input(api: Api, body: object, status: int, field: str) -> None:
    answer = await api.call("POST", "/tokens", body, role=Role.SUPERADMIN)
    assert (answer.status, answer.body["field"]) == (status, field)


async def test_a_name_that_is_taken(api: Api) -> None:
    answer = await api.call("POST", "/tokens", {"name": "superadmin", "role": "viewer"}, role=Role.SUPERADMIN)
    assert (answer.status, answer.code) == (409, "token_exists")
