"""What the API takes: bodies and query parameters, in camelCase. What is not named here is refused."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from service.audit import ProxySort
from service.control.drift import Kind
from service.errors import InvalidInputError
from service.importing.draft import LABELS_LIMIT
from service.importing.fields import check_credential
from service.importing.outcomes import LineError
from service.models import FIELD_LIMIT, Protocol
from service.pool.models import Status
from service.pool.tokens import Role
from service.web.export import Format
from service.web.models import LATEST, ApiModel


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
Wanted = Annotated[str, Field(min_length=1, max_length=FIELD_LIMIT), BeforeValidator(_text)]
Instance = Annotated[str, Field(min_length=1, max_length=255), BeforeValidator(_text)]
Stored = Annotated[str, Field(max_length=FIELD_LIMIT), BeforeValidator(_text)]
EventType = Annotated[str, AfterValidator(_event_type), Field(max_length=64)]
Limit = Annotated[int, Field(ge=1, le=500)]
Moment = Annotated[AwareDatetime, BeforeValidator(_time), AfterValidator(_storable)]
Label = Annotated[Printable, Field(min_length=1), BeforeValidator(_tidy)]


class _Body(ApiModel):
    model_config = ConfigDict(validate_by_name=False, validate_by_alias=True)


class Nothing(_Body):
    """A route without parameters or body."""


class PageQuery(_Body):
    limit: Limit = 50
    cursor: str = ""


class ProxyQuery(PageQuery):
    """``q`` stands anywhere in a proxy's id, ``host:port``, username, group, labels or holder's name; ``server`` is its
    holder's; ``expiring``: within so many seconds, or expired. ``sort`` begins with the least, ``-`` with the
    greatest."""

    status: Status | None = None
    protocol: Protocol | None = None
    group: Stored | None = None
    q: Stored = ""
    server: Stored | None = None
    label: Stored | None = None
    expiring: Annotated[int, Field(ge=0, le=315_360_000)] | None = None
    sort: ProxySort | None = None


class InstanceQuery(PageQuery):
    state: Literal["open", "connecting", "close", "unknown"] | None = None
    server: str | None = None
    list: Literal["unprotected", "unapplied", "spent", "external"] | None = None
    q: str = ""


class DriftQuery(PageQuery):
    kind: Kind | None = None
    server: str | None = None


class RangeQuery(_Body):
    """From a moment on and before another."""

    since: Moment | None = Field(default=None, alias="from")
    until: Moment | None = Field(default=None, alias="to")

    def bounds(self) -> tuple[int | None, int | None]:
        """In ms. Raises :class:`~service.errors.InvalidInputError` when nothing is between them."""
        since, until = (round(one.timestamp() * 1000) if one else None for one in (self.since, self.until))
        if since is not None and until is not None and since >= until:
            raise InvalidInputError(field="to", reason="empty_range")
        return since, until


class HistoryQuery(RangeQuery):
    step: Annotated[int, Field(ge=1, le=31_536_000)] | None = None


class EventQuery(PageQuery, RangeQuery):
    """``instance`` is an id or a name; ``type`` one type, or the part up to the dot for all that begin so."""

    instance: Instance | None = None
    server: Wanted | None = None
    proxy_id: Wanted | None = None
    actor: Instance | None = None
    type: EventType | None = None
    level: Literal["debug", "info", "warning", "error"] | None = None


class LedgerQuery(PageQuery, RangeQuery):
    """``instance`` (an id or a name) or ``proxy_id`` has to be given."""

    instance: Instance | None = None
    proxy_id: Wanted | None = None
    server: Wanted | None = None


class ServerQuery(_Body):
    server: str | None = None


class ReleaseQuery(ServerQuery):
    force: bool = False


class ImportQuery(_Body):
    dry_run: bool = False
    mode: Literal["add", "sync"] = "add"
    protocol: Protocol = Protocol.HTTP
    group: Printable = ""


class ExportQuery(_Body):
    format: Format = Format.LINES
    secrets: bool = False
    status: Status | None = None
    group: str | None = None
    protocol: Protocol | None = None


class Choice(_Body):
    """Which proxy an instance is to get; any, if nothing is named."""

    proxy_id: str | None = None
    group: Printable | None = None


class Force(_Body):
    force: bool = False


class Change(_Body):
    """What PATCH may change; what is not named stays. ``null`` clears all but the password, which ``""`` clears."""

    group: Printable | None = None
    labels: Annotated[list[Label], AfterValidator(_distinct), Field(max_length=LABELS_LIMIT)] | None = None
    expires_at: Moment | None = None
    password: Annotated[str, AfterValidator(_password)] | None = Field(default=None, repr=False)


class ProxyFilter(_Body):
    """As in GET /proxies; all that is given must hold, and nothing given is every proxy."""

    status: Status | None = None
    protocol: Protocol | None = None
    group: Stored | None = None
    q: Stored = ""
    server: Stored | None = None
    label: Stored | None = None
    expiring: Annotated[int, Field(ge=0, le=315_360_000)] | None = None


class InstanceFilter(_Body):
    """As in GET /instances; all that is given must hold, and nothing given is every instance."""

    state: Literal["open", "connecting", "close", "unknown"] | None = None
    server: Stored | None = None
    list: Literal["unprotected", "unapplied", "spent", "external"] | None = None
    q: Stored = ""


class ProxyBulk(_Body):
    """One action on the proxies that ``ids`` name or ``filter`` finds. ``group``: that of setGroup, or where rotate is
    to look; ``labels``: those of setLabels, addLabels, removeLabels; ``force``: disable moves the used ones at once,
    release ends without proof. ``dry_run`` counts and changes nothing."""

    action: Literal[
        "disable", "enable", "remove", "setGroup", "setLabels", "addLabels", "removeLabels", "rotate", "release"
    ]
    ids: Annotated[list[Annotated[Wanted, Field(max_length=64)]], Field(min_length=1, max_length=10_000)] | None = None
    filter: ProxyFilter | None = None
    group: Printable | None = None
    labels: Annotated[list[Label], AfterValidator(_distinct), Field(max_length=LABELS_LIMIT)] | None = None
    force: bool = False
    dry_run: bool = False


class InstanceBulk(_Body):
    """One action on the instances that ``names`` name (on ``server``, where one is given) or ``filter`` finds.
    ``group``: where assign and rotate are to look; ``force``: release ends without proof. ``dry_run`` counts and
    changes nothing."""

    action: Literal["assign", "release", "rotate"]
    names: Annotated[list[Instance], Field(min_length=1, max_length=1000)] | None = None
    filter: InstanceFilter | None = None
    server: Stored | None = None
    group: Printable | None = None
    force: bool = False
    dry_run: bool = False


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
    """``expires_at`` lies ahead; ``rate_limit`` is in requests a minute."""

    name: str
    role: Role
    expires_at: Moment | None = None
    rate_limit: Annotated[int, Field(ge=1, le=1_000_000)] | None = None


class LoginRequest(_Body):
    token: Annotated[str, Field(max_length=8192, repr=False)] = ""
