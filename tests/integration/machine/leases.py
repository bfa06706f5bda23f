"""What the transitions of leases ought to do."""

from __future__ import annotations

from collections.abc import Sequence

from service.pool.batches import Claim, Wish
from service.pool.models import NEVER, Evidence, Lease, Phase, Waits
from tests.integration.machine.facts import Hold, Holder, Refused
from tests.integration.machine.state import State


def owners(server: str, name: str, phone: str) -> list[str]:
    """As whom a number may come back, in the order of trust."""
    return [*([f"phone:{phone}"] if phone else []), f"name:{server}/{name}"]


class Leases(State):
    """Named and refused as those of :class:`service.pool.leases.Leases`."""

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
            chosen = self.choose(holder, owners(holder[0], wish.name, wish.owner), wish.pin, wish.group, wish.strict)
        except Refused as refusal:
            return str(refusal), "", ""
        hold = self.open(chosen, holder, wish.name)
        hold.owner, hold.opened, hold.pinned = wish.owner, wish.opened, bool(wish.pin)
        if human:
            self.unmanaged.discard(holder)
        self.emit("lease.reserved")
        return "LEASED", chosen, str(hold.token)

    def confirm(self, lease: Lease) -> None:
        proxy, hold = self.hold_of(lease.proxy_id, lease.token)
        if hold.phase is Phase.ACTIVE:
            return
        if hold.phase is not Phase.RESERVED:
            raise Refused("WRONG_PHASE")
        proxy.refused = False
        hold.phase, hold.applied, hold.down, hold.was_active, hold.replaces = Phase.ACTIVE, "no", False, True, ""
        hold.since = self.now
        hold.forget_signs()
        self.note_change(hold.holder)
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
        proxy.refused = proxy.refused or how == "refused"
        hold.unknown_at = self.now if how == "unknown" else hold.sent_at
        lands = hold.unknown_at + self.settle_ms if hold.unknown_at else 0
        self.note_change(hold.holder)
        if hold.was_active:
            hold.tail, hold.phase, hold.was, hold.waits, hold.reason = (
                True,
                Phase.RELEASING,
                Phase.RESERVED,
                Waits.ROW,
                how,
            )
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
            self.rotated[hold.holder] = [made for made in self.rotated[hold.holder] if made[1] != hold.token]
        self.emit("lease.abandoned")
        if how in ("refused", "unknown"):
            self.count_refusal(hold.holder[0], lease.proxy_id if how == "refused" else "/".join(hold.holder))
        return proxy.status

    def count_refusal(self, name: str, which: str) -> None:
        server = self.servers[name]
        server.refused.add(which)
        if len(server.refused) >= 5 and "set" not in server.brakes:
            server.brakes.add("set")
            self.emit("brake.engaged")

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
        renamed = other and other.holder[1] == holder[1] and other.holder[0] in self.former
        if other and not own and not reserved and not renamed:
            if self.conflicts.get(holder) != claim.row:
                self.conflicts[holder] = claim.row
                self.emit("lease.conflict")
            return "HELD_ELSEWHERE"
        if other and renamed:
            self.note_change(other.holder)
            self.proxies[claim.row].hold = None
            if not self.held(other.holder, tails=True):
                self.forget(other.holder)
        hold = self.open(claim.row, holder, claim.name)
        hold.owner, hold.opened, hold.applied, hold.was_active = claim.owner, claim.opened, "unknown", True
        hold.phase, hold.unknown_at, hold.since = Phase.ACTIVE, other.sent_at if other else 0, self.now
        if self.conflicts.pop(holder, None):
            self.changed_at.setdefault(holder, self.now)
        self.emit("lease.adopted")
        if self.named_by_others(claim.row, holder):
            self.emit("lease.shared")
        return "ADOPTED"

    def mark(self, lease: Lease, what: str) -> bool:
        proxy, hold = self.hold_of(lease.proxy_id, lease.token)
        if what == "unknown":
            hold.unknown_at = self.now
            if hold.waits is Waits.SOCKET:
                hold.down = hold.socket_gone = False
        elif what in ("sending", "answered", "refused"):
            hold.sending_at = self.now if what == "sending" else 0
            if what == "refused":
                self.count_refusal(hold.holder[0], lease.proxy_id)
            return True
        elif what == "applied":
            if hold.applied == "yes":
                return False
            if hold.phase is not Phase.ACTIVE or not hold.down:
                raise Refused("WRONG_PHASE")
            hold.applied, hold.opened, proxy.strikes = "yes", True, 0
        elif what == "asserted":
            if hold.phase is not Phase.ACTIVE:
                raise Refused("WRONG_PHASE")
            hold.unapply(self.now)
            hold.sending_at = 0
            self.note_change(hold.holder)
            self.see_row(hold.holder, lease.proxy_id)
        elif what not in ("opened", "down"):
            raise Refused("BADARG")
        elif getattr(hold, what):
            return False
        else:
            setattr(hold, what, True)
        self.emit("lease.set_unknown" if what == "unknown" else f"lease.{what}")
        return True

    def sign(self, lease: Lease, what: str, *, seen_at: int, gap_ms: int, window_ms: int, most: int) -> int:
        if what not in ("open", "close", "connecting", "cure", "refused"):
            raise Refused("BADARG")
        _, hold = self.hold_of(lease.proxy_id, lease.token)
        if hold.phase is not Phase.ACTIVE:
            raise Refused("WRONG_PHASE")
        if hold.since >= seen_at:
            raise Refused("STALE_SIGHT")
        told = hold.signs
        recent = tuple(at for at in told if at > self.now - window_ms)
        if what == "open":
            if recent or hold.spent:
                self.emit("lease.recovered")
            hold.troubled_since, hold.signs, hold.sign_at, hold.looped, hold.spent = 0, (), 0, False, False
            return 0
        if what == "cure":
            hold.cured_at = self.now
            self.emit("lease.cure")
            return len(recent)
        if what == "close":
            hold.looped, hold.down = True, hold.down or hold.applied != "yes"
        if not hold.troubled_since:
            if what != "refused":
                hold.troubled_since = hold.sign_at = self.now
        elif what == "refused" or self.now - hold.sign_at >= gap_ms:
            if not told:
                self.emit("lease.troubled")
            hold.signs, hold.sign_at = (*recent, self.now)[-most:], self.now
            return len(hold.signs)
        return len(recent)

    def begin_release(
        self, lease: Lease, waits: Waits, *, reason: str, rest_ms: int, socket_gone: bool, unmanage: bool
    ) -> Waits:
        if waits is Waits.SOCKET:
            raise Refused("BADARG")
        _, hold = self.hold_of(lease.proxy_id, lease.token, present=unmanage)
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
        if hold.waits is Waits.ROW or self.rows.get(hold.holder) == lease.proxy_id:
            self.note_change(hold.holder)
            self.see_row(hold.holder, row)
        if hold.waits is Waits.ROW:
            hold.waits, hold.down, hold.refusals = Waits.SOCKET, False, 0
            self.emit("lease.row_cleared")
        return hold.socket_gone

    def cancel_release(self, lease: Lease, *, manage: bool) -> tuple[str, str]:
        _, hold = self.hold_of(lease.proxy_id, lease.token)
        if hold.tail:
            raise Refused("WRONG_PHASE")
        if hold.holder in self.unmanaged and not manage:
            raise Refused("WRONG_PHASE")
        self.unmanaged.discard(hold.holder)
        if hold.phase is Phase.RELEASING:
            self.keep(hold)
            self.emit("lease.kept")
        return hold.phase, str(hold.token)

    def finish_release(self, lease: Lease, evidence: Evidence, *, rest_ms: int, unmanage: bool) -> str:
        proxy, hold = self.hold_of(lease.proxy_id, lease.token, present=unmanage)
        proved = hold.waits is Waits.SOCKET and (hold.down or hold.socket_gone)
        if evidence is Evidence.MOVED and not proved:
            raise Refused("WRONG_PHASE")
        if unmanage and hold.holder not in self.unmanaged:
            self.unmanaged.add(hold.holder)
            self.emit("instance.unmanaged")
        self.end_lease(lease.proxy_id, hold, evidence, rest_ms)
        return proxy.status

    def end_lease(self, proxy_id: str, hold: Hold, evidence: Evidence, rest_ms: int) -> None:
        proxy = self.proxies[proxy_id]
        at = self.now + max(rest_ms, hold.rest)
        unknown_at = self.now if hold.phase is Phase.RESERVED else hold.sent_at
        lands = unknown_at + self.settle_ms if unknown_at else 0
        gone = evidence in (Evidence.GONE, Evidence.RECREATED)
        if hold.probation:
            proxy.strikes += 1
            at = max(at, self.now + min(hold.probation * 2 ** (proxy.strikes - 1), 30 * 86_400_000))
        proxy.unsafe = max(proxy.unsafe, lands, at if gone else 0)
        self.note_change(hold.holder)
        if gone:
            self.see_row(hold.holder, "off")
        if not (hold.tail or hold.reservation) and evidence is not Evidence.FORCED:
            record = self.records.get(hold.holder)
            phone = (record and record.owner) or hold.owner
            self.memory.update(dict.fromkeys(owners(hold.holder[0], hold.name, phone), proxy_id))
            proxy.kept_until = self.now + self.memory_ms
        if evidence is Evidence.FORCED:
            self.awaited[hold.holder].add(proxy_id)
            if hold.holder in self.records:
                self.records[hold.holder].row = ""
            proxy.rest = max(proxy.resting, at)
            self.quarantined(proxy_id, "forced", NEVER)
        elif lands > at:
            self.quarantined(proxy_id, "set_unknown", lands)
        elif hold.probation and proxy.active and not self.named_by_others(proxy_id):
            self.quarantined(proxy_id, hold.reason, at)
            self.emit("proxy.quarantined")
        else:
            proxy.rest = max(proxy.rest, at)
            self.settle(proxy_id)
        self.emit("lease.released")

    def refuse_release(self, lease: Lease) -> bool:
        _, hold = self.hold_of(lease.proxy_id, lease.token)
        if hold.phase is not Phase.RELEASING:
            raise Refused("WRONG_PHASE")
        hold.refusals += 1
        if hold.refusals == 6:
            self.emit("lease.stuck")
        return hold.stuck

    def rotate(
        self,
        lease: Lease,
        *,
        human: bool,
        pin: str,
        group: str,
        strict: bool,
        rest_ms: int,
        probation_ms: int,
        per_day: int,
    ) -> tuple[str, str]:
        holder = (lease.server, lease.instance)
        if not (old_id := self.held(holder)):
            raise Refused("NO_LEASE")
        _, old = self.hold_of(old_id, lease.token)
        if old.phase is not Phase.ACTIVE:
            raise Refused("WRONG_PHASE")
        self.gate(lease.server, human=human)
        recent = [at for at, _ in self.rotated[holder] if at > self.now - 86_400_000]
        if not human and (old.pinned or len(recent) >= per_day):
            if not old.spent:
                old.spent = True
                self.emit("rotation.spent")
            raise Refused("ROTATIONS_SPENT")
        chosen = self.choose(holder, (), pin, group, strict)
        old.tail, old.was, old.phase, old.waits, old.rest = True, old.phase, Phase.RELEASING, Waits.ROW, rest_ms
        old.reason, old.probation = "test", probation_ms
        self.shunned[holder].add(old_id)
        hold = self.open(chosen, holder, old.name)
        hold.pinned = bool(pin)
        self.rotated[holder] = [] if human else [*self.rotated[holder], (self.now, hold.token)][-per_day:]
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
        chosen = self.choose(holder, owners(server, name, ""), pin, group, strict)
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
