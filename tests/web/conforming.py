"""Each answer of the service, held against its own description."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

import jsonschema_rs
import orjson

from service.web import routes
from service.web.openapi import document
from service.web.routing import API

DOCUMENT = document(routes.ALL)

_PATHS = {
    re.compile(re.sub(r"\{\w+\}", "[^/]+", path.removeprefix(API))): path
    for path in sorted(DOCUMENT["paths"], key=lambda path: "{" in path)
}


def check(method: str, path: str, status: int, content_type: str, text: str) -> None:
    """Fails for a status, a media type or a shape that the description does not know. ``path`` is below /api/v1."""
    described = _operation(method, path.partition("?")[0])
    if described is None:
        assert status in (401, 404, 405), f"{method} {path} is not described"
        return
    template, operation = described
    assert str(status) in operation["responses"], f"{method} {template} does not describe {status}: {text}"
    answer = resolved(operation["responses"][str(status)])
    media = content_type.partition(";")[0]
    shown: Mapping[str, Any] = answer.get("content", {})
    if not shown:
        assert text == "", text
        return
    assert media in shown, f"{method} {template} {status} does not describe {media}"
    if "schema" in shown[media]:
        validator = _validator(orjson.dumps(shown[media]["schema"]))
        errors = [f"{error.instance_path}: {error.message}" for error in validator.iter_errors(orjson.loads(text))]
        assert not errors, f"{method} {template} {status}: {errors}: {text}"


def resolved(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """The answer itself, where it only refers to one that many share."""
    if "$ref" not in answer:
        return answer
    shared: Mapping[str, Any] = DOCUMENT["components"]["responses"][answer["$ref"].rpartition("/")[2]]
    return shared


def _operation(method: str, path: str) -> tuple[str, Mapping[str, Any]] | None:
    for pattern, template in _PATHS.items():
        if pattern.fullmatch(path) and (operation := DOCUMENT["paths"][template].get(method.lower())):
            return template, operation
    return None


@cache
def _validator(schema: bytes) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator({**orjson.loads(schema), "components": DOCUMENT["components"]})
