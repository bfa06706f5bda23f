"""The order of checks, what every problem says, and the limit on failed logins."""

from __future__ import annotations

import gzip

import pytest

from service.pool.tokens import Role
from tests.web.api import SUPERADMIN, Api

BAD = {"Authorization": "Bearer nobodys-token"}


@pytest.mark.parametrize("header", [{}, BAD, {"Authorization": f"Basic {SUPERADMIN}"}, {"Authorization": "Bearer"}])
async def test_401_comes_before_404_of_a_route(api: Api, header: dict[str, str]) -> None:
    answer = await api.call("GET", "/nowhere", role=None, headers=header)
    assert (answer.status, answer.code) == (401, "unauthorized")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


async def test_404_of_a_route_comes_before_all_else(api: Api) -> None:
    answer = await api.call("POST", "/nowhere", role=Role.VIEWER, data=b"{", headers={"Content-Type": "image/png"})
    assert (answer.status, answer.code) == (404, "unknown_route")


async def test_405_comes_before_403(api: Api) -> None:
    answer = await api.call("PUT", "/tokens", role=Role.VIEWER)
    assert (answer.status, answer.code) == (405, "method_not_allowed")
    assert answer.headers["Allow"] == "GET, POST"


async def test_403_comes_before_415_and_400(api: Api) -> None:
    answer = await api.call("POST", "/pause", role=Role.VIEWER, data=b"{", headers={"Content-Type": "image/png"})
    assert (answer.status, answer.code) == (403, "forbidden")


async def test_415_names_what_is_taken(api: Api) -> None:
    answer = await api.call("POST", "/pause", data=b"{}", headers={"Content-Type": "text/plain"})
    assert (answer.status, answer.code) == (415, "unsupported_media_type")
    assert "application/json" in answer.body["detail"]


async def test_400_comes_before_422_and_422_before_404_of_a_thing(api: Api) -> None:
    headers = {"Content-Type": "application/json"}
    answer = await api.call("PATCH", "/proxies/none?x=1", data=b'{"host": ', headers=headers)
    assert (answer.status, answer.code) == (400, "malformed")
    answer = await api.call("PATCH", "/proxies/none", {"group": 5})
    assert (answer.status, answer.code, answer.body["field"]) == (422, "invalid", "group")
    answer = await api.call("PATCH", "/proxies/none", {"group": "x"})
    assert (answer.status, answer.code) == (404, "unknown_proxy")


async def test_413_for_a_body_that_is_too_large(api: Api) -> None:
    answer = await api.call("POST", "/pause", data=b" " * 1_100_000, headers={"Content-Type": "application/json"})
    assert (answer.status, answer.code) == (413, "too_large")


@pytest.mark.parametrize("path", ["/pause", "/proxies/none/disable"])
async def test_413_comes_before_415(api: Api, path: str) -> None:
    answer = await api.call("POST", path, data=b" " * 1_100_000, headers={"Content-Type": "text/plain"})
    assert (answer.status, answer.code, answer.body["limit"]) == (413, "too_large", 1 << 20)
    assert str(1 << 20) in answer.body["detail"]


@pytest.mark.parametrize("path", ["/pause", "/proxies/import"])
async def test_415_for_a_body_that_is_compressed(api: Api, path: str) -> None:
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    answer = await api.call("POST", path, data=gzip.compress(b"{}"), headers=headers)
    assert (answer.status, answer.code) == (415, "unsupported_encoding")
    assert answer.body["detail"] == "The body must not be compressed"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PATCH", "/proxies/none"),
        ("POST", "/proxies/none/disable"),
        ("POST", "/proxies/none/enable"),
        ("POST", "/instances/none/proxy"),
        ("POST", "/instances/none/proxy/rotate"),
        ("POST", "/servers/a/ignore"),
        ("POST", "/brake/release"),
        ("POST", "/pause"),
        ("POST", "/resume"),
    ],
)
async def test_unknown_query_parameters_are_refused(api: Api, method: str, path: str) -> None:
    answer = await api.call(method, f"{path}?nonsense=1", {})
    assert (answer.status, answer.body["field"]) == (422, "nonsense")


@pytest.mark.parametrize(
    ("method", "path", "body", "said"),
    [
        ("GET", "/proxies?cursor=%20", None, "cursor: não é um cursor recebido daqui"),
        ("GET", "/proxies?q=a&q=b", None, "q: foi informado mais de uma vez"),
        (
            "GET",
            "/proxies?status=x",
            None,
            "status: deve ser 'free', 'used', 'cooling', 'quarantined' ou 'disabled'",
        ),
        ("PATCH", "/proxies/none", {"password": "\x00"}, "password: contém caracteres não imprimíveis"),
        ("PATCH", "/proxies/none", {"expiresAt": "2026"}, "expiresAt: deve ser uma data RFC 3339"),
        (
            "PATCH",
            "/proxies/none",
            {"expiresAt": "1960-01-01T00:00:00Z"},
            "expiresAt: deve estar entre os anos 1970 e 9999",
        ),
        ("PATCH", "/proxies/none", b"{", "A requisição está malformada: o corpo não é JSON"),
    ],
)
async def test_a_detail_is_of_one_language(api: Api, method: str, path: str, body: object, said: str) -> None:
    sent = {"data": body} if isinstance(body, bytes) else {"json": body}
    headers = {"Accept-Language": "pt-BR", "Content-Type": "application/json"}
    assert (await api.call(method, path, headers=headers, **sent)).body["detail"] == said


async def test_no_answer_is_guessed_at_by_browsers(api: Api) -> None:
    for path in ("/stats", "/nowhere"):
        assert (await api.call("GET", path)).headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ("pt-BR,pt;q=0.9,en;q=0.8", "Rota desconhecida"),
        ("en-US", "Unknown route"),
        ("fr, en;q=0.1, pt;q=0.5", "Rota desconhecida"),
        ("pt;q=0, fr", "Unknown route"),
        ("pt; q=0.8 , en ; Q=0.1", "Rota desconhecida"),
        ("", "Unknown route"),
        (";;q=x", "Unknown route"),
    ],
)
async def test_the_readers_language(api: Api, wish: str, said: str) -> None:
    answer = await api.call("GET", "/nowhere", headers={"Accept-Language": wish})
    assert answer.body["detail"] == said


async def test_a_problem_holds_the_requests_id(api: Api) -> None:
    answer = await api.call("GET", "/nowhere", headers={"X-Request-Id": "mine-1"})
    assert (answer.headers["X-Request-Id"], answer.body["requestId"]) == ("mine-1", "mine-1")
    answer = await api.call("GET", "/nowhere", headers={"X-Request-Id": 'in"valid'})
    assert answer.headers["X-Request-Id"] == answer.body["requestId"] != 'in"valid'
    assert (await api.call("GET", "/stats")).headers["X-Request-Id"]


async def test_outside_of_the_api_too(api: Api) -> None:
    async with api.client.get("/nowhere") as answer:
        assert (answer.status, (await answer.json(content_type=None))["code"]) == (404, "unknown_route")


async def test_failed_logins_are_slowed_and_valid_tokens_are_not(api: Api) -> None:
    codes = [(await api.call("GET", "/stats", role=None, headers=BAD)).code for _ in range(12)]
    assert codes == ["unauthorized"] * 10 + ["too_many_logins"] * 2
    assert 0 < int(api.answers[-1].headers["Retry-After"]) <= 61
    assert (await api.call("GET", "/stats")).status == 200


async def test_an_unexpected_error_tells_nothing(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken() -> None:
        raise RuntimeError("the inside")

    monkeypatch.setattr(api.pool, "stats", broken)
    answer = await api.call("GET", "/stats")
    assert (answer.status, answer.code) == (500, "internal")
    assert "inside" not in answer.text
