"""Who makes the hours bad: phones, proxies, servers, stores and humans, drawn by one seed."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any

from service.control.byhand import assign, release, rotate
from service.control.server import ServerControl
from service.errors import EvoproxyError
from service.evolution.simulator import OFF, Condition, Endpoint, Fault, Instance, Simulator
from service.models import Protocol, ProxySpec
from tests.load.hours.site import SERVERS, Site

ACTOR = "cli:bench"
_ROUTES = ("proxy/set", "proxy/find", "instance/restart", "instance/connectionState", "instance/fetchInstances")
_WAYS_TO_DIE = (Condition.DEAD, Condition.DEAD, Condition.REFUSING, Condition.SILENT)
_DEAD_FEWEST, _DEAD_SHARE = 3, 0.1
"""Proxies that are dead at one time, and may stay so: of one server's instances. A vendor's outage goes by."""
_HELD_FOR = 300.0
"""Seconds after which a call that a silent proxy holds goes on."""
_GHOSTS_LIVE = 300.0
"""Seconds after which a server with ghosts is restarted: that alone ends them (EVOLUTION.md, B15)."""


class Director:
    """Lets something happen every few seconds. What goes by is undone by a task in its time, at the latest by
    :meth:`end`."""

    def __init__(self, site: Site, seed: int) -> None:
        self.site = site
        self.dice = random.Random(seed)
        self.played: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        """What humans were told, by code."""
        self._passing: set[asyncio.Task[None]] = set()
        self._undos: list[Callable[[], object]] = []
        self._humans: set[asyncio.Task[None]] = set()
        self._soon: list[Coroutine[Any, Any, object]] = []
        """What the next step waits for."""
        self._named = 0
        self._acts: dict[Callable[[], None], int] = {
            self.drop: 10,
            self.flap: 4,
            self.connect: 12,
            self.disconnect: 3,
            self.log_out: 3,
            self.create: 5,
            self.delete: 2,
            self.recreate: 2,
            self.proxy_dies: 6,
            self.proxy_lives: 2,
            self.vendor_is_down: 1,
            self.server_restarts: 2,
            self.database_is_down: 2,
            self.test_is_down: 2,
            self.lies: 6,
            self.saves_late: 3,
            self.fault: 10,
            self.row_by_hand: 4,
            self.human: 12,
            self.human_pauses: 1,
            self.human_lets_go: 2,
            self.service_restarts: 2,
            self.redis_restarts: 1,
        }

    def begin(self) -> None:
        """Each server's instances: most open and without a proxy, as on the first day."""
        for server in SERVERS:
            for _ in range(self.site.instances):
                self._create(server, "open" if self.dice.random() < 0.7 else "close")

    async def play(self, seconds: float) -> None:
        loop = self.site.loop
        end, let_go = loop.time() + seconds, loop.time()
        while loop.time() < end:
            await asyncio.sleep(self.dice.uniform(0.5, 5.0))
            acts, weights = zip(*self._acts.items(), strict=True)
            act = self.dice.choices(acts, weights)[0]
            self.played[act.__name__] += 1
            act()
            while self._soon:
                await self._soon.pop()
            if loop.time() - let_go > _HELD_FOR:
                let_go = loop.time()
                for sim in self.site.sims.values():
                    sim.release()
            self.site.sockets.assert_no_shared_exit()

    async def end(self) -> None:
        """All that was wrong is right again, but for the proxies that are dead."""
        for task in self._passing:
            task.cancel()
        await asyncio.gather(*self._passing, return_exceptions=True)
        for undo in self._undos:
            undo()
        for sim in self.site.sims.values():
            sim.warts.__init__()  # type: ignore[misc]
            sim.release()
            if sim.ghosts or any(one.falsely_open for one in sim.memory.values()):
                sim.restart_server()  # nothing else ends these (EVOLUTION.md, B11, B15)
        await asyncio.gather(*self._humans)
        await self.site.pool.pause(paused=False, actor=ACTOR)

    def one_more_dies(self) -> None:
        """On each server, while somebody uses it: here it is cut off, there it goes silent. More at once would make the
        server the suspect, for longer than the calm."""
        for sim, condition in zip(self.site.sims.values(), (Condition.DEAD, Condition.SILENT), strict=True):
            used = next(one for one in sim.memory.values() if one.socket is not None and one.socket.exit is not None)
            self.site.condemn(_exit(used), condition)

    # phones

    def drop(self) -> None:
        if one := self._one(lambda one: one.socket is not None):
            one[0].drop(one[1].name)

    def flap(self) -> None:
        if one := self._one(lambda one: one.socket is not None):
            sim, instance = one

            async def fall() -> None:
                for _ in range(6):
                    if sim.memory.get(instance.name) is instance and instance.socket is not None:
                        sim.drop(instance.name)
                    await asyncio.sleep(self.dice.uniform(0.5, 3))

            self._pass(fall())

    def connect(self) -> None:
        if one := self._one(lambda one: one.state == "close" and not one.reconnecting):
            one[0].open(one[1].name)

    def disconnect(self) -> None:
        if one := self._one(lambda one: one.state == "open"):
            one[0].disconnect(one[1].name)

    def log_out(self) -> None:
        if one := self._one(lambda one: one.state == "open"):
            one[0].logout(one[1].name, self.dice.choice((401, 401, 402, 403, 406)))

    def create(self) -> None:
        server = self.dice.choice(SERVERS)
        if len(self.site.sims[server].database) < 1.2 * self.site.instances:
            self._create(server, self.dice.choice(("open", "open", "connecting", "close")))

    def delete(self) -> None:
        if one := self._one(lambda one: True):
            one[0].delete(one[1].name)
            self._end_ghosts(one[0])

    def recreate(self) -> None:
        if one := self._one(lambda one: True):
            one[0].recreate(one[1].name, state="open")
            self._end_ghosts(one[0])

    # proxies

    def proxy_dies(self) -> None:
        """That of an open instance, which is cut off or goes silent, or one that nobody uses."""
        if len(self.site.dead()) >= max(_DEAD_FEWEST, _DEAD_SHARE * self.site.instances):
            return
        condition = self.dice.choice(_WAYS_TO_DIE)
        one = self._one(lambda one: one.socket is not None and one.socket.exit is not None)
        if one is None or self.dice.random() < 0.3:
            self.site.condemn(Endpoint.of(self.dice.choice(self.site.specs)), condition)
        else:
            self.site.condemn(_exit(one[1]), condition)

    def proxy_lives(self) -> None:
        if dead := self.site.dead():
            self.site.condemn(dead[0], None)

    def vendor_is_down(self) -> None:
        """A dozen proxies at once, for some minutes: the network rather than the proxies."""
        struck = [_exit(one) for _, one in self.site.cast() if one.socket is not None and one.socket.exit is not None]
        endpoints = self.dice.sample(struck, min(len(struck), 12))
        for endpoint in endpoints:
            self.site.condemn(endpoint, Condition.DEAD)

        def back() -> None:
            for endpoint in endpoints:
                self.site.condemn(endpoint, None)

        self._until(self.dice.uniform(30, 240), back)

    # servers

    def server_restarts(self) -> None:
        """Its process ends, answers nothing good for a while, and starts."""
        sim = self._sim()
        down = Fault(status=502)
        sim.warts.faults.insert(0, down)
        sim.unload()

        def up() -> None:
            if down in sim.warts.faults:
                sim.warts.faults.remove(down)
            sim.load()

        self._until(self.dice.uniform(2, 40), up)

    def database_is_down(self) -> None:
        self._wart("db_down", True, False, self.dice.uniform(5, 90))

    def test_is_down(self) -> None:
        self._wart("invalid_proxy", True, False, self.dice.uniform(20, 150))

    def lies(self) -> None:
        sim = self._sim()
        names = {name for name in sim.memory if self.dice.random() < 0.2}
        seconds = self.dice.uniform(5, 100)
        match self.dice.randrange(8):
            case 0:
                self._wart("null_on_read", names, False, seconds, sim)
            case 1:
                self._wart("silent_loss", lambda endpoint: endpoint.port % 2 == 0, False, seconds, sim)
            case 2:
                self._wart("hidden", {name for name in sim.memory if self.dice.random() < 0.7}, False, seconds, sim)
            case 3:
                self._wart("hidden", True, False, seconds, sim)
            case 4:
                self._wart("restart_ignored", names, False, seconds, sim)
            case 5:
                self._wart("restart_refused", names, False, seconds, sim)
            case 6:
                self._wart("shown_state", dict.fromkeys(names, None), {}, seconds, sim)
            case _:
                shown = {name: self.dice.choice(("close", "connecting")) for name in names}
                self._wart("shown_status", shown, {}, seconds, sim)

    def saves_late(self) -> None:
        """By some seconds, or as late as the next :meth:`release` of all that is held."""
        sim = self._sim()
        self._wart("save_delay", self.dice.choice((0.5, 2.0, 8.0, None)), 0.0, self.dice.uniform(10, 60), sim)
        self._until(self.dice.uniform(60, 300), sim.release)

    def fault(self) -> None:
        sim = self._sim()
        fault = Fault(self.dice.choice(_ROUTES), times=self.dice.choice((1, 1, 1, 5)))
        match self.dice.randrange(6):
            case 0:
                fault.hang = True
                self._until(self.dice.uniform(30, 300), sim.release)
            case 1:
                fault.cut = "before"
            case 2:
                fault.cut = "after"
            case 3:
                fault.status = 500
            case 4:
                fault.status = 400
            case _:
                fault.delay = self.dice.uniform(1, 40)
        sim.warts.faults.append(fault)

    # stores and the service

    def service_restarts(self) -> None:
        self._soon.append(self.site.restart_service(killed=self.dice.random() < 0.6))

    def redis_restarts(self) -> None:
        self.site.restart_redis()

    # humans

    def row_by_hand(self) -> None:
        """Switched off, removed, or a proxy of their own; one of the pool's they choose by evoproxy."""
        if one := self._one(lambda one: True):
            sim, instance = one
            own = ProxySpec(Protocol.HTTP, f"203.0.113.{self.dice.randrange(1, 250)}", 8080, instance.id, "own")
            sim.set_row_by_hand(instance.name, self.dice.choice((OFF, OFF, None, own)))

    def human(self) -> None:
        server = self.dice.choice(SERVERS)
        names = sorted(self.site.sims[server].memory)
        if not names:
            return
        control, name = self.site.controller.servers[server], self.dice.choice(names)
        pin = self.dice.choice(self.site.specs).id
        match self.dice.randrange(7):
            case 0 | 1:
                self.ask(assign(control, name, actor=ACTOR))
            case 2:
                self.ask(assign(control, name, actor=ACTOR, pin=pin))
            case 3:
                self.ask(release(control, name, actor=ACTOR))
                self._until(self.dice.uniform(20, 120), lambda: self._take_back(control, name))
            case 4:
                self.ask(release(control, name, actor=ACTOR, force=True))
            case 5:
                self.ask(rotate(control, name, actor=ACTOR))
            case _:
                self.ask(rotate(control, name, actor=ACTOR, pin=pin))

    def human_pauses(self) -> None:
        self._soon.append(self.site.pool.pause(paused=True, actor=ACTOR))
        self._until(self.dice.uniform(10, 90), lambda: self.ask(self.site.pool.pause(paused=False, actor=ACTOR)))

    def human_lets_go(self) -> None:
        server, half = self.dice.choice(SERVERS), self.dice.choice(("release", "set"))
        self.ask(self.site.pool.brake(server, half, engaged=False, reason="by_hand", actor=ACTOR))

    def ask(self, wish: Coroutine[Any, Any, object]) -> None:
        """A human's request; what they are refused is counted."""

        async def asked() -> None:
            try:
                await wish
            except EvoproxyError as error:
                self.refused[error.code] += 1
            except asyncio.CancelledError:
                self.refused["cancelled"] += 1  # the service they asked was killed

        task = asyncio.create_task(asked())
        self._humans.add(task)
        task.add_done_callback(self._humans.discard)

    # how

    def _create(self, server: str, state: Any) -> None:
        self._named += 1
        self.site.sims[server].create(f"n{self._named:04}", state=state, number=f"55119{self._named:08}")

    def _sim(self) -> Simulator:
        return self.site.sims[self.dice.choice(SERVERS)]

    def _one(self, fits: Callable[[Instance], bool]) -> tuple[Simulator, Instance] | None:
        sim = self._sim()
        fitting = [one for name, one in sorted(sim.memory.items()) if fits(one)]
        return (sim, self.dice.choice(fitting)) if fitting else None

    def _end_ghosts(self, sim: Simulator) -> None:
        if sim.ghosts:
            self._until(_GHOSTS_LIVE, sim.restart_server)

    def _take_back(self, control: ServerControl, name: str) -> None:
        self.ask(assign(self.site.controller.servers[control.context.server], name, actor=ACTOR))

    def _wart(self, name: str, wrong: Any, right: Any, seconds: float, sim: Simulator | None = None) -> None:
        warts = (sim or self._sim()).warts
        setattr(warts, name, wrong)
        self._until(seconds, lambda: setattr(warts, name, right))

    def _until(self, seconds: float, undo: Callable[[], object]) -> None:
        async def wait() -> None:
            await asyncio.sleep(seconds)
            self._undos.remove(undo)
            undo()

        self._undos.append(undo)

        self._pass(wait())

    def _pass(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._passing.add(task)
        task.add_done_callback(self._passing.discard)


def _exit(instance: Instance) -> Endpoint:
    assert instance.socket is not None
    assert instance.socket.exit is not None
    return instance.socket.exit
