"""What comes in, checked: bodies and query parameters as models; what goes out, as JSON."""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import AsyncIterator, Container, Mapping
from typing import Any, TypeVar

import orjson
from aiohttp import web
from pydantic import BaseModel

from service.errors import InvalidInputError
from service.web.checks import checked
from service.web.context import locale, operation_id
from service.web.problems import ProblemError

M = TypeVar("M", bound=BaseModel)

LIMIT: web.AppKey[int] = web.AppKey("import_limit", int)
"""Most bytes of a body that is streamed; of others ``client_max_size``."""

_DIGEST: web.RequestKey[str] = web.RequestKey("digest", str)
_CHUNK = 65536
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


async def stream_body(request: web.Request) -> AsyncIterator[bytes]:
    """The body in chunks. Raises ``too_large``."""
    limit = left = request.app[LIMIT]
    digest = hashlib.sha256()
    async for chunk in request.content.iter_chunked(_CHUNK):
        left -= len(chunk)
        if left < 0:
            raise ProblemError("too_large", limit=limit)
        digest.update(chunk)
        yield chunk
    request[_DIGEST] = digest.hexdigest()


async def digest_of(request: web.Request, *, streamed: bool) -> str:
    """Tells the body from any other. What is left of one that is ``streamed`` is read for it, and lost."""
    if not streamed:
        return hashlib.sha256(await request.read()).hexdigest()
    if _DIGEST not in request:
        async for _ in stream_body(request):
            pass
    return request[_DIGEST]


async def made_id(request: web.Request) -> str:
    """An id for what the request makes. Under an ``Idempotency-Key`` the same body has the same one, always: another
    body never meets what the first has made, whichever process is asked and however long ago that was."""
    if (op_id := operation_id(request)) is None:
        return uuid.uuid4().hex
    return hashlib.sha256(f"{op_id}\n{await digest_of(request, streamed=False)}".encode()).hexdigest()[:32]


async def read_body(request: web.Request, model: type[M], *, immutable: Container[str] = ()) -> M:
    """The JSON body; no body is an empty object.

    Raises ``malformed``, ``immutable`` for a field that no call may change, or ``invalid``; both name the field.
    """
    raw = await request.read()
    try:
        value = orjson.loads(raw) if raw.strip() else {}
        plain = orjson.dumps(value)
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):  # orjson reads more deeply nested lists than it writes
        raise ProblemError("malformed", reason="not_json") from None
    for name in value if isinstance(value, dict) else ():
        if name in immutable:
            raise ProblemError("immutable", field=name)
    # Strict: a number is no text and "false" is no boolean. Only from JSON do strict models take times and words.
    return checked(locale(request), lambda: model.model_validate_json(plain, strict=True))


def read_query(request: web.Request, model: type[M]) -> M:
    """The query parameters. Raises ``invalid``, which names one that is unknown, repeated or wrong."""
    values: dict[str, str] = {}
    for name, value in request.query.items():
        if name in values:
            raise InvalidInputError(field=name, reason="repeated")
        if _CONTROL.search(value):  # PostgreSQL knows no NUL
            raise InvalidInputError(field=name, reason="unprintable")
        values[name] = value
    return checked(locale(request), lambda: model.model_validate(values))


def answer(
    value: BaseModel | Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None
) -> web.Response:
    """``value`` as JSON in camelCase."""
    return web.Response(status=status, body=dumped(value), headers=headers, content_type="application/json")


def dumped(value: BaseModel | Mapping[str, Any]) -> bytes:
    return orjson.dumps(value.model_dump(by_alias=True, mode="json") if isinstance(value, BaseModel) else value)
