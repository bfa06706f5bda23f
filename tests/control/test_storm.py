"""Everything at once, in any order: nobody ever shares a proxy, and when it is calm again all is as it should be."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Coroutine
from typing import Any

import pytest

from service.errors import EvoproxyError
from service.evolution.simulator import OFF, Fault
from service.pool.models import Applied, Phase
from tests.control.scene import SECOND, Scene, spec

PROXIES, INSTANCES, STEPS = 40, 8, 60
HAPPENINGS = [
    *("open", "drop", "disconnect", "logout", "delete", "recreate", "off", "external", "fault", "fault", "land"),
    *("assign", "release", "rotate", "force", "restart", "db", "tick", "tick", "tick", "look", "look"),
]
ROUTES = ["proxy/set", "proxy/find", "instance/restart", "instance/connectionState"]


class Storm:
    """What servers, phones and humans do to the instances ``i0``…, drawn by ``dice``."""

    def __init__(self, scene: Scene, dice: random.Random) -> None:
        self.scene = scene
        self.sim = scene.sim
        self.dice = dice
        self.humans: list[asyncio.Task[object]] = []

    async def step(self) -> None:
        name = f"i{self.dice.randrange(INSTANCES)}"
        instance = self.sim.memory.get(name)
        if instance is None:
            self.sim.create(name, state="open")
            return
        what = self.dice.choice(HAPPENINGS)
        match what:
            case "open" if instance.state == "close" and not instance.reconnecting:
                self.sim.open(name)
            case "drop" if instance.socket is not None:
                self.sim.drop(name)
            case "disconnect":
                self.sim.disconnect(name)
            case "logout":
                self.sim.logout(name, self.dice.choice([401, 403]))
            case "delete" if not instance.reconnecting:
                self.sim.delete(name)
            case "recreate" if not instance.reconnecting:
                self.sim.recreate(name, state="open")
            case "off":
                self.sim.set_row_by_hand(name, OFF)
            case "external":
                self.sim.set_row_by_hand(name, spec(900 + int(name[1:])))
            case "fault":
                self.sim.warts.faults.append(self.fault(name))
            case "land":
                self.sim.release()
            case "db":
                self.sim.warts.db_down = not self.sim.warts.db_down
            case "restart":
                await self.scene.restarted()
            case "assign":
                self.human(self.scene.assign(name))
            case "release":
                self.human(self.scene.release(name))
            case "force":
                self.human(self.scene.release(name, force=True))
            case "rotate":
                self.human(self.scene.rotate(name))
            case "look":
                await self.look(name)
            case _:
                await self.tick()

    def fault(self, name: str) -> Fault:
        fault = Fault(self.dice.choice(ROUTES), name, times=1)
        match self.dice.randrange(5):
            case 0:
                fault.hang = True
            case 1:
                fault.cut = "before"
            case 2:
                fault.cut = "after"
            case 3:
                fault.status = 500
            case _:
                fault.status = 400
        return fault

    def human(self, act: Coroutine[Any, Any, object]) -> None:
        self.humans.append(asyncio.create_task(act))

    async def tick(self) -> None:
        try:
            await self.scene.tick(self.dice.choice([SECOND, 10 * SECOND]), settle=self.dice.random() < 0.5)
        except EvoproxyError:
            assert self.sim.warts.db_down

    async def look(self, name: str) -> None:
        """As after a webhook."""
        try:
            await self.scene.control.look_at([name, "nobody"])
        except EvoproxyError:
            assert self.sim.warts.db_down

    async def calm(self) -> None:
        """All that was broken is whole again, and time enough passes; then the humans take every instance back."""
        self.sim.warts.db_down = False
        self.sim.warts.faults.clear()
        self.sim.release()
        for left in await asyncio.gather(*self.humans, return_exceptions=True):
            assert left is None or not isinstance(left, Exception) or isinstance(left, EvoproxyError), left
        self.sim.restart_server()
        await self.scene.tick()
        await self.scene.pool.brake("a", "release", engaged=False, reason="it is calm", actor="cli:test")
        for _ in range(8):
            await self.scene.tick(41 * SECOND)


@pytest.mark.parametrize("seed", range(8))
async def test_a_storm_and_then_calm(blank: Scene, seed: int) -> None:
    scene = blank
    await scene.hurry()
    await scene.add(PROXIES)
    storm = Storm(scene, random.Random(seed))
    for _ in range(STEPS):
        await storm.step()
        await asyncio.sleep(0)
    await storm.calm()
    for name, instance in scene.sim.memory.items():
        if instance.state == "open" and scene.row(instance) not in {spec(900 + index).id for index in range(INSTANCES)}:
            await scene.assign(name)
    await scene.settle()
    await scene.tick()
    for lease in (await scene.pool.leases_of("a")).values():
        assert (lease.phase, lease.applied) in {
            (Phase.ACTIVE, Applied.YES),
            (Phase.ACTIVE, Applied.UNKNOWN),
        } or scene.sim.memory[lease.name].state != "open", lease
    stats = await scene.pool.stats()
    open_ones = [one for one in scene.sim.memory.values() if one.state == "open"]
    leases = [await scene.find_lease(one) for one in open_ones]
    adopted = sum(lease is not None and lease.applied is Applied.UNKNOWN for lease in leases)
    assert (stats.stuck, stats.reserved, stats.unprotected) == (0, 0, adopted)
    assert len({scene.exit(one) for one in open_ones}) == len(open_ones)
