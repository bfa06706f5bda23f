"""What the API takes: bodies and query parameters, in camelCase. What is not named here is refused."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, BeforeValidator, ConfigDict, Field

from service.importing.draft import LABELS_LIMIT
from service.models import FIELD_LIMIT, Protocol
from service.pool.models import Status
from service.pool.tokens import Role
from service.web.models import ApiModel


def _text(value: object) -> object:
    """Refuses what is no printable text; lengths are checked by the field."""
    if isinstance(value, str) and not value.isprintable():
        raise ValueError("must be printable")
    return value


Printable = Annotated[str, BeforeValidator(_text), Field(max_length=FIELD_LIMIT)]
Name = Annotated[str, Field(min_length=1, max_length=255)]
Limit = Annotated[int, Field(ge=1, le=500)]


class _Body(ApiModel):
    model_config = ConfigDict(validate_by_name=False, validate_by_alias=True)


class Nothing(_Body):
    """A route without parameters or body."""


class ProxyQuery(_Body):
    status: Status | None = None
    protocol: Protocol | None = None
    group: str | None = None
    q: str = ""
    limit: Limit = 50
    cursor: str = ""


class InstanceQuery(_Body):
    state: Literal["open", "connecting", "close", "unknown"] | None = None
    server: str | None = None
    list: Literal["unprotected", "unapplied", "external"] | None = None
    q: str = ""
    limit: Limit = 50
    cursor: str = ""


class ServerQuery(_Body):
    server: str | None = None


class ReleaseQuery(ServerQuery):
    force: bool = False


class ImportQuery(_Body):
    dry_run: bool = False
    mode: Literal["add", "sync"] = "add"
    protocol: Protocol = Protocol.HTTP
    group: Printable = ""


class Choice(_Body):
    """Which proxy an instance is to get; any, if nothing is named."""

    proxy_id: str | None = None
    group: Printable | None = None


class Force(_Body):
    force: bool = False


class Change(_Body):
    """What PATCH may change; what is not named stays."""

    group: Printable | None = None
    labels: Annotated[list[Annotated[Printable, Field(min_length=1)]], Field(max_length=LABELS_LIMIT)] | None = None
    expires_at: AwareDatetime | None = None
    password: str | None = Field(default=None, repr=False)


class ReservationRequest(_Body):
    server: str
    instance: Name
    proxy_id: str | None = None
    group: Printable | None = None
    ttl: Annotated[int, Field(ge=120, le=900)] = 300


class Ignored(_Body):
    ignored: bool = True


class BrakeRelease(_Body):
    server: str | None = None
    half: Literal["release", "set"] | None = None


class TokenRequest(_Body):
    name: str
    role: Role
