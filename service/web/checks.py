"""Values held against a model, and what is wrong with them in the reader's words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from service import messages
from service.errors import InvalidInputError
from service.messages import Locale

M = TypeVar("M", bound=BaseModel)


def checked(language: Locale, validate: Callable[[], M]) -> M:
    """What ``validate`` makes. Raises ``invalid`` with the field and the reason, in words."""
    try:
        return validate()
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)[0]
    field = ".".join(str(step) for step in details["loc"]) or "body"
    raise InvalidInputError(
        field=field, reason=_reason(language, details["type"], details.get("ctx", {}), details["msg"])
    )


def _reason(language: Locale, kind: str, context: Mapping[str, Any], fallback: str) -> str:
    if language != "en" and "expected" in context:
        context = {**context, "expected": context["expected"].replace(" or ", " ou ")}
    return messages.reason(kind, language, fallback, **context)
