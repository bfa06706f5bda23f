"""What the pool holds: typed views of its hashes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from service.models import Protocol, ProxySpec
from service.pool.choice import Choice

NEVER = 253402300799000
"""Score of a quarantine that only an observation ends (lua/lib/proxies.lua)."""


class Status(StrEnum):
    FREE = "free"
    USED = "used"
    COOLING = "cooling"
    QUARANTINED = "quarantined"
    DISABLED = "disabled"


class Phase(StrEnum):
    RESERVED = "reserved"
    ACTIVE = "active"
    RELEASING = "releasing"


class Waits(StrEnum):
    """What a releasing lease waits for."""

    GRACE = "grace"
    ROW = "row"
    SOCKET = "socket"


class Applied(StrEnum):
    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class Row(StrEnum):
    """What a row that differs from the lease names."""

    EXTERNAL = "external"
    """A proxy that the pool does not know."""
    LATE = "late"
    """One that this instance was given before: a set of ours that landed late."""
    HELD = "held"
    """One that another instance holds."""
    CHOSEN = "chosen"
    """One of the pool's that is not held: somebody's choice."""


class Evidence(StrEnum):
    """Why a lease may end."""

    MOVED = "moved"
    GONE = "gone"
    RECREATED = "recreated"
    FORCED = "forced"


def _integer(raw: Mapping[str, str], name: str) -> int | None:
    value = raw.get(name, "")
    return int(value) if value not in ("", "0") else None


@dataclass(frozen=True, slots=True)
class Lease:
    """One lease, current or tail. Times in ms. ``instance`` is Evolution's id; a reservation's begins with ``~``.

    ``outdated``: the proxy's password has changed since the row was written. ``troubled_since``: since then the live
    state was not open at any reading; ``signs`` are the times of those that count against the proxy, ``looped`` tells a
    reconnect loop, ``cured_at`` when the row was last written once more for that. ``spent``: it waits for a human.
    """

    proxy_id: str
    server: str
    instance: str
    name: str
    token: str
    phase: Phase
    waits: Waits | None
    tail: bool
    actor: str
    reason: str
    applied: Applied
    opened: bool
    down: bool
    manual: bool
    owner: str
    since: int
    reserved_at: int | None
    active_at: int | None
    applied_at: int | None
    grace_until: int | None
    clear_begun_at: int | None
    unknown_at: int | None
    disconnected_at: int | None
    socket_gone: bool
    release_reason: str
    rest_ms: int
    refusals: int
    stuck: bool
    outdated: bool
    replaces: str | None
    reservation: str | None
    expires_at: int | None
    chosen: Choice
    troubled_since: int | None
    signs: tuple[int, ...]
    looped: bool
    cured_at: int | None
    spent: bool

    @property
    def holder(self) -> str:
        return f"{self.server}/{self.instance}"

    @classmethod
    def parse(cls, proxy_id: str, raw: Mapping[str, str]) -> Lease:
        return cls(
            proxy_id=proxy_id,
            server=raw["server"],
            instance=raw["instance"],
            name=raw["name"],
            token=raw["token"],
            phase=Phase(raw["phase"]),
            waits=Waits(raw["waits"]) if raw.get("waits") else None,
            tail=raw.get("tail") == "1",
            actor=raw.get("actor", ""),
            reason=raw.get("reason", ""),
            applied=Applied(raw.get("applied", "no")),
            opened=raw.get("opened") == "1",
            down=raw.get("down") == "1",
            manual=raw.get("manual") == "1",
            owner=raw.get("owner", ""),
            since=int(raw.get("since", "0")),
            reserved_at=_integer(raw, "reserved_at"),
            active_at=_integer(raw, "active_at"),
            applied_at=_integer(raw, "applied_at"),
            grace_until=_integer(raw, "grace_until"),
            clear_begun_at=_integer(raw, "clear_begun_at"),
            unknown_at=_integer(raw, "unknown_at"),
            disconnected_at=_integer(raw, "disc_at"),
            socket_gone=raw.get("socket_gone") == "1",
            release_reason=raw.get("release_reason", ""),
            rest_ms=_integer(raw, "rest_ms") or 0,
            refusals=_integer(raw, "refusals") or 0,
            stuck=raw.get("stuck") == "1",
            outdated=raw.get("outdated") == "1",
            replaces=raw.get("replaces") or None,
            reservation=raw.get("reservation") or None,
            expires_at=_integer(raw, "expires_at"),
            chosen=Choice.parse(raw.get("chosen", ""), raw.get("chosen_from", ""), raw.get("counts", "")),
            troubled_since=_integer(raw, "troubled_since"),
            signs=tuple(map(int, filter(None, raw.get("signs", "").split(",")))),
            looped=raw.get("looped") == "1",
            cured_at=_integer(raw, "cured_at"),
            spent=raw.get("spent") == "1",
        )


@dataclass(frozen=True, slots=True)
class Proxy:
    """One known proxy with its lease, if it has one. Times in ms; ``secret`` as stored, never shown by repr."""

    id: str
    protocol: Protocol
    host: str
    port: int
    username: str
    secret: str = field(repr=False)
    status: Status
    group: str
    labels: tuple[str, ...]
    active: bool
    unusable: str
    disabled_reason: str
    quarantine_reason: str
    strikes: int
    rest_reason: str
    available_at: int | None
    expires_at: int | None
    created_at: int
    updated_at: int
    rev: str
    lease: Lease | None

    @classmethod
    def parse(cls, proxy_id: str, raw: Mapping[str, str], lease: Mapping[str, str], now: int) -> Proxy:
        available_at = _integer(raw, "available_at")
        status = Status(raw["status"])
        if status is Status.FREE and available_at is not None and available_at > now:
            status = Status.COOLING
        waiting = status in (Status.COOLING, Status.QUARANTINED) and available_at != NEVER
        return cls(
            id=proxy_id,
            protocol=Protocol(raw["protocol"]),
            host=raw["host"],
            port=int(raw["port"]),
            username=raw.get("username", ""),
            secret=raw.get("secret", ""),
            status=status,
            group=raw.get("group", ""),
            labels=tuple(raw["labels"].split("\n")) if raw.get("labels") else (),
            active=raw.get("active") == "1",
            unusable=raw.get("unusable", ""),
            disabled_reason=raw.get("disabled_reason", ""),
            quarantine_reason=raw.get("quarantine_reason", "") if status is Status.QUARANTINED else "",
            strikes=_integer(raw, "strikes") or 0,
            rest_reason=raw.get("rest_reason", "") if status is Status.COOLING else "",
            available_at=available_at if waiting else None,
            expires_at=_integer(raw, "expires_at"),
            created_at=int(raw.get("created_at", "0")),
            updated_at=int(raw.get("updated_at", "0")),
            rev=raw.get("rev", "0"),
            lease=Lease.parse(proxy_id, lease) if lease else None,
        )

    def spec(self, password: str) -> ProxySpec:
        """The endpoint with its password in clear, as the Evolution client and the export take it."""
        return ProxySpec(
            self.protocol, self.host, self.port, self.username, password, self.group, self.labels, self.expires_at
        )


@dataclass(frozen=True, slots=True)
class Instance:
    """One known instance, as last observed, with its lease. Times in ms. ``row`` is a proxy id, ``off`` or ``""``."""

    server: str
    id: str
    name: str
    state: str
    integration: str
    managed: bool
    unmanaged: bool
    owner: str
    row: str
    address: str
    code: str
    state_since: int | None
    seen_at: int | None
    lease: Lease | None

    @property
    def position(self) -> str:
        """Where it stands in the pool's order of instances (lua/README.md, ``instances``)."""
        return f"{self.server}/{self.name}\n{self.id}"

    @classmethod
    def parse(
        cls, server: str, instance: str, raw: Mapping[str, str], lease: Lease | None, *, unmanaged: bool
    ) -> Instance:
        return cls(
            server=server,
            id=instance,
            name=raw.get("name", ""),
            state=raw.get("state", "unknown"),
            integration=raw.get("integration", ""),
            managed=raw.get("managed") == "1",
            unmanaged=unmanaged,
            owner=raw.get("owner", ""),
            row=raw.get("row", ""),
            address=raw.get("address", ""),
            code=raw.get("code", ""),
            state_since=_integer(raw, "state_since"),
            seen_at=_integer(raw, "seen_at"),
            lease=lease,
        )


@dataclass(frozen=True, slots=True)
class Broken:
    """A promise found broken by ``evoproxy check``: the id it is about and what was seen."""

    id: str
    what: str


@dataclass(frozen=True, slots=True)
class Rests:
    """How long things rest, in ms (settings of DESIGN.md, part 5)."""

    settle_ms: int = 900_000
    memory_ms: int = 604_800_000
