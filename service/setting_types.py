"""How the values of settings are written, and what they become."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr
from pydantic.alias_generators import to_camel
from redis.asyncio.connection import parse_url

from service.urls import normalise_url


def _listed(value: object) -> object:
    """A list as people write it: ``a, b`` or ``["a", "b"]``."""
    if not isinstance(value, str) or re.match(r'\s*\[\s*["\]]', value):  # else it is a pattern such as [abc]*
        return listed_json(value)
    return [item for part in value.split(",") if (item := part.strip())]


def listed_json(value: object) -> object:
    """Text as a JSON list, anything else as it is. Raises ``ValueError`` with the place of the mistake."""
    if not isinstance(value, str):
        return value
    try:
        listed = json.loads(value, object_pairs_hook=_named_once)
    except json.JSONDecodeError as error:
        raise ValueError(f"is no JSON: {error.msg} at line {error.lineno} column {error.colno}") from None
    except RecursionError:
        raise ValueError("is nested too deep") from None
    if not isinstance(listed, list):
        raise ValueError("must be a JSON list")
    return listed


def _named_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """A JSON object. Python would take the last of two fields of one name without a word."""
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise ValueError("an object names one field twice")
    return fields


def _present(secret: SecretStr) -> SecretStr:
    """Without the blanks and line ends around it, which come from shells and editors."""
    text = secret.get_secret_value().strip()
    if not text:
        raise ValueError("must not be blank")
    return SecretStr(text)


def _of_a_header(secret: SecretStr) -> SecretStr:
    text = secret.get_secret_value()
    if not (text.isascii() and text.isprintable()):
        raise ValueError("must be printable ASCII because it is sent in a header")
    return secret


def _path_segment(secret: SecretStr) -> SecretStr:
    if re.search(r"[\s/?#%]", secret.get_secret_value()):
        raise ValueError("must not hold spaces or any of / ? # % because it stands in a URL's path")
    return secret


_SIGNING_BYTES = 32
"""RFC 7518, 3.2: an HS256 secret is no shorter than the digest."""


def _long_enough_to_sign(secret: SecretStr) -> SecretStr:
    if len(secret.get_secret_value().encode()) < _SIGNING_BYTES:
        raise ValueError(f"must have at least {_SIGNING_BYTES} bytes; openssl rand -hex 32 makes one")
    return secret


def _separated(value: object) -> object:
    """``first,second`` as a list, also when it is one secret already."""
    text = value.get_secret_value() if isinstance(value, SecretStr) else value
    return text.split(",") if isinstance(text, str) else text


_KEY_LENGTH = 8
"""Fewest characters. Whoever has a copy of the store can try short keys one by one."""


def _of_some_length(secret: SecretStr) -> SecretStr:
    if len(secret.get_secret_value()) < _KEY_LENGTH:
        raise ValueError(f"must have at least {_KEY_LENGTH} characters; openssl rand -hex 32 makes one")
    return secret


def _with_scheme(*schemes: str) -> AfterValidator:
    """Refuses a URL of another scheme."""

    def check(url: SecretStr) -> SecretStr:
        scheme, _, rest = url.get_secret_value().partition("://")
        if scheme not in schemes or not rest:
            raise ValueError("must begin with " + " or ".join(f"{known}://" for known in schemes))
        return url

    return AfterValidator(check)


def _readable_by(parse: Callable[[str], object]) -> AfterValidator:
    """Refuses what ``parse`` can't read; its own error would quote a piece of the password."""

    def check(url: SecretStr) -> SecretStr:
        try:
            parse(url.get_secret_value())
        except ValueError:
            raise ValueError("can't be read; / ? # @ [ ] and % in a password must be percent-encoded") from None
        return url

    return AfterValidator(check)


_TEN_YEARS = 315_360_000

Seconds = Annotated[float, Field(ge=0, le=_TEN_YEARS, allow_inf_nan=False)]
Interval = Annotated[float, Field(ge=0.1, le=86_400, allow_inf_nan=False)]
Names = Annotated[tuple[str, ...], BeforeValidator(_listed)]
BaseUrl = Annotated[str, AfterValidator(normalise_url)]
Secret = Annotated[SecretStr, AfterValidator(_present)]
HeaderSecret = Annotated[Secret, AfterValidator(_of_a_header)]
PathSecret = Annotated[Secret, AfterValidator(_path_segment)]
SigningSecret = Annotated[Secret, AfterValidator(_long_enough_to_sign)]
EncryptionKeys = Annotated[tuple[Annotated[Secret, AfterValidator(_of_some_length)], ...], BeforeValidator(_separated)]
RedisUrl = Annotated[SecretStr, _with_scheme("redis", "rediss", "unix"), _readable_by(parse_url)]
DatabaseUrl = Annotated[
    SecretStr, _with_scheme("postgresql", "mysql", "sqlite"), _readable_by(lambda url: urlsplit(url).port)
]


class _Part(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, validate_by_name=True, hide_input_in_errors=True
    )


class ServerSettings(_Part):
    """One Evolution API server. ``base_url`` is normalised (:func:`service.urls.normalise_url`)."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,32}$")]
    base_url: BaseUrl
    api_key: HeaderSecret


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
    seconds: Annotated[float, Field(gt=0, le=_TEN_YEARS, allow_inf_nan=False)]

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
