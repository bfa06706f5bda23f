"""What a route is given and what it gives back; the error bodies of EVOLUTION.md, 1."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

_REASONS = {400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found"}

PROTOTYPE_NAMES = frozenset({"constructor", "__proto__", "toString", "hasOwnProperty", "valueOf", "isPrototypeOf"})
"""Names that every JavaScript object has: they seem to exist and break (EVOLUTION.md, 9, B27)."""


@dataclass(frozen=True, slots=True)
class Request:
    """One call after the guards. ``name`` is the instance to act on: ``?instanceName=`` overrides the path (B20)."""

    name: str
    query: tuple[tuple[str, str], ...]
    body: Mapping[str, Any]
    key: str | None


@dataclass(frozen=True, slots=True)
class Answer:
    """``payload`` is JSON text or what becomes it. ``after`` runs once it is written, even if no one reads it."""

    payload: Any
    status: int = 200
    after: Callable[[], None] | None = None

    @property
    def text(self) -> bytes:
        return self.payload if isinstance(self.payload, bytes) else orjson.dumps(self.payload)


class Refusal(Exception):
    """An error answer. ``message`` becomes ``response.message``: a string, a list, or a list of lists (B25)."""

    def __init__(self, status: int, message: object, *, error: str | None = None) -> None:
        super().__init__(status)
        self.answer = Answer(
            {
                "status": status,
                "error": error or _REASONS.get(status, "Internal Server Error"),
                "response": {"message": message},
            },
            status,
        )


REFUSED = Answer({"error": True, "message": "[object Object]"})
"""How restart and connect say no: with 200 (B13)."""


def invalid_proxy() -> Refusal:
    return Refusal(400, ["Invalid proxy"])


def unknown_instance(name: str) -> Refusal:
    return Refusal(404, [f'The "{name}" instance does not exist'])


def database_error() -> Refusal:
    text = "\nInvalid `prisma.instance.findMany()` invocation:\n\n\nCan't reach database server at 127.0.0.1:5432"
    return Refusal(500, text)


def schema_error(errors: list[str]) -> Refusal:
    return Refusal(400, [errors])


def type_errors(body: Mapping[str, Any], fields: Mapping[str, type], *, required: frozenset[str]) -> list[str]:
    """The schema messages for ``body``: missing, of a wrong type, or empty though required."""
    errors = []
    for name, kind in fields.items():
        if name not in body:
            if name in required:
                errors.append(f'instance requires property "{name}"')
        elif not isinstance(body[name], kind):
            errors.append(f"{name} is not of a type(s) {'boolean' if kind is bool else 'string'}")
        elif name in required and body[name] == "":
            errors.append(f'The "{name}" cannot be empty')
    return errors


def unauthorized() -> Refusal:
    return Refusal(401, "Unauthorized")
