"""What the model keeps of the pool."""

from __future__ import annotations

from dataclasses import dataclass, field

from service.models import ProxySpec
from service.pool.models import NEVER, Phase, Status, Waits

Holder = tuple[str, str]
"""(server, instance); a reservation's instance begins with ``~``."""


class Refused(Exception):
    """The model's refusal, by its word."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Refused) and self.args == other.args

    __hash__ = Exception.__hash__


@dataclass
class Hold:
    """A lease, current or tail."""

    holder: Holder
    name: str
    token: int
    phase: Phase = Phase.RESERVED
    owner: str = ""
    applied: str = "no"
    opened: bool = False
    down: bool = False
    was_active: bool = False
    tail: bool = False
    replaces: str = ""
    reservation: bool = False
    expires: int = 0
    unknown_at: int = 0
    sending_at: int = 0
    waits: Waits | None = None
    was: Phase | None = None
    clearing: bool = False
    socket_gone: bool = False
    reason: str = ""
    rest: int = 0
    refusals: int = 0
    since: int = 0
    pinned: bool = False
    probation: int = 0
    spent: bool = False
    troubled_since: int = 0
    signs: tuple[int, ...] = ()
    sign_at: int = 0
    looped: bool = False
    cured_at: int = 0

    def unapply(self, now: int) -> None:
        """Its row was written again."""
        self.applied, self.down, self.since = "no", False, now
        self.forget_signs()

    def forget_signs(self) -> None:
        """The row was written anew."""
        self.troubled_since, self.signs, self.sign_at, self.looped, self.cured_at = 0, (), 0, False, 0

    @property
    def sent_at(self) -> int:
        """When a set was last sent that may still land."""
        return max(self.unknown_at, self.sending_at)

    @property
    def stuck(self) -> bool:
        return self.refusals >= 6


@dataclass
class Endpoint:
    """A proxy that the pool knows. ``at``: available from, or end of the probation."""

    spec: ProxySpec
    active: bool
    group: str
    stamp: str
    hold: Hold | None = None
    probation: str = ""
    at: int = 0
    rest: int = 0
    unsafe: int = 0
    strikes: int = 0
    refused: bool = False
    kept_until: int = 0
    expiring: int | None = None

    @property
    def status(self) -> Status:
        """As Redis has it: cooling is free from a later time on."""
        if self.hold:
            return Status.USED
        if self.probation:
            return Status.QUARANTINED
        return Status.FREE if self.active else Status.DISABLED

    @property
    def resting(self) -> int:
        return max(self.rest, self.unsafe, self.at if self.at < NEVER else 0)


@dataclass
class Record:
    """What was observed of an instance."""

    name: str
    state: str
    managed: bool
    row: str = ""
    owner: str = ""


@dataclass
class Server:
    read: bool = False
    read_epoch: int = 0
    ignored: bool = False
    brakes: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)
    suspected: bool = False
