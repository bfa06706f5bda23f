"""The routes outside /api/v1, described: they answer monitoring and Evolution, whose shapes are not ours to choose."""

from __future__ import annotations

from typing import Any

from service.control.webhooks import PATH as WEBHOOKS

TAG = {"name": "outside", "description": "What monitoring and the Evolution servers ask, outside /api/v1."}

_STATUS = {"type": "string", "enum": ["ok", "degraded", "unavailable"]}
_PARTS = {"type": "object", "additionalProperties": {"type": "string"}}
_READY = {"type": "object", "properties": {"status": _STATUS, "parts": _PARTS}, "required": ["status"]}


def beside() -> dict[str, Any]:
    """Their paths."""
    ready = {"application/json": {"schema": _READY, "example": {"status": "ok", "parts": {"pool": "ok"}}}}
    alive = {"application/json": {"schema": _READY, "example": {"status": "ok"}}}
    said = {"200": {"description": "The service can do its work", "content": ready}}
    return {
        "/livez": _get("live", "Whether the process lives", {"200": {"description": "It does", "content": alive}}),
        "/readyz": _get(
            "ready",
            "Whether the service can do its work",
            {**said, "503": {"description": "The pool is out of reach, or a loop is dead", "content": ready}},
        ),
        "/metrics": {
            "get": {
                **_operation("metrics", "Metrics for Prometheus"),
                "description": "Any role may.",
                "security": [{"token": []}, {"session": []}],
                "responses": {
                    "200": {"description": "OK", "content": {"text/plain": {}}},
                    "401": {"description": "`unauthorized`"},
                },
            }
        },
        WEBHOOKS + "/{server}/{secret}": {
            "post": {
                **_operation("webhook", "An event of an Evolution server"),
                "description": "A hint where to look. What follows the secret is passed over. The secret may also come"
                " as a bearer token, or sign a JWT (HS256) that is.",
                "parameters": [
                    {"in": "path", "name": name, "required": True, "schema": {"type": "string"}}
                    for name in ("server", "secret")
                ],
                "requestBody": {"content": {"application/json": {"schema": {"type": "object"}}}, "required": True},
                "responses": {
                    "200": {"description": "Taken", "content": {"application/json": {}}},
                    "400": {"description": "`malformed`"},
                    "401": {"description": "`unauthorized`, `webhooks_off`"},
                    "404": {"description": "`not_configured`"},
                },
            }
        },
    }


def _operation(name: str, about: str) -> dict[str, Any]:
    return {
        "tags": [TAG["name"]],
        "operationId": f"outside_{name}",
        "summary": about,
        "description": "Open to all.",
        "parameters": [],
        "security": [],
    }


def _get(name: str, about: str, answers: dict[str, Any]) -> dict[str, Any]:
    return {"get": {**_operation(name, about), "responses": answers}}
