"""Errors as the API tells them: RFC 9457, with a code for programs and a message for people."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import orjson
from aiohttp import web
from pydantic import ConfigDict

from service import messages
from service.errors import EvoproxyError
from service.web.context import REQUEST_ID, locale
from service.web.models import ApiModel

RETRY_AFTER = 5
"""Seconds after which a refused caller may expect another answer."""

_STATUS: Mapping[str, int] = {
    "malformed": 400,
    "unauthorized": 401,
    "webhooks_off": 401,
    "forbidden": 403,
    "csrf": 403,
    "unknown_route": 404,
    "unknown_proxy": 404,
    "unknown_instance": 404,
    "unknown_token": 404,
    "unknown_session": 404,
    "unknown_drift": 404,
    "unknown_job": 404,
    "unknown_server": 404,
    "evolution_not_found": 404,
    "no_lease": 404,
    "no_reservation": 404,
    "not_configured": 404,
    "method_not_allowed": 405,
    "rev_mismatch": 412,
    "too_large": 413,
    "unsupported_media_type": 415,
    "unsupported_encoding": 415,
    "invalid": 422,
    "immutable": 422,
    "too_many_logins": 429,
    "too_many_requests": 429,
    "internal": 500,
    "wrong_encryption_key": 500,
    "evolution": 502,
    "evolution_rejected": 502,
    "evolution_unauthorized": 502,
    "evolution_unavailable": 502,
    "not_reconciled": 503,
    "restoring": 503,
    "store_unavailable": 503,
    "database_refused": 503,
    "evolution_unknown": 504,
}
_OF_STATE = 409
"""Every other code is a refusal of the pool: the thing is there, and its state forbids it."""

_ABOUT_A_SERVER = frozenset({"not_reconciled", "not_configured", "braked", "unknown_server", "still_configured"})
_SHOWN = ("field", "line", "reason", "server", "instance", "proxy", "limit")


class ProblemError(EvoproxyError):
    """A refusal that only HTTP knows. ``headers`` go with its answer."""

    def __init__(self, code: str, /, *, headers: Mapping[str, str] | None = None, **params: Any) -> None:
        super().__init__(code, **params)
        self.headers = dict(headers or {})


class Problem(ApiModel):
    """A refusal (RFC 9457). ``code`` is for programs, ``detail`` for people; what else it is about stands in it under
    its own name. ``request_id`` is in the log."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=False)

    type: str
    title: str
    status: int
    code: str
    detail: str
    request_id: str
    field: str = ""
    line: int = 0
    reason: str = ""
    server: str = ""
    instance: str = ""
    proxy: str = ""
    limit: int = 0


def status_of(code: str) -> int:
    return _STATUS.get(code, _OF_STATE)


def respond(request: web.Request, error: EvoproxyError) -> web.Response:
    """The answer that tells of ``error`` in the reader's language; parameters that name things stand in it under their
    own names."""
    language = locale(request)
    status = status_of(error.code)
    params = _params(error)
    if reason := params.get("reason"):
        params["reason"] = messages.reason(reason, language)
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": error.code,
        "detail": messages.text(error.code, language, **params),
        "requestId": request[REQUEST_ID],
    }
    body |= {name: value for name in _SHOWN if (value := params.get(name)) not in (None, "")}
    headers = dict(getattr(error, "headers", {}))
    if status == 503:
        headers.setdefault("Retry-After", str(RETRY_AFTER))
    return web.Response(
        status=status, body=orjson.dumps(body), headers=headers, content_type="application/problem+json"
    )


def _params(error: EvoproxyError) -> dict[str, Any]:
    """The error's parameters, with the first detail of a script's refusal under the name that its message asks for."""
    params = dict(error.params)
    details = params.pop("details", ())
    if details and error.code in _ABOUT_A_SERVER:
        params.setdefault("server", details[0])
    return params
