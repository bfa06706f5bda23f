"""What the API takes: bodies and query parameters, in camelCase. What is not named here is refused."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from service.audit import EventFilter, InstanceSearch, Level, ProxySearch, ProxySort
from service.control.drift import Kind
from service.errors import InvalidInputError
from service.models import Protocol
from service.pool.models import Status
from service.pool.tokens import Role
from service.web.export import Format
from service.web.fields import (
    EventKey,
    EventType,
    Labels,
    Limit,
    Moment,
    Name,
    Password,
    Printable,
    Seconds,
    Stored,
    Wanted,
)
from service.web.models import ApiModel


class _Body(ApiModel):
    model_config = ConfigDict(validate_by_name=False, validate_by_alias=True)


class Nothing(_Body):
    """A route without parameters or body."""


class PageQuery(_Body):
    limit: Limit = 50
    cursor: str = ""


class ProxyFilter(_Body):
    """All that is given must hold, and nothing given is every proxy. ``q`` stands anywhere in a proxy's id,
    ``host:port``, username, group, labels or holder's name; ``server`` is its holder's; ``expiring``: within so many
    seconds, or expired."""

    status: Status | None = None
    protocol: Protocol | None = None
    group: Stored | None = None
    q: Stored = ""
    server: Stored | None = None
    label: Stored | None = None
    expiring: Seconds | None = None

    def search(self, now: int, sort: ProxySort = "host") -> ProxySearch:
        """``now`` in ms."""
        return ProxySearch(
            q=self.q,
            status=self.status,
            protocol=self.protocol,
            group=self.group,
            label=self.label,
            server=self.server,
            expires_before=None if self.expiring is None else now + 1000 * self.expiring,
            sort=sort,
        )


class ProxyQuery(PageQuery, ProxyFilter):
    """``sort`` begins with the least, ``-`` with the greatest."""

    sort: ProxySort | None = None


class InstanceFilter(_Body):
    """All that is given must hold, and nothing given is every instance."""

    state: Literal["open", "connecting", "close", "unknown"] | None = None
    server: Stored | None = None
    list: Literal["unprotected", "unapplied", "spent", "external"] | None = None
    q: Stored = ""

    def search(self) -> InstanceSearch:
        return InstanceSearch(q=self.q, state=self.state, server=self.server, list=self.list)


class InstanceQuery(PageQuery, InstanceFilter):
    """A page of what the filter finds."""


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
    """``group``: the counts of that group alone."""

    group: Stored | None = None
    step: Annotated[int, Field(ge=1, le=31_536_000)] | None = None


class EventQuery(PageQuery, RangeQuery):
    """``instance`` is an id or a name; ``type`` one type, or the part up to the dot for all that begin so; ``level``
    that one alone, ``min_level`` that or a graver one; ``id`` one event."""

    id: EventKey | None = None
    instance: Name | None = None
    server: Wanted | None = None
    proxy_id: Wanted | None = None
    actor: Name | None = None
    type: EventType | None = None
    level: Level | None = None
    min_level: Level | None = None

    def filter(self) -> EventFilter:
        """Raises what :meth:`bounds` raises."""
        since, until = self.bounds()
        return EventFilter(
            id=self.id,
            instance=self.instance,
            server=self.server,
            proxy=self.proxy_id,
            actor=self.actor,
            type=self.type,
            level=self.level,
            min_level=self.min_level,
            since=since,
            until=until,
        )


class LedgerQuery(PageQuery, RangeQuery):
    """``instance`` (an id or a name) or ``proxy_id`` has to be given."""

    instance: Name | None = None
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
    labels: Labels | None = None
    expires_at: Moment | None = None
    password: Password | None = Field(default=None, repr=False)

    def changes(self) -> dict[str, Any]:
        """As :meth:`service.pool.proxies.Proxies.update` takes them."""
        given = self.model_fields_set
        expires_at = round(self.expires_at.timestamp() * 1000) if self.expires_at else None
        return {
            "group": (self.group or "") if "group" in given else None,
            "labels": (self.labels or []) if "labels" in given else None,
            "expires_at": expires_at,
            "clear_expiry": "expires_at" in given and expires_at is None,
            "password": self.password,
        }


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
    labels: Labels | None = None
    force: bool = False
    dry_run: bool = False


class InstanceBulk(_Body):
    """One action on the instances that ``names`` name (on ``server``, where one is given) or ``filter`` finds.
    ``group``: where assign and rotate are to look; ``force``: release ends without proof. ``dry_run`` counts and
    changes nothing."""

    action: Literal["assign", "release", "rotate"]
    names: Annotated[list[Name], Field(min_length=1, max_length=1000)] | None = None
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
