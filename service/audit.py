"""What the audit is asked and what it answers, in the words that web, command line and mirror share. Times are
milliseconds UTC; a range begins at ``since`` and ends before ``until``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from service.pool.models import Instance, Proxy
from service.pool.stream import Event, EventId

Level = Literal["debug", "info", "warning", "error"]
"""Of an event, the gravest last."""


@dataclass(frozen=True, slots=True)
class EventFilter:
    """What an event has to be; all that is given must hold. ``instance`` is an id or a name. A ``type`` that ends with
    a dot stands for all types that begin so. ``level`` is exact, ``min_level`` that or a graver one."""

    id: str | None = None
    instance: str | None = None
    server: str | None = None
    proxy: str | None = None
    actor: str | None = None
    type: str | None = None
    level: Level | None = None
    min_level: Level | None = None
    since: int | None = None
    until: int | None = None


@dataclass(frozen=True, slots=True)
class Events:
    """A page of events, newest first. ``following`` is where the next one begins, ``None`` at the end. SQL held every
    event up to ``position`` when it was asked."""

    items: Sequence[Event]
    following: str | None
    position: EventId


@dataclass(frozen=True, slots=True)
class LedgerFilter:
    """Whose proxies, or whose holders; all that is given must hold. ``instance`` is an id or a name. A tenancy is in
    the range if any part of it is."""

    instance: str | None = None
    proxy: str | None = None
    server: str | None = None
    since: int | None = None
    until: int | None = None


@dataclass(frozen=True, slots=True)
class Tenancy:
    """One holder had one proxy from ``began_at`` to ``ended_at`` (``None``: has it still), whatever became of the lease
    meanwhile.

    ``active_at`` and ``applied_at`` are when that was first so. ``began`` and ``ended`` are the types of the events;
    where an event was lost they are ``None``, and the moment is the nearest that is known. ``release_actor`` and
    ``release_reason`` are there once a release has begun; it may still be called off. ``protocol``, ``host`` and
    ``port`` are ``None`` for a proxy that SQL never saw.
    """

    proxy: str
    protocol: str | None
    host: str | None
    port: int | None
    server: str
    instance: str
    name: str | None
    began_at: int
    began: str | None
    began_actor: str | None
    began_reason: str | None
    chosen: str | None
    active_at: int | None
    applied_at: int | None
    release_actor: str | None
    release_reason: str | None
    ended_at: int | None
    ended: str | None
    evidence: str | None


@dataclass(frozen=True, slots=True)
class Ledger:
    """A page of tenancies, the latest begun first; otherwise as :class:`Events`."""

    items: Sequence[Tenancy]
    following: str | None
    position: EventId


ProxySort = Literal[
    "host",
    "-host",
    "status",
    "-status",
    "group",
    "-group",
    "instance",
    "-instance",
    "updatedAt",
    "-updatedAt",
    "expiresAt",
    "-expiresAt",
    "createdAt",
    "-createdAt",
]
"""What proxies are put in order by; ``-`` begins with the greatest. Those without the value come last in both."""


@dataclass(frozen=True, slots=True)
class ProxySearch:
    """What a proxy has to be; all that is given must hold. ``q`` stands anywhere in its id, ``host:port``, username,
    group, a label or the name of its holder, whatever the case. ``server`` is its holder's."""

    q: str = ""
    status: str | None = None
    protocol: str | None = None
    group: str | None = None
    label: str | None = None
    server: str | None = None
    active: bool | None = None
    expires_before: int | None = None
    sort: ProxySort = "host"

    def meets(self, proxy: Proxy) -> bool:
        """Whether the proxy is as it has to be now."""
        if self.status not in (None, proxy.status) or self.protocol not in (None, proxy.protocol):
            return False
        if self.group not in (None, proxy.group) or self.active not in (None, proxy.active):
            return False
        if self.label is not None and self.label not in proxy.labels:
            return False
        if self.server is not None and (proxy.lease is None or proxy.lease.server != self.server):
            return False
        if self.expires_before is not None and (proxy.expires_at is None or proxy.expires_at >= self.expires_before):
            return False
        holder = proxy.lease.name if proxy.lease else ""
        return _found(
            self.q, proxy.id, f"{proxy.host}:{proxy.port}", proxy.username, proxy.group, *proxy.labels, holder
        )


@dataclass(frozen=True, slots=True)
class InstanceSearch:
    """What an instance has to be; all that is given must hold. ``q`` stands anywhere in its name, id, owner or the
    address in its row, whatever the case. ``list`` is one of the pool's lists of instances."""

    q: str = ""
    state: str | None = None
    server: str | None = None
    list: str | None = None

    def meets(self, instance: Instance) -> bool:
        """Whether the instance, of that list, is as it has to be now."""
        if self.state not in (None, instance.state) or self.server not in (None, instance.server):
            return False
        return _found(self.q, instance.name, instance.id, instance.owner, instance.address)


def _found(q: str, *texts: str) -> bool:
    return not q or any(q.casefold() in text.casefold() for text in texts)


@dataclass(frozen=True, slots=True)
class ProxyIds:
    """A page of proxies that were found, in their order; otherwise as :class:`Events`. There may be fewer than asked
    for, even none, and more to come. ``total`` is told where it costs nothing, else ``None``."""

    ids: Sequence[str]
    following: str | None
    total: int | None
    position: EventId


@dataclass(frozen=True, slots=True)
class History:
    """Snapshots of the figures, oldest first: in each ``step`` seconds the last one. A point has the columns of
    ``pool_stats`` and what stands in their ``data``."""

    step: int
    points: Sequence[Mapping[str, Any]]


@dataclass(slots=True)
class Comparison:
    """The pool held against its table: ``absent`` proxies had no row, ``differing`` ones another, ``surplus`` rows are
    of proxies that the pool does not know."""

    compared: int = 0
    absent: int = 0
    differing: int = 0
    surplus: int = 0

    @property
    def differences(self) -> int:
        return self.absent + self.differing + self.surplus
