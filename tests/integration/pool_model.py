"""What the pool ought to do, written from DESIGN.md (part 3) and the headers of the scripts, to hold the real one against.

The model keeps facts and derives everything that the scripts keep beside them: the lease map, the tails, the lines, the
memory, the figures. Times are in ms. :class:`Uses` knows nothing of statuses: it follows who may still use a proxy.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import inf

from service.models import USABLE_PROTOCOLS, ProxySpec
from service.pool.models import NEVER, Claim, Evidence, Lease, Phase, Sighting, Status, Waits, Wish

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
    waits: Waits | None = None
    was: Phase | None = None
    clearing: bool = False
    socket_gone: bool = False
    reason: str = ""
    rest: int = 0
    refusals: int = 0

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
    owner: str = ""
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


@dataclass
class Server:
    read: bool = False
    read_epoch: int = 0
    ignored: bool = False
    brakes: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)


class Model:
    """One method a transition, named and refused as those of :class:`service.pool.pool.Pool`."""

    def __init__(self, now: int, settle: int, memory: int) -> None:
        self.now, self.settle_ms, self.memory_ms = now, settle, memory
        self.proxies: dict[str, Endpoint] = {}
        self.removed: dict[str, int] = {}
        self.rows: dict[Holder, str] = {}
        self.records: dict[Holder, Record] = {}
        self.names: dict[tuple[str, str], str] = {}
        self.changed_at: dict[Holder, int] = {}
        self.conflicts: dict[Holder, str] = {}
        self.unmanaged: set[Holder] = set()
        self.shunned: dict[Holder, set[str]] = defaultdict(set)
        self.servers: dict[str, Server] = defaultdict(Server)
        self.configured: set[str] = set()
        self.epoch, self.token, self.life, self.paused = 0, 0, "", False
        self.events: list[str] = []

    # What is derived

    def held(self, holder: Holder, *, tails: bool = False) -> str:
        """The proxy that an instance holds, or ``""``."""
        for proxy_id, proxy in self.proxies.items():
            if proxy.hold and proxy.hold.holder == holder and (tails or not proxy.hold.tail):
                return proxy_id
        return ""

    def named_by_others(self, proxy_id: str, holder: Holder | None = None) -> bool:
        return any(row == proxy_id and user != holder for user, row in self.rows.items())

    def figures(self) -> dict[str, set[Holder]]:
        found: dict[str, set[Holder]] = {"external": set(), "unapplied": set(), "unprotected": set()}
        for holder, record in self.records.items():
            hold = self.proxies[held].hold if (held := self.held(holder)) else None
            external = not hold and record.row not in ("", "off", *self.proxies)
            protected = hold and hold.phase is not Phase.RESERVED and hold.applied == "yes"
            managed = record.managed and holder not in self.unmanaged
            if external:
                found["external"].add(holder)
            if hold and hold.phase is Phase.ACTIVE and hold.applied != "yes":
                found["unapplied"].add(holder)
            if record.state == "open" and managed and not external and not protected:
                found["unprotected"].add(holder)
        return found

    # What several transitions share

    def emit(self, event: str) -> None:
        self.epoch = self.epoch or self.now
        self.events.append(event)

    def settle(self, proxy_id: str) -> None:
        """Nobody holds it: it goes where it belongs, available now or when its rest is over."""
        proxy = self.proxies[proxy_id]
        at = max(self.now, proxy.at if proxy.status is Status.FREE else 0, proxy.rest, proxy.unsafe)
        proxy.hold, proxy.probation, proxy.at, proxy.rest = None, "", 0, at
        if proxy.active and self.named_by_others(proxy_id):
            proxy.probation, proxy.at = "seen", NEVER
        elif proxy.active:
            proxy.at, proxy.rest = at, 0

    def quarantined(self, proxy_id: str, reason: str, until: int) -> None:
        proxy = self.proxies[proxy_id]
        proxy.hold, proxy.probation, proxy.at = None, reason, until

    def drain(self, proxy: Endpoint) -> None:
        if proxy.active:
            proxy.active = False
            if not proxy.hold:
                proxy.rest, proxy.probation, proxy.at = proxy.resting, "", 0
            self.emit("proxy.disabled")

    def see_row(self, holder: Holder, row: str) -> None:
        old = self.rows.get(holder, "")
        if row in ("", old):
            return
        if holder in self.records:
            self.records[holder].row = row
        self.rows.pop(holder, None)
        proxy = self.proxies.get(old)
        freed = proxy and proxy.status is Status.QUARANTINED and proxy.probation in ("seen", "forced")
        if freed and not self.named_by_others(old):
            self.settle(old)
            self.emit("proxy.unseen")
        if row == "off":
            return
        self.rows[holder] = row
        if row in self.proxies and self.proxies[row].status is Status.FREE:
            self.settle(row)
            self.emit("proxy.seen")

    def hold_of(self, proxy_id: str, token: str) -> tuple[Endpoint, Hold]:
        proxy = self.proxies.get(proxy_id)
        if not proxy or not proxy.hold or proxy.hold.reservation or str(proxy.hold.token) != token:
            raise Refused("STALE")
        return proxy, proxy.hold

    def open(self, proxy_id: str, holder: Holder, name: str) -> Hold:
        proxy = self.proxies[proxy_id]
        self.token = max(self.token + 1, self.now)
        proxy.rest, proxy.owner = proxy.resting, ""
        proxy.at, proxy.probation, proxy.hold = 0, "", Hold(holder, name, self.token)
        self.note_change(holder)
        return proxy.hold

    def note_change(self, holder: Holder) -> None:
        if holder in self.records or holder in self.conflicts or holder in self.changed_at:
            self.changed_at[holder] = self.now

    def keep(self, hold: Hold) -> None:
        """The release is off."""
        rewrite = hold.clearing or hold.waits is Waits.SOCKET or hold.was is Phase.RESERVED
        self.token = hold.token = max(self.token + 1, self.now)
        hold.phase = Phase.RESERVED if rewrite else Phase.ACTIVE
        hold.waits, hold.was, hold.clearing, hold.socket_gone = None, None, False, False
        hold.reason, hold.rest, hold.refusals, hold.tail = "", 0, 0, False
        hold.applied = "no" if rewrite else hold.applied

    def forget(self, holder: Holder) -> None:
        self.see_row(holder, "off")
        if record := self.records.pop(holder, None):
            self.forget_name(holder, record.name)
            self.emit("instance.gone")
        for facts in (self.changed_at, self.conflicts, self.shunned):
            facts.pop(holder, None)  # type: ignore[attr-defined]
        self.unmanaged.discard(holder)

    def forget_name(self, holder: Holder, name: str) -> None:
        if self.names.get((holder[0], name)) == holder[1]:
            del self.names[holder[0], name]

    # Whether anything may be handed out, and what

    def gate(self, server: str, *, human: bool, probe: bool = False) -> None:
        if server not in self.configured:
            raise Refused("NOT_CONFIGURED")
        for known in map(self.servers.__getitem__, self.configured):
            if not known.ignored and not (known.read and known.read_epoch == self.epoch):
                raise Refused("NOT_RECONCILED")
        if self.paused and not human:
            raise Refused("PAUSED")
        if "set" in self.servers[server].brakes and not human and not probe:
            raise Refused("BRAKED")

    def choose(self, holder: Holder, owner: str = "", pin: str = "", group: str = "", strict: bool = False) -> str:
        if pin:
            return self.pinned(holder, pin)
        line = sorted(
            (bool(proxy.owner), proxy.at, proxy_id)
            for proxy_id, proxy in self.proxies.items()
            if proxy.status is Status.FREE and proxy.at <= self.now and proxy_id not in self.shunned[holder]
        )
        ids = [proxy_id for _, _, proxy_id in line]
        remembered = [i for i in ids if owner and not group and self.proxies[i].owner == owner]
        grouped = [i for i in ids if group and self.proxies[i].group == group]
        for proxy_id in (*remembered, *grouped, *(() if group and strict else ids)):
            return proxy_id
        raise Refused("NO_PROXY_AVAILABLE")

    def pinned(self, holder: Holder, pin: str) -> str:
        proxy = self.proxies.get(pin)
        if not proxy:
            raise Refused("UNKNOWN_PROXY")
        refusals = (
            (bool(proxy.hold), "HELD_ELSEWHERE"),
            (proxy.spec.protocol not in USABLE_PROTOCOLS, "UNUSABLE"),
            (proxy.status is Status.DISABLED, "DISABLED"),
            (self.named_by_others(pin, holder), "HELD_ELSEWHERE"),
            (proxy.status is Status.QUARANTINED, "QUARANTINED"),
            (proxy.unsafe > self.now, "RESTING"),
        )
        for applies, word in refusals:
            if applies:
                raise Refused(word)
        return pin

    # Leases

    def acquire(self, server: str, wishes: Sequence[Wish], *, human: bool, probe: bool) -> list[tuple[str, str, str]]:
        self.gate(server, human=human, probe=probe)
        return [self.acquire_one((server, wish.instance), wish, human=human) for wish in wishes]

    def acquire_one(self, holder: Holder, wish: Wish, *, human: bool) -> tuple[str, str, str]:
        if held := self.held(holder):
            hold = self.proxies[held].hold
            return "HELD", held, str(hold.token if hold else 0)
        if holder in self.unmanaged and not human:
            return "UNMANAGED", "", ""
        try:
            chosen = self.choose(holder, wish.owner, wish.pin, wish.group, wish.strict)
        except Refused as refusal:
            return str(refusal), "", ""
        hold = self.open(chosen, holder, wish.name)
        hold.owner, hold.opened = wish.owner, wish.opened
        if human:
            self.unmanaged.discard(holder)
        self.emit("lease.reserved")
        return "LEASED", chosen, str(hold.token)

    def confirm(self, lease: Lease) -> None:
        _, hold = self.hold_of(lease.proxy_id, lease.token)
        if hold.phase is Phase.ACTIVE:
            return
        if hold.phase is not Phase.RESERVED:
            raise Refused("WRONG_PHASE")
        hold.phase, hold.applied, hold.down, hold.was_active, hold.replaces = Phase.ACTIVE, "no", False, True, ""
        self.see_row(hold.holder, lease.proxy_id)
        self.emit("lease.confirmed")
        server = self.servers[hold.holder[0]]
        server.refused.clear()
        if "set" in server.brakes:
            server.brakes.discard("set")
            self.emit("brake.released")

    def abandon(self, lease: Lease, how: str) -> str:
        if how not in ("refused", "unsent", "unknown"):
            raise Refused("BADARG")
        proxy, hold = self.hold_of(lease.proxy_id, lease.token)
        if hold.phase is not Phase.RESERVED:
            raise Refused("WRONG_PHASE")
        hold.unknown_at = self.now if how == "unknown" else hold.unknown_at
        lands = hold.unknown_at + self.settle_ms if hold.unknown_at else 0
        self.note_change(hold.holder)
        if hold.was_active:
            hold.tail, hold.phase, hold.was, hold.waits, hold.reason = True, Phase.RELEASING, Phase.RESERVED, Waits.ROW, how
        else:
            proxy.unsafe = max(proxy.unsafe, lands)
            if lands > self.now:
                self.quarantined(lease.proxy_id, "set_unknown", lands)
            else:
                self.settle(lease.proxy_id)
        if lands > self.now:
            self.shunned[hold.holder].add(lease.proxy_id)
        before = self.proxies[hold.replaces].hold if hold.replaces in self.proxies else None
        if before and before.tail and before.waits is Waits.ROW and before.holder == hold.holder:
            self.keep(before)
            self.shunned[hold.holder].discard(hold.replaces)
        self.emit("lease.abandoned")
        server = self.servers[hold.holder[0]]
        if how == "refused":
            server.refused.add(lease.proxy_id)
            if len(server.refused) >= 5 and "set" not in server.brakes:
                server.brakes.add("set")
                self.emit("brake.engaged")
        return proxy.status

    def adopt(self, server: str, claims: Sequence[Claim], seen_at: int) -> list[str]:
        return [self.adopt_one((server, claim.instance), claim, seen_at) for claim in claims]

    def adopt_one(self, holder: Holder, claim: Claim, seen_at: int) -> str:
        held = self.held(holder)
        if held == claim.row:
            return "HELD"
        if self.changed_at.get(holder, 0) >= seen_at:
            return "STALE_SIGHT"
        self.see_row(holder, claim.row)
        if held:
            return "HAS_OTHER"
        if claim.row not in self.proxies:
            return "EXTERNAL"
        other = self.proxies[claim.row].hold
        own = other and other.holder == holder
        reserved = other and other.reservation and (other.holder[0], other.name) == (holder[0], claim.name)
        if other and not own and not reserved:
            if self.conflicts.get(holder) != claim.row:
                self.conflicts[holder] = claim.row
                self.emit("lease.conflict")
            return "HELD_ELSEWHERE"
        hold = self.open(claim.row, holder, claim.name)
        hold.owner, hold.opened, hold.applied, hold.was_active = claim.owner, claim.opened, "unknown", True
        hold.phase, hold.unknown_at = Phase.ACTIVE, other.unknown_at if other and own else 0
        if self.conflicts.pop(holder, None):
            self.changed_at.setdefault(holder, self.now)
        self.emit("lease.adopted")
        return "ADOPTED"

    def mark(self, lease: Lease, what: str) -> bool:
        proxy, hold = self.hold_of(lease.proxy_id, lease.token)
        if what == "unknown":
            hold.unknown_at = self.now
        elif what == "applied":
            if hold.applied == "yes":
                return False
            if hold.phase is not Phase.ACTIVE or not hold.down:
                raise Refused("WRONG_PHASE")
            hold.applied, hold.opened, proxy.strikes = "yes", True, 0
        elif what == "asserted":
            if hold.phase is not Phase.ACTIVE:
                raise Refused("WRONG_PHASE")
            hold.applied, hold.down = "no", False
            self.see_row(hold.holder, lease.proxy_id)
        elif what not in ("opened", "down"):
            raise Refused("BADARG")
        elif getattr(hold, what):
            return False
        else:
            setattr(hold, what, True)
        self.emit("lease.set_unknown" if what == "unknown" else f"lease.{what}")
        return True

    def begin_release(
        self, lease: Lease, waits: Waits, *, reason: str, rest_ms: int, socket_gone: bool, unmanage: bool
    ) -> Waits:
        if waits is Waits.SOCKET:
            raise Refused("BADARG")
        _, hold = self.hold_of(lease.proxy_id, lease.token)
        if unmanage:
            self.unmanaged.add(hold.holder)
        hold.socket_gone |= socket_gone
        hold.rest = max(hold.rest, rest_ms)
        begins, onward = hold.phase is not Phase.RELEASING, (hold.waits, waits) == (Waits.GRACE, Waits.ROW)
        if begins or onward or (unmanage and hold.reason != reason):
            if hold.phase is Phase.RESERVED:
                hold.unknown_at = self.now
            if begins:
                hold.was, hold.phase = hold.phase, Phase.RELEASING
            hold.waits, hold.reason = waits if begins or onward else hold.waits, reason
            self.emit("lease.releasing")
        assert hold.waits
        return hold.waits

    def begin_clear(self, lease: Lease) -> None:
        _, hold = self.hold_of(lease.proxy_id, lease.token)
        if hold.waits is not Waits.ROW:
            raise Refused("WRONG_PHASE")
        if not hold.clearing:
            hold.clearing = True
            self.emit("lease.clearing")

    def row_cleared(self, lease: Lease, row: str) -> bool:
        _, hold = self.hold_of(lease.proxy_id, lease.token)
        if row in ("", lease.proxy_id):
            raise Refused("BADARG")
        if hold.waits not in (Waits.ROW, Waits.SOCKET):
            raise Refused("WRONG_PHASE")
        if hold.waits is Waits.ROW:
            hold.waits, hold.down, hold.refusals = Waits.SOCKET, False, 0
            self.see_row(hold.holder, row)
            self.emit("lease.row_cleared")
        return hold.socket_gone

    def cancel_release(self, lease: Lease, *, manage: bool) -> tuple[str, str]:
        _, hold = self.hold_of(lease.proxy_id, lease.token)
        if hold.tail:
            raise Refused("WRONG_PHASE")
        if manage:
            self.unmanaged.discard(hold.holder)
        if hold.phase is Phase.RELEASING:
            self.keep(hold)
            self.emit("lease.kept")
        return hold.phase, str(hold.token)

    def finish_release(self, lease: Lease, evidence: Evidence, *, rest_ms: int) -> str:
        proxy, hold = self.hold_of(lease.proxy_id, lease.token)
        if evidence is Evidence.MOVED and hold.waits is not Waits.SOCKET:
            raise Refused("WRONG_PHASE")
        at = self.now + max(rest_ms, hold.rest)
        unknown_at = self.now if hold.phase is Phase.RESERVED else hold.unknown_at
        lands = unknown_at + self.settle_ms if unknown_at else 0
        gone = evidence in (Evidence.GONE, Evidence.RECREATED)
        proxy.unsafe = max(proxy.unsafe, lands, at if gone else 0)
        self.note_change(hold.holder)
        if gone or evidence is Evidence.FORCED:
            self.see_row(hold.holder, "off" if gone else lease.proxy_id)
        if hold.owner and not hold.tail and evidence is not Evidence.FORCED:
            for other in self.proxies.values():
                other.owner = "" if other.owner == hold.owner else other.owner
            proxy.owner, proxy.kept_until = hold.owner, self.now + self.memory_ms
        if evidence is Evidence.FORCED:
            proxy.rest = max(proxy.resting, at)
            self.quarantined(lease.proxy_id, "forced", NEVER)
        elif lands > at:
            self.quarantined(lease.proxy_id, "set_unknown", lands)
        else:
            proxy.rest = max(proxy.rest, at)
            self.settle(lease.proxy_id)
        self.emit("lease.released")
        return proxy.status

    def refuse_release(self, lease: Lease) -> bool:
        _, hold = self.hold_of(lease.proxy_id, lease.token)
        if hold.phase is not Phase.RELEASING:
            raise Refused("WRONG_PHASE")
        hold.refusals += 1
        if hold.refusals == 6:
            self.emit("lease.stuck")
        return hold.stuck

    def rotate(
        self, lease: Lease, *, human: bool, pin: str, group: str, strict: bool, rest_ms: int
    ) -> tuple[str, str]:
        holder = (lease.server, lease.instance)
        if not (old_id := self.held(holder)):
            raise Refused("NO_LEASE")
        _, old = self.hold_of(old_id, lease.token)
        if old.phase is not Phase.ACTIVE:
            raise Refused("WRONG_PHASE")
        self.gate(lease.server, human=human)
        chosen = self.choose(holder, "", pin, group, strict)
        old.tail, old.was, old.phase, old.waits, old.rest = True, old.phase, Phase.RELEASING, Waits.ROW, rest_ms
        old.reason = "test"
        self.shunned[holder].add(old_id)
        hold = self.open(chosen, holder, old.name)
        hold.owner, hold.opened, hold.replaces = old.owner, old.opened, old_id
        self.emit("lease.rotated")
        return chosen, str(hold.token)

    def reserve(
        self, server: str, name: str, reservation: str, *, expires_at: int, pin: str, group: str, strict: bool
    ) -> tuple[str, str]:
        holder = (server, f"~{reservation}")
        if (held := self.held(holder)) and (open_one := self.proxies[held].hold):
            return held, str(open_one.token)
        self.gate(server, human=True)
        chosen = self.choose(holder, "", pin, group, strict)
        hold = self.open(chosen, holder, name)
        hold.reservation, hold.expires = True, expires_at
        self.emit("reservation.made")
        return chosen, str(hold.token)

    def expire_reservation(self, server: str, reservation: str, *, cancelled: bool) -> str:
        held = self.held((server, f"~{reservation}"))
        if not held or not (hold := self.proxies[held].hold):
            raise Refused("NO_RESERVATION")
        if hold.expires > self.now and not cancelled:
            raise Refused("NOT_DUE")
        self.proxies[held].unsafe = max(self.proxies[held].unsafe, self.now + self.settle_ms)
        self.settle(held)
        self.emit("reservation.cancelled" if cancelled else "reservation.expired")
        return held

    # Proxies

    def import_proxies(self, specs: Sequence[ProxySpec], stamp: str) -> list[str]:
        return [self.import_one(spec, stamp) for spec in specs]

    def import_one(self, spec: ProxySpec, stamp: str) -> str:
        proxy = self.proxies.get(spec.id)
        if not proxy:
            usable = spec.protocol in USABLE_PROTOCOLS
            proxy = self.proxies[spec.id] = Endpoint(spec, usable, spec.group, stamp, expiring=spec.expires_at)
            proxy.unsafe = self.removed.get(spec.id, 0)
            self.settle(spec.id)
            self.emit("proxy.added")
            return "added" if usable else "disabled"
        proxy.stamp, old, group = stamp, proxy.spec, spec.group or proxy.group
        expires = spec.expires_at or old.expires_at
        proxy.expiring = spec.expires_at or proxy.expiring
        changed = (old.password, proxy.group, old.expires_at) != (spec.password, group, expires)
        proxy.group, proxy.spec = group, self.respec(spec, expires)
        if changed:
            self.emit("proxy.updated")
        return "updated" if changed else "unchanged"

    @staticmethod
    def respec(spec: ProxySpec, expires: int | None) -> ProxySpec:
        return ProxySpec(spec.protocol, spec.host, spec.port, spec.username, spec.password, expires_at=expires)

    def sync(self, stamp: str) -> None:
        for _, proxy in sorted(self.proxies.items()):
            if proxy.stamp != stamp:
                self.drain(proxy)

    def known(self, proxy_id: str) -> Endpoint:
        if proxy_id not in self.proxies:
            raise Refused("UNKNOWN_PROXY")
        return self.proxies[proxy_id]

    def quarantine(self, proxy_id: str, probation_ms: int) -> tuple[int, int]:
        proxy = self.known(proxy_id)
        if proxy.hold:
            raise Refused("HELD")
        if proxy.status is Status.DISABLED:
            raise Refused("DISABLED")
        proxy.strikes += 1
        until = self.now + min(probation_ms * 2 ** (proxy.strikes - 1), 30 * 86_400_000)
        until = max(until, proxy.at)
        if until < NEVER:
            proxy.owner = ""
            self.quarantined(proxy_id, "test", until)
            self.emit("proxy.quarantined")
        return until, proxy.strikes

    def disable(self, proxy_id: str) -> str:
        proxy = self.known(proxy_id)
        self.drain(proxy)
        return proxy.status

    def enable(self, proxy_id: str) -> str:
        proxy = self.known(proxy_id)
        if proxy.spec.protocol not in USABLE_PROTOCOLS:
            raise Refused("UNUSABLE")
        if not proxy.active:
            settles = proxy.status is Status.DISABLED
            proxy.active = True
            if settles:
                self.settle(proxy_id)
            self.emit("proxy.enabled")
        return proxy.status

    def remove(self, proxy_id: str) -> None:
        proxy = self.known(proxy_id)
        if proxy.hold:
            raise Refused("HELD")
        self.removed[proxy_id] = proxy.resting
        del self.proxies[proxy_id]
        self.emit("proxy.removed")

    def update(self, proxy_id: str, *, group: str | None, expires_at: int | None, rev: str | None) -> None:
        proxy = self.known(proxy_id)
        if rev:
            raise Refused("REV_MISMATCH")
        changed = (group is not None and group != proxy.group) or (expires_at and expires_at != proxy.spec.expires_at)
        proxy.group = proxy.group if group is None else group
        if expires_at and expires_at != proxy.spec.expires_at:
            proxy.expiring, proxy.spec = expires_at, self.respec(proxy.spec, expires_at)
        if changed:
            self.emit("proxy.updated")

    def sweep(self, limit: int) -> bool:
        due = sorted((p.at, i) for i, p in self.proxies.items() if p.status is Status.QUARANTINED and p.at <= self.now)
        for _, proxy_id in due[:limit]:
            self.settle(proxy_id)
            self.emit("proxy.restored")
        kept = sorted((p.kept_until, i) for i, p in self.proxies.items() if p.owner and p.kept_until <= self.now)
        for _, proxy_id in kept[:limit]:
            self.proxies[proxy_id].owner = ""
        old = sorted((p.expiring, i) for i, p in self.proxies.items() if p.expiring and p.expiring <= self.now)
        for _, proxy_id in old[:limit]:
            self.proxies[proxy_id].expiring = None
            self.drain(self.proxies[proxy_id])
        return any(len(found) >= limit for found in (due, kept, old))

    # Instances, servers, the pool

    def observe(self, server: str, sightings: Sequence[Sighting], seen_at: int) -> None:
        for sighting in sightings:
            holder = (server, sighting.instance)
            old = self.records.get(holder)
            if old and old.name != sighting.name:
                self.forget_name(holder, old.name)
            before = self.names.get((server, sighting.name), sighting.instance)
            if before != sighting.instance and not self.held((server, before), tails=True):
                self.forget((server, before))
            row = old.row if old else ""
            if self.changed_at.get(holder, 0) < seen_at:
                row = sighting.row
                self.see_row(holder, row)
            self.records[holder] = Record(sighting.name, sighting.state, sighting.managed, row)
            self.names[server, sighting.name] = sighting.instance

    def forget_instance(self, server: str, instance: str) -> None:
        if self.held((server, instance), tails=True):
            raise Refused("HELD")
        self.forget((server, instance))

    def unmanage(self, server: str, instance: str, *, unmanaged: bool) -> None:
        holder = (server, instance)
        if (holder in self.unmanaged) != unmanaged:
            (self.unmanaged.add if unmanaged else self.unmanaged.discard)(holder)
            self.emit("instance.unmanaged" if unmanaged else "instance.managed")

    def configure(self, servers: Sequence[str]) -> None:
        for dropped in self.configured - set(servers):
            self.servers[dropped].read_epoch = 0
        self.configured = set(servers)

    def renew_epoch(self, life: str, *, behind: bool) -> str:
        if life != self.life or behind:
            self.epoch = max(self.epoch + 1, self.now)
            self.emit("pool.rewound" if self.life else "pool.created")
            self.life = life
        return str(self.epoch)

    def configured_server(self, server: str) -> Server:
        if server not in self.configured:
            raise Refused("NOT_CONFIGURED")
        return self.servers[server]

    def mark_read(self, server: str, epoch: str) -> None:
        known = self.configured_server(server)
        if epoch != str(self.epoch):
            raise Refused("STALE")
        known.read, known.read_epoch = True, self.epoch

    def ignore_server(self, server: str, *, ignored: bool) -> None:
        known = self.configured_server(server)
        if known.ignored != ignored:
            known.ignored = ignored
            self.emit("server.ignored" if ignored else "server.heeded")

    def brake(self, server: str, half: str, *, engaged: bool) -> bool:
        if half not in ("release", "set"):
            raise Refused("BADARG")
        known = self.configured_server(server)
        if (half in known.brakes) == engaged:
            return False
        (known.brakes.add if engaged else known.brakes.discard)(half)
        if half == "set":
            known.refused.clear()
        self.emit("brake.engaged" if engaged else "brake.released")
        return True

    def pause(self, *, paused: bool) -> bool:
        if self.paused == paused:
            return False
        self.paused = paused
        self.emit("pool.paused" if paused else "pool.resumed")
        return True


class Uses:
    """Promise P5 by itself: who may still use which proxy, from what was sent and seen alone.

    ``rows``: the row of the holder is known to name it, until it is read as something else. ``sockets``: a connection
    may run through it, from a written row until it is proved gone. ``lands``: until then a set may still reach the row.
    """

    def __init__(self) -> None:
        self.rows: set[tuple[str, Holder]] = set()
        self.sockets: set[tuple[str, Holder]] = set()
        self.lands: dict[tuple[str, Holder], float] = {}
        self.unknown: dict[tuple[str, Holder], float] = {}

    def hand_out(self, proxy_id: str, holder: Holder, now: int) -> None:
        """A lease was made of choice: nobody else may be able to use its proxy."""
        others = {user for used, user in self.rows | self.sockets if used == proxy_id}
        others |= {user for (used, user), until in self.lands.items() if used == proxy_id and until > now}
        assert not others - {holder}, f"{proxy_id} given to {holder}, but {others - {holder}} may still use it"
        self.lands[proxy_id, holder] = inf

    def seen(self, holder: Holder, row: str) -> None:
        """An explicit row was read (not ``""``)."""
        self.rows = {(proxy_id, user) for proxy_id, user in self.rows if user != holder}
        if row != "off":
            self.rows.add((row, holder))

    def written(self, proxy_id: str, holder: Holder) -> None:
        """The row was written and read back, or adopted."""
        self.seen(holder, proxy_id)
        self.sockets.add((proxy_id, holder))
        self.lands[proxy_id, holder] = self.unknown.get((proxy_id, holder), 0)

    def unanswered(self, proxy_id: str, holder: Holder, until: int) -> None:
        self.unknown[proxy_id, holder] = until

    def no_more_sets(self, proxy_id: str, holder: Holder) -> None:
        self.lands[proxy_id, holder] = self.unknown.get((proxy_id, holder), 0)

    def closed(self, proxy_id: str, holder: Holder) -> None:
        """The socket is proved gone, or a human takes the risk."""
        self.sockets.discard((proxy_id, holder))
        self.no_more_sets(proxy_id, holder)
