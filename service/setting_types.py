"""How the values of settings are written, and what they become."""

from __future__ import annotations

import json
import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr
from pydantic.alias_generators import to_camel
from redis.asyncio.connection import parse_url

from service.urls import normalise_url


def _listed(value: object) -> object:
    """A list as people write it: ``a, b`` or ``["a", "b"]``."""
    if not isinstance(value, str) or value.lstrip().startswith("["):
        return from_json(value)
    return [item for part in value.split(",") if (item := part.strip())]


def from_json(value: object) -> object:
    """Text as JSON, anything else as it is. Raises ``ValueError`` with the place of the mistake."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except json.JSONDecodeError as error:
        raise ValueError(f"is no JSON: {error.msg} at line {error.lineno} column {error.colno}") from None


def _present(secret: SecretStr) -> SecretStr:
    if not secret.get_secret_value().strip():
        raise ValueError("must not be blank")
    return secret


def _path_segment(secret: SecretStr) -> SecretStr:
    if re.search(r"[\s/?#%]", secret.get_secret_value()):
        raise ValueError("must not hold spaces or any of / ? # % because it stands in a URL's path")
    return secret


def _with_scheme(*schemes: str) -> AfterValidator:
    """Refuses a URL of another scheme."""

    def check(url: SecretStr) -> SecretStr:
        scheme, _, rest = url.get_secret_value().partition("://")
        if scheme not in schemes or not rest:
            raise ValueError("must begin with " + " or ".join(f"{known}://" for known in schemes))
        return url

    return AfterValidator(check)


def _readable(url: SecretStr) -> SecretStr:
    """Refuses what the Redis client can't read; its own error would quote a piece of the password."""
    try:
        parse_url(url.get_secret_value())
    except ValueError:
        raise ValueError("can't be read; / ? # @ and % in a password must be percent-encoded") from None
    return url


Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Interval = Annotated[float, Field(ge=0.1, le=86_400, allow_inf_nan=False)]
Names = Annotated[tuple[str, ...], BeforeValidator(_listed)]
BaseUrl = Annotated[str, AfterValidator(normalise_url)]
Secret = Annotated[SecretStr, AfterValidator(_present)]
PathSecret = Annotated[Secret, AfterValidator(_path_segment)]
RedisUrl = Annotated[SecretStr, _with_scheme("redis", "rediss", "unix"), AfterValidator(_readable)]
DatabaseUrl = Annotated[SecretStr, _with_scheme("postgresql", "mysql", "sqlite")]


class _Part(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, validate_by_name=True, hide_input_in_errors=True
    )


class ServerSettings(_Part):
    """One Evolution API server. ``base_url`` is normalised (:func:`service.urls.normalise_url`)."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,32}$")]
    base_url: BaseUrl
    api_key: Secret


class GroupRule(_Part):
    """Instances that match every given condition get a proxy of ``group``.

    ``server`` and ``name`` are patterns as in :attr:`Settings.include`; ``phone_prefix`` is digits. With
    ``strict`` an instance gets none rather than one of another group. The first rule that matches wins.
    """

    server: str | None = None
    name: str | None = None
    phone_prefix: Annotated[str, Field(pattern=r"^[0-9]{1,15}$")] | None = None
    group: Annotated[str, Field(min_length=1)]
    strict: bool = False


class RotateAfter(_Part):
    """``signs`` failures of a connection within ``seconds``; written ``3/300``."""

    signs: Annotated[int, Field(ge=1)]
    seconds: Annotated[float, Field(gt=0, allow_inf_nan=False)]

    def __str__(self) -> str:
        return f"{self.signs}/{self.seconds:g}"


def from_ratio(value: object) -> object:
    """``3/300`` as the fields of :class:`RotateAfter`, anything but text as it is. Raises ``ValueError``."""
    if not isinstance(value, str):
        return value
    written = re.fullmatch(r"\s*(\d+)\s*/\s*(\d+(?:\.\d+)?)\s*", value)
    if not written:
        raise ValueError("must be written signs/seconds, as in 3/300")
    return {"signs": written[1], "seconds": written[2]}
