"""What the transitions of proxies ought to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from service.models import USABLE_PROTOCOLS, ProxySpec
from service.pool.models import NEVER, Status
from tests.integration.machine.facts import Endpoint, Refused
from tests.integration.machine.state import State


class Proxies(State):
    """Named and refused as those of :class:`service.pool.proxies.Proxies`."""

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
        spec = replace(spec, password=spec.password or old.password)
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
            self.forget_keeping(proxy_id)
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
        self.forget_keeping(proxy_id)
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
        kept = sorted(
            (p.kept_until, i) for i, p in self.proxies.items() if self.kept_for(i) and p.kept_until <= self.now
        )
        for _, proxy_id in kept[:limit]:
            self.forget_keeping(proxy_id)
        old = sorted((p.expiring, i) for i, p in self.proxies.items() if p.expiring and p.expiring <= self.now)
        for _, proxy_id in old[:limit]:
            self.proxies[proxy_id].expiring = None
            self.drain(self.proxies[proxy_id])
        return any(len(found) >= limit for found in (due, kept, old))
