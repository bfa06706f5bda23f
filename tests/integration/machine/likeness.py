"""What must hold after each step: model and pool look the same."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis.stateful import invariant

from service.pool.models import Broken, Lease, Phase, Proxy, Status
from tests.integration.machine.draws import ALL
from tests.integration.machine.steps import Steps


class Likeness(Steps):
    """Compares all that can be seen of the pool."""

    @invariant()
    def same(self) -> None:
        self.wait(self.compare())

    async def compare(self) -> None:
        _, page = await self.pool.page()
        self.same_proxies(page)
        self.same_leases([proxy.lease for proxy in page if proxy.lease])
        await self.same_figures(Counter(proxy.status for proxy in page))
        since = f"({self.last_event}" if self.told else "-"
        entries: Any = await self.redis.xrange(self.pool.keys.named("events"), since)
        assert [fields["type"] for _, fields in entries] == self.model.events[self.told :]
        if entries:
            self.last_event, self.told = entries[-1][0], len(self.model.events)
        assert await self.pool.run("verify", ALL) == []

    def teardown(self) -> None:
        async def check() -> list[Broken]:
            return [broken async for broken in self.pool.check() if isinstance(broken, Broken)]

        broken = self.wait(check())
        self.wait(self.empty())
        assert broken == []

    def same_proxies(self, page: list[Proxy]) -> None:
        model = self.model
        assert {proxy.id for proxy in page} == model.proxies.keys()
        for proxy in page:
            wanted = model.proxies[proxy.id]
            cooling = wanted.status is Status.FREE and wanted.at > model.now
            assert proxy.status is (Status.COOLING if cooling else wanted.status), proxy.id
            assert (proxy.active, proxy.group, proxy.strikes) == (wanted.active, wanted.group, wanted.strikes)
            if proxy.status is Status.QUARANTINED:
                assert proxy.quarantine_reason == wanted.probation
            if proxy.available_at is not None:
                assert proxy.available_at == wanted.at
            assert proxy.status is not Status.FREE or not model.named_by_others(proxy.id)

    def same_leases(self, leases: list[Lease]) -> None:
        tokens = {lease.token for lease in leases}
        self.past += [lease for lease in self.current if lease.token not in tokens]
        self.current = leases
        for lease in leases:
            hold = self.model.proxies[lease.proxy_id].hold
            assert hold is not None
            assert (lease.server, lease.instance, lease.name, lease.token) == (*hold.holder, hold.name, str(hold.token))
            assert (lease.phase, lease.waits, lease.tail) == (hold.phase, hold.waits, hold.tail)
            assert (lease.applied, lease.opened, lease.down) == (hold.applied, hold.opened, hold.down)
            assert (lease.stuck, lease.refusals, lease.rest_ms) == (hold.stuck, hold.refusals, hold.rest)
            assert (lease.unknown_at or 0, lease.owner) == (hold.unknown_at, hold.owner)
            assert (lease.troubled_since or 0, lease.signs, lease.looped) == (
                hold.troubled_since,
                hold.signs,
                hold.looped,
            )
            assert (lease.cured_at or 0, lease.spent) == (hold.cured_at, hold.spent)

    async def same_figures(self, counted: Counter[Status]) -> None:
        model, stats = self.model, await self.pool.stats()
        holds = [proxy.hold for proxy in model.proxies.values() if proxy.hold]
        counts = stats.counts
        assert counts.total == len(model.proxies)
        assert (counts.used, counts.available, counts.cooling, counts.quarantined, counts.disabled) == tuple(
            counted[Status(name)] for name in ("used", "free", "cooling", "quarantined", "disabled")
        )
        for group in {proxy.group for proxy in model.proxies.values()}:
            found = stats.groups[group]
            members = [proxy for proxy in model.proxies.values() if proxy.group == group]
            free = [proxy for proxy in members if proxy.status is Status.FREE]
            assert (found.total, found.used) == (len(members), sum(1 for proxy in members if proxy.hold))
            assert (found.available, found.cooling) == (
                sum(1 for proxy in free if proxy.at <= model.now),
                sum(1 for proxy in free if proxy.at > model.now),
            )
        assert stats.reserved == sum(1 for hold in holds if hold.phase is Phase.RESERVED)
        assert stats.releasing == sum(1 for hold in holds if hold.phase is Phase.RELEASING)
        assert stats.stuck == sum(1 for hold in holds if hold.stuck)
        assert stats.reservations == sum(1 for hold in holds if hold.reservation)
        assert stats.instances == len(model.records)
        assert stats.paused == model.paused
        assert stats.states == Counter(record.state for record in model.records.values())
        for name, holders in model.figures().items():
            _, listed = await self.pool.page_instances(which=name)
            assert {(instance.server, instance.id) for instance in listed} == holders, name
        assert stats.former == {server: len(model.holds_of(server)) for server in model.former}
        for server in model.configured:
            remembered = stats.servers[server].remembered
            brakes = {half for half in ("release", "set") if remembered.get(f"{half}_brake") == "1"}
            assert brakes == model.servers[server].brakes
            assert stats.servers[server].leases == sum(
                1 for hold in holds if hold.holder[0] == server and not hold.tail
            )
