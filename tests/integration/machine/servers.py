"""What ought to become of servers that come and go."""

from __future__ import annotations

from collections.abc import Sequence

from service.pool.models import Evidence
from tests.integration.machine.facts import Hold, Refused
from tests.integration.machine.instances import Instances
from tests.integration.machine.leases import Leases


class Servers(Leases, Instances):
    """Named and refused as those of :class:`service.pool.instances.Instances`."""

    def configure(self, servers: Sequence[str]) -> None:
        for left in sorted(self.configured - set(servers)):
            known = self.servers[left]
            known.read_epoch, known.ignored = 0, False
            if self.holds_of(left) or any(server == left for server, _ in self.names):
                self.former.add(left)
                self.emit("server.left")
        self.configured = set(servers)
        self.former -= self.configured

    def holds_of(self, server: str) -> list[tuple[str, Hold]]:
        """Tails by their proxies, then leases by their instances."""
        holds = [(one, proxy.hold) for one, proxy in self.proxies.items() if proxy.hold]
        held = [(one, hold) for one, hold in holds if hold.holder[0] == server]
        return sorted(held, key=lambda pair: (not pair[1].tail, pair[0] if pair[1].tail else pair[1].holder[1]))

    def forget_server(self, server: str, *, rest_ms: int) -> tuple[int, int]:
        if server in self.configured:
            raise Refused("STILL_CONFIGURED")
        if server not in self.former:
            raise Refused("UNKNOWN_SERVER")
        holds = self.holds_of(server)
        for proxy_id, hold in holds:
            self.end_lease(proxy_id, hold, Evidence.GONE, rest_ms)
        known = sorted((self.records[holder].name, holder) for holder in self.records if holder[0] == server)
        for _, holder in known:
            self.forget(holder)
        self.former.discard(server)
        self.servers.pop(server, None)
        self.emit("server.forgotten")
        return len(holds), len(known)
