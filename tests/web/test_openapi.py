"""The description of the API: complete, valid, and what the service does."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import jsonschema_rs
import openapi_spec_validator
import orjson
import pytest

from service.messages import text
from service.web import routes
from service.web.refusals import refusals
from service.web.routing import API
from tests.web.api import Api
from tests.web.conforming import DOCUMENT, resolved

OPERATIONS = [
    (f"{method.upper()} {path}", operation)
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
]


async def test_it_is_open_to_all_and_is_what_the_tests_hold_answers_against(api: Api) -> None:
    async with api.client.get("/openapi.json") as answer:
        assert (answer.status, answer.content_type) == (200, "application/json")
        assert orjson.loads(await answer.read()) == orjson.loads(orjson.dumps(DOCUMENT))


def test_it_is_openapi_3_1() -> None:
    assert DOCUMENT["openapi"] == "3.1.0"
    openapi_spec_validator.validate(orjson.loads(orjson.dumps(DOCUMENT)))


def test_every_route_is_in_it() -> None:
    described = {name for name, _ in OPERATIONS if API in name}
    assert described == {f"{one.method} {API}{one.path}".replace(":[^/]+", "") for one in routes.ALL}


async def test_so_is_what_is_outside_of_the_api(api: Api) -> None:
    page = ("/docs", "/favicon.svg", "/openapi.json", "/static")
    outside = {
        f"{route.method} {route.resource.canonical}".replace("{rest}", "/{secret}")
        for route in api.client.app.router.routes()
        if route.resource and route.method != "HEAD" and not route.resource.canonical.startswith((API, *page))
    } - {"GET /"}
    assert outside == {name for name, _ in OPERATIONS if API not in name}
    for path in ("/livez", "/readyz"):
        async with api.client.get(path) as answer:
            content = DOCUMENT["paths"][path]["get"]["responses"][str(answer.status)]["content"]
            jsonschema_rs.Draft202012Validator(content["application/json"]["schema"]).validate(await answer.json())


def test_operations_have_names_of_their_own() -> None:
    names = [operation["operationId"] for _, operation in OPERATIONS]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(("name", "operation"), OPERATIONS)
def test_every_example_is_of_its_schema(name: str, operation: dict[str, Any]) -> None:
    contents = [resolved(answer).get("content", {}) for answer in operation["responses"].values()]
    shown = [one for content in contents for one in content.values() if "schema" in one]
    shown += [one for one in operation.get("requestBody", {}).get("content", {}).values() if "example" in one]
    for one in shown:
        jsonschema_rs.Draft202012Validator({**one["schema"], "components": DOCUMENT["components"]}).validate(
            one["example"]
        )


def test_every_code_has_words() -> None:
    for route in routes.ALL:
        assert all(text(code, "en") != code for code in refusals(route)), route.path
        assert route.about, route.path


async def test_docs_ask_nobody_else_for_anything(api: Api) -> None:
    async with api.client.get("/docs") as answer:
        page = await answer.text()
        assert (answer.status, answer.content_type) == (200, "text/html")
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assets = re.findall(r'(?:src|href)="([^"#]+)"', page)
    assert "/static/docs.js" in assets
    for asset in assets:
        assert asset.startswith("/")
        async with api.client.get(asset) as answer:
            assert answer.status == 200, asset
    script = Path("service/web/static/docs.js").read_text()
    assert "http" not in script.replace("http-", "")
