"""The state of the model. The scripts keep maps, lines and figures beside the facts; here they are derived."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from service.models import USABLE_PROTOCOLS
from service.pool.models import NEVER, Phase, Status, Waits
from tests.integration.machine.facts import Endpoint, Hold, Holder, Record, Refused, Server


class State:
    """The facts, what follows from them, and what several transitions share."""

    def __init__(self, now: int, settle: int, memory: int) -> None:
        self.now, self.settle_ms, self.memory_ms = now, settle, memory
        self.proxies: dict[str, Endpoint] = {}
        self.removed: dict[str, int] = {}
        self.rows: dict[Holder, str] = {}
        self.memory: dict[str, str] = {}
        """Who may come back, ``phone:…`` or ``name:…``, to the proxy kept for it."""
        self.awaited: dict[Holder, set[str]] = defaultdict(set)
        self.read: list[tuple[Holder, str]] = []
        self.records: dict[Holder, Record] = {}
        self.names: dict[tuple[str, str], str] = {}
        self.changed_at: dict[Holder, int] = {}
        self.conflicts: dict[Holder, str] = {}
        self.unmanaged: set[Holder] = set()
        self.shunned: dict[Holder, set[str]] = defaultdict(set)
        self.rotated: dict[Holder, list[tuple[int, int]]] = defaultdict(list)
        """When policy rotated the holder, and to the lease of which token."""
        self.servers: dict[str, Server] = defaultdict(Server)
        self.configured: set[str] = set()
        self.former: set[str] = set()
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
        users = {user for user, row in self.rows.items() if row == proxy_id}
        return bool((users | {user for user, ids in self.awaited.items() if proxy_id in ids}) - {holder})

    def figures(self) -> dict[str, set[Holder]]:
        found: dict[str, set[Holder]] = {"external": set(), "unapplied": set(), "spent": set(), "unprotected": set()}
        for holder, record in self.records.items():
            hold = self.proxies[held].hold if (held := self.held(holder)) else None
            external = not hold and record.row not in ("", "off", *self.proxies)
            protected = hold and hold.phase is not Phase.RESERVED and hold.applied == "yes" and record.row in ("", held)
            managed = record.managed and holder not in self.unmanaged
            if external:
                found["external"].add(holder)
            if hold and hold.spent:
                found["spent"].add(holder)
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
        """An explicit row was read: what the holder's row named before, or was feared to name, is held back no more."""
        if row == "":
            return
        self.read.append((holder, row))
        old = self.rows.pop(holder, "")
        let_go = [proxy_id for proxy_id in (*sorted(self.awaited[holder] - {old}), old) if proxy_id not in ("", row)]
        self.awaited[holder] &= {row}
        if row != "off":
            self.rows[holder] = row
        if holder in self.records:
            self.records[holder].row = row
        for proxy_id in let_go:
            proxy = self.proxies.get(proxy_id)
            if proxy and proxy.hold and proxy.hold.holder == holder:
                if proxy.hold.waits is Waits.SOCKET:
                    proxy.hold.down = proxy.hold.socket_gone = False
            elif proxy:
                proxy.unsafe = max(proxy.unsafe, self.now + self.settle_ms)
            held_back = proxy and proxy.status is Status.QUARANTINED and proxy.probation in ("seen", "forced")
            if held_back and not self.named_by_others(proxy_id):
                self.settle(proxy_id)
                self.emit("proxy.unseen")
        if row != old and row in self.proxies and self.proxies[row].status is Status.FREE:
            self.settle(row)
            self.emit("proxy.seen")

    def hold_of(self, proxy_id: str, token: str, *, present: bool = False) -> tuple[Endpoint, Hold]:
        """``present``: not one that its instance has moved away from."""
        proxy = self.proxies.get(proxy_id)
        if not proxy or not proxy.hold or proxy.hold.reservation or str(proxy.hold.token) != token:
            raise Refused("STALE")
        if present and proxy.hold.tail:
            raise Refused("STALE")
        return proxy, proxy.hold

    def open(self, proxy_id: str, holder: Holder, name: str) -> Hold:
        proxy = self.proxies[proxy_id]
        self.token = max(self.token + 1, self.now)
        proxy.rest = proxy.resting
        self.forget_keeping(proxy_id)
        proxy.at, proxy.probation, proxy.hold = 0, "", Hold(holder, name, self.token)
        self.note_change(holder)
        return proxy.hold

    def kept_for(self, proxy_id: str) -> set[str]:
        return {owner for owner, kept in self.memory.items() if kept == proxy_id}

    def forget_keeping(self, proxy_id: str) -> None:
        self.memory = {owner: kept for owner, kept in self.memory.items() if kept != proxy_id}

    def note_change(self, holder: Holder) -> None:
        if holder in self.records or holder in self.conflicts or holder in self.changed_at:
            self.changed_at[holder] = self.now

    def keep(self, hold: Hold) -> None:
        """The release is off."""
        rewrite = hold.clearing or hold.waits is Waits.SOCKET or hold.was is Phase.RESERVED
        self.token = hold.token = max(self.token + 1, self.now)
        hold.phase, hold.since = Phase.RESERVED if rewrite else Phase.ACTIVE, self.now
        hold.waits, hold.was, hold.clearing, hold.socket_gone = None, None, False, False
        hold.reason, hold.rest, hold.refusals, hold.tail, hold.probation = "", 0, 0, False, 0
        hold.applied = "no" if rewrite else hold.applied

    def forget(self, holder: Holder) -> None:
        self.see_row(holder, "off")
        if record := self.records.pop(holder, None):
            self.forget_name(holder, record.name)
            self.emit("instance.gone")
        self.changed_at.pop(holder, None)
        self.conflicts.pop(holder, None)
        self.shunned.pop(holder, None)
        self.rotated.pop(holder, None)
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

    def choose(self, holder: Holder, names: Sequence[str], pin: str, group: str, strict: bool) -> str:
        """``names``: as whom the holder may come back, the phone first."""
        if pin:
            return self.pinned(holder, pin)
        line = sorted(
            (bool(self.kept_for(proxy_id)), proxy.at, proxy_id)
            for proxy_id, proxy in self.proxies.items()
            if proxy.status is Status.FREE and proxy.at <= self.now and proxy_id not in self.shunned[holder]
        )
        ids = [proxy_id for _, _, proxy_id in line]
        remembered = [
            kept
            for kept in map(self.memory.get, names)
            if kept in ids and group in ("", self.proxies[kept].group) and not self.is_anothers(kept, names)
        ]
        offered: list[str] = remembered
        for refused in (False, True):
            tried = [i for i in ids if self.proxies[i].refused is refused]
            offered += [i for i in tried if group and self.proxies[i].group == group]
            offered += [] if group and strict else tried
        if not offered:
            raise Refused("NO_PROXY_AVAILABLE")
        return offered[0]

    def is_anothers(self, proxy_id: str, names: Sequence[str]) -> bool:
        phones = {owner for owner in self.kept_for(proxy_id) if owner.startswith("phone:")}
        return names[0].startswith("phone:") and not phones <= {names[0]}

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
