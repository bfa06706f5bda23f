"""A simulated Evolution API in a process of its own, so that what it costs is not mixed with what evoproxy costs."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import uvloop
from pydantic import SecretStr

from service.evolution.client import EvolutionClient
from service.evolution.simulator import OBSERVED_SERVICE_TIMES, Paces, Simulator, Story
from service.evolution.transport import OnCall

ROOT = Path(__file__).parents[2]
SERVER = "default"


@dataclass(slots=True)
class Simulated:
    """The server's address, and orders to it. Each order answers how many sets were in flight at most since the last
    one (``peak``), how often two instances shared a proxy (``shared``), how many instances there are, how many of them
    go out through a proxy (``through``), and how often a proxy was set and an instance restarted by a call."""

    url: str
    api_key: SecretStr
    _process: asyncio.subprocess.Process

    async def create(self, prefix: str, count: int) -> dict[str, Any]:
        """``count`` open instances, named by the prefix and a number."""
        return await self._order("create", prefix, count)

    async def delete(self, prefix: str) -> dict[str, Any]:
        return await self._order("delete", prefix)

    async def begin(self, instances: int, open_ones: int) -> dict[str, Any]:
        """The cast of a :class:`Story`."""
        return await self._order("begin", instances, open_ones)

    async def step(self, count: int) -> dict[str, Any]:
        """So many things happen in the story."""
        return await self._order("step", count)

    async def outage(self, down: bool) -> dict[str, Any]:
        """Its database can't be reached, or can again."""
        return await self._order("outage", int(down))

    async def restart(self) -> dict[str, Any]:
        """Its process ends and starts anew: every open instance reconnects."""
        return await self._order("restart")

    async def figures(self) -> dict[str, Any]:
        return await self._order("nothing")

    def client(self, on_call: OnCall | None = None) -> AbstractAsyncContextManager[EvolutionClient]:
        """A client of it."""
        return EvolutionClient.open(SERVER, self.url, self.api_key, on_call=on_call)

    async def _order(self, *words: object) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(" ".join(map(str, words)).encode() + b"\n")
        answer: dict[str, Any] = orjson.loads(await self._process.stdout.readline())
        return answer


@asynccontextmanager
async def simulated(*, at_once: bool = False) -> AsyncIterator[Simulated]:
    """A server whose calls take what was observed on a real one over loopback, and its reconnects a tenth of a second a
    step; or one that does everything ``at_once``."""
    pipe = asyncio.subprocess.PIPE
    command = (sys.executable, "-m", "tests.load.simulated", *(["at-once"] if at_once else []))
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, cwd=ROOT)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        url = (await process.stdout.readline()).decode().strip()
        yield Simulated(url, SecretStr("simulated-key"), process)
    finally:
        process.stdin.close()
        await process.wait()


async def _serve() -> None:
    paces = Paces.fast() if "at-once" in sys.argv else Paces(service=dict(OBSERVED_SERVICE_TIMES))
    async with Simulator(paces=paces, seed=1) as sim:
        orders = Orders(sim)
        print(sim.url, flush=True)
        while line := await asyncio.to_thread(sys.stdin.readline):
            name, *words = line.split()
            getattr(orders, name)(*words)
            print(orjson.dumps(orders.figures()).decode(), flush=True)


class Orders:
    def __init__(self, sim: Simulator) -> None:
        self._sim = sim
        self._story: Story | None = None

    def create(self, prefix: str, count: str) -> None:
        for number in range(int(count)):
            self._sim.create(f"{prefix}{number}", state="open")

    def delete(self, prefix: str) -> None:
        for name in [name for name in self._sim.memory if name.startswith(prefix)]:
            self._sim.delete(name)

    def begin(self, instances: str, open_ones: str) -> None:
        self._story = Story(self._sim, instances=int(instances), open_ones=int(open_ones))
        self._story.begin()

    def step(self, count: str) -> None:
        assert self._story is not None
        for _ in range(int(count)):
            self._story.step()

    def outage(self, down: str) -> None:
        self._sim.warts.db_down = down == "1"

    def restart(self) -> None:
        self._sim.restart_server()

    def nothing(self) -> None:
        """Only the answer is wanted."""

    def figures(self) -> dict[str, Any]:
        calls = self._sim.calls
        return {
            "peak": calls.peak.pop("proxy/set", 0),
            "shared": len(self._sim.violations),
            "instances": len(self._sim.database),
            "through": sum(exit_ is not None for exit_ in self._sim.exits().values()),
            "sets": calls.counts["proxy/set"],
            "restarts": calls.counts["instance/restart"],
        }


if __name__ == "__main__":
    uvloop.run(_serve())
