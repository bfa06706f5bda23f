"""Steps of proxies, instances, servers and the pool."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from service.models import ProxySpec
from service.pool.batches import Sighting
from tests.integration.machine.draws import (
    FOREIGN,
    SERVERS,
    SPECS,
    UNUSABLE,
    ages,
    flags,
    groups,
    instances,
    names,
    owners,
    proxies,
    rarely,
    rows,
    servers,
)
from tests.integration.machine.server_steps import ServerSteps
from tests.integration.machine.steps import step


class PoolSteps(ServerSteps):
    """What administrators, the clock and the servers do to the pool."""

    @step(
        1,
        specs=st.lists(st.sampled_from((*SPECS, UNUSABLE)), min_size=1, max_size=3),
        stamp=st.sampled_from(("first", "second")),
        password=st.sampled_from(("", "", "p")),
        group=groups,
        expires=st.sampled_from((None, None, 20_000)),
        sync=rarely,
    )
    def imports(
        self, specs: list[ProxySpec], stamp: str, password: str, group: str, expires: int | None, sync: bool
    ) -> None:
        until = self.clock.at + expires if expires else None
        self.import_proxies([replace(spec, password=password, group=group, expires_at=until) for spec in specs], stamp)
        if sync:
            real = self.pool.sync(stamp=stamp, cursor="", limit=9, actor="test")
            self.both(lambda: self.model.sync(stamp), real, answers=False)

    def import_proxies(self, specs: Sequence[ProxySpec], stamp: str) -> None:
        async def go() -> list[str]:
            return [found.word for found in await self.pool.import_proxies(specs, stamp=stamp, actor="test")]

        self.both(lambda: self.model.import_proxies(specs, stamp), go())

    @step(1, proxy_id=proxies | st.just(FOREIGN), probation=st.sampled_from((10_000, 60_000, 10**12)))
    def quarantine(self, proxy_id: str, probation: int) -> None:
        self.both(
            lambda: self.model.quarantine(proxy_id, probation),
            self.pool.quarantine(proxy_id, reason="test", probation_ms=probation, actor="test"),
        )

    @step(1, proxy_id=proxies | st.just(FOREIGN))
    def disable(self, proxy_id: str) -> None:
        self.both(lambda: self.model.disable(proxy_id), self.pool.disable(proxy_id, reason="test", actor="test"))

    @step(1, proxy_id=proxies | st.just(FOREIGN))
    def enable(self, proxy_id: str) -> None:
        self.both(lambda: self.model.enable(proxy_id), self.pool.enable(proxy_id, actor="test"))

    @step(1, proxy_id=proxies | st.just(FOREIGN))
    def remove(self, proxy_id: str) -> None:
        self.both(lambda: self.model.remove(proxy_id), self.pool.remove(proxy_id, actor="test"))

    @step(1, proxy_id=proxies, group=st.none() | groups, expires=st.sampled_from((None, 1, 70_000)), rev=rarely)
    def update(self, proxy_id: str, group: str | None, expires: int | None, rev: bool) -> None:
        options: dict[str, Any] = {
            "group": group,
            "expires_at": self.clock.at + expires if expires else None,
            "rev": "x" if rev else "",
        }
        self.both(
            lambda: self.model.update(proxy_id, **options),
            self.pool.update(proxy_id, actor="test", **options),
            answers=False,
        )

    @step(3, limit=st.sampled_from((1, 100)))
    def sweep(self, limit: int) -> None:
        self.both(lambda: self.model.sweep(limit), self.pool.sweep(limit=limit))

    @step(
        6,
        server=servers,
        age=ages,
        sightings=st.lists(
            st.builds(
                Sighting,
                instances,
                names,
                st.sampled_from(("open", "open", "close")),
                st.just("WHATSAPP-BAILEYS"),
                flags,
                owners,
                rows,
            ),
            min_size=1,
            max_size=2,
        ),
    )
    def observe(self, server: str, age: int, sightings: list[Sighting]) -> None:
        seen_at = self.clock.at - age
        self.model.read.clear()
        assert self.both(
            lambda: self.model.observe(server, sightings, seen_at),
            self.pool.observe(server, sightings, seen_at=seen_at),
        )
        for holder, row in self.model.read:
            self.uses.seen(holder, row)

    @step(1, server=servers, instance=instances)
    def forget_instance(self, server: str, instance: str) -> None:
        if self.both(lambda: self.model.forget_instance(server, instance), self.pool.forget_instance(server, instance)):
            self.uses.seen((server, instance), "off")

    @step(1, server=servers, suspected=flags)
    def suspect(self, server: str, suspected: bool) -> None:
        self.both(
            lambda: self.model.suspect(server, suspected=suspected),
            self.pool.suspect(server, suspected=suspected, reason="test"),
        )

    @step(1, server=servers, instance=instances, unmanaged=flags)
    def unmanage(self, server: str, instance: str, unmanaged: bool) -> None:
        self.both(
            lambda: self.model.unmanage(server, instance, unmanaged=unmanaged),
            self.pool.unmanage(server, instance, unmanaged=unmanaged, actor="test"),
        )

    @step(1, life=st.sampled_from(("life1", "life1", "life2")), behind=rarely)
    def renew_epoch(self, life: str, behind: bool) -> None:
        self.both(lambda: self.model.renew_epoch(life, behind=behind), self.pool.renew_epoch(life, behind=behind))

    @step(1, server=st.sampled_from((*SERVERS, "s3")), stale=rarely)
    def mark_read(self, server: str, stale: bool) -> None:
        epoch = "1" if stale else str(self.model.epoch)
        self.both(lambda: self.model.mark_read(server, epoch), self.pool.mark_read(server, epoch=epoch, listed=1))

    @step(1, server=st.sampled_from((*SERVERS, "s3")), ignored=flags)
    def ignore_server(self, server: str, ignored: bool) -> None:
        self.both(
            lambda: self.model.ignore_server(server, ignored=ignored),
            self.pool.ignore_server(server, ignored=ignored, actor="test"),
        )

    @step(1, server=servers, half=st.sampled_from(("release", "set", "nonsense")), engaged=flags)
    def brake(self, server: str, half: str, engaged: bool) -> None:
        self.both(
            lambda: self.model.brake(server, half, engaged=engaged),
            self.pool.brake(server, half, engaged=engaged, reason="test"),
        )

    @step(1, paused=rarely)
    def pause(self, paused: bool) -> None:
        self.both(lambda: self.model.pause(paused=paused), self.pool.pause(paused=paused, actor="test"))

    @step(3)
    def read_all(self) -> None:
        for server in SERVERS:
            self.mark_read(server, False)
