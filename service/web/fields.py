"""The kinds of values that the API takes, each with its bounds."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from service.importing.draft import LABELS_LIMIT
from service.importing.fields import check_credential
from service.importing.outcomes import LineError
from service.models import FIELD_LIMIT
from service.web.models import LATEST


def _text(value: object) -> object:
    """Refuses what is no printable text; lengths are checked by the field."""
    if isinstance(value, str) and not value.isprintable():
        raise ValueError("must be printable")
    return value


def _name(value: str) -> str:
    """Any name that the Evolution API takes (EVOLUTION.md, 9); joined emoji are not printable to Python."""
    if re.search(r"[\x00-\x1f\x7f]", value):
        raise ValueError("must be printable")
    return value


def _time(value: object) -> object:
    """A moment of RFC 3339; pydantic would also take ``"2026"``, for Unix seconds."""
    if isinstance(value, str) and re.match(r"\d{4}-\d\d-\d\d[Tt ]", value):
        with suppress(ValueError):
            return datetime.fromisoformat(value.upper())
    raise PydanticCustomError("datetime_parsing", "must be an RFC 3339 time")


def _storable(moment: datetime) -> datetime:
    if not 0 <= moment.timestamp() * 1000 <= LATEST:
        raise PydanticCustomError("datetime_range", "must be from 1970 to 9999")
    return moment


def _event_type(value: str) -> str:
    if not re.fullmatch(r"[a-z]+\.[a-z_]*", value):
        raise PydanticCustomError("event_type", "must be a type like lease.reserved, or the part up to its dot")
    return value


def _password(value: str) -> str:
    try:
        check_credential("password", value)
    except LineError as error:
        raise PydanticCustomError(error.code, "must be a password that an import would take") from None
    return value


def _tidy(value: object) -> object:
    """As the importer does with labels: no white space but single blanks between words."""
    return " ".join(value.split()) if isinstance(value, str) else value


def _distinct(labels: list[str]) -> list[str]:
    return list(dict.fromkeys(labels))


Printable = Annotated[str, BeforeValidator(_text), Field(max_length=FIELD_LIMIT)]
Name = Annotated[str, Field(min_length=1, max_length=255), AfterValidator(_name)]
Wanted = Annotated[str, Field(min_length=1, max_length=FIELD_LIMIT), AfterValidator(_name)]
Stored = Annotated[str, Field(max_length=FIELD_LIMIT), AfterValidator(_name)]
EventKey = Annotated[str, Field(pattern=r"^[0-9]{1,18}-[0-9]{1,18}$")]
EventType = Annotated[str, AfterValidator(_event_type), Field(max_length=64)]
Limit = Annotated[int, Field(ge=1, le=500)]
Moment = Annotated[AwareDatetime, BeforeValidator(_time), AfterValidator(_storable)]
Seconds = Annotated[int, Field(ge=0, le=315_360_000)]
"""Ten years at most."""

Label = Annotated[Printable, Field(min_length=1), BeforeValidator(_tidy)]
Labels = Annotated[list[Label], AfterValidator(_distinct), Field(max_length=LABELS_LIMIT)]
Password = Annotated[str, AfterValidator(_password)]
