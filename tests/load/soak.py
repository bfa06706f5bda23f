"""The promises of size, kept or not: ``python -m tests.load.soak`` at full size; numbers make it smaller."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import orjson
import uvloop

from service.embedded import embedded
from tests.load.emptied import emptied
from tests.load.first_day import first_day
from tests.load.measure import Assignments, acquired, assignments, memory
from tests.load.questions import questions
from tests.load.simulated import ROOT, simulated

MOST_OVERHEAD = 1.2
MOST_IN_FLIGHT = 8
MOST_GROWTH = 0.05
MOST_CPU = 0.1
MOST_ANSWER_MS = 50
PACE, BURST = 1.0, 5


@dataclass(frozen=True, slots=True)
class Result:
    """What was measured, and the promises that it breaks, in words."""

    figures: dict[str, Any]
    broken: list[str]


async def assign(redis_url: str, instances: int, rounds: int = 5) -> Result:
    """All instances open at once: each holds a proxy in the time that the server alone needs plus a fifth. The best of
    some rounds counts: what else the machine does can only make one slower."""
    broken: list[str] = []
    ratios: list[float] = []
    found: Assignments | None = None
    async with simulated() as server:
        for _ in range(rounds):
            found = await assignments(redis_url, server, instances, f"assign{len(ratios)}")
            ratios.append(round(found.ratio, 3))
            if found.peak > MOST_IN_FLIGHT:
                broken.append(f"{found.peak} sets in flight")
            if found.distinct != instances:
                broken.append(f"{found.distinct} proxies for {instances} instances")
            if found.ratio <= MOST_OVERHEAD:
                break
    if min(ratios) > MOST_OVERHEAD:
        broken.append(f"took {min(ratios)} times what the server alone needs")
    assert found is not None
    return Result({**asdict(found), "ratios": ratios}, broken)


async def acquire(redis_url: str, count: int, workers: int = 16) -> Result:
    """So many assignments by sixteen workers end in as many proxies."""
    found = await acquired(redis_url, count, workers)
    broken = [] if found.distinct == count else [f"{found.distinct} distinct proxies of {count}"]
    milliseconds = {f"p{share}_ms": round(1000 * found.percentile(share / 100), 2) for share in (50, 99)}
    figures = {"count": count, "workers": workers, "distinct": found.distinct, "seconds": round(found.seconds, 3)}
    return Result(figures | milliseconds, broken)


async def ticks(redis_url: str, instances: int, count: int = 1000) -> Result:
    """The process is hardly larger after all ticks than after a tenth of them."""
    async with simulated(at_once=True) as server:
        found = await memory(redis_url, server, ticks=count, instances=instances)
    broken = [] if found.growth <= MOST_GROWTH else [f"memory grew by {found.growth:.1%}"]
    return Result({**asdict(found), "growth": round(found.growth, 4)}, broken)


async def day(redis_url: str, instances: int) -> Result:
    """All instances are open and without a proxy, and the server restarts meanwhile: sets are bounded, restarts paced,
    the figures count down, the service hardly works while it waits, and that restart costs no proxy and no set."""
    watch = max(10.0, instances / 40)
    async with simulated() as server:
        with tempfile.TemporaryDirectory() as folder:
            found = await first_day(redis_url, server, Path(folder), instances, watch)
    broken = []
    if found.peak > MOST_IN_FLIGHT:
        broken.append(f"{found.peak} sets in flight")
    if (found.sets, found.held) != (instances, instances):
        broken.append(f"{found.sets} sets and {found.held} proxies for {instances} instances")
    if found.restarted > BURST + PACE * found.watched:
        broken.append(f"{found.restarted} restarts in {found.watched} seconds")
    if not (found.unprotected[1] < found.unprotected[0] and found.eta[1] < found.eta[0]):
        broken.append(f"no progress: {found.unprotected} unprotected, {found.eta} seconds left")
    if max(found.cpu, found.cpu_after_restart) > MOST_CPU:
        broken.append(f"{found.cpu:.1%} of a core while waiting, {found.cpu_after_restart:.1%} after the restart")
    if found.released_by_restart or found.sets_by_restart:
        broken.append(f"{found.released_by_restart} releases, {found.sets_by_restart} sets by a server's restart")
    return Result(asdict(found), broken)


async def hours(redis_url: str, instances: int) -> Result:
    """Five bad hours (tests/load/bad_hours.py), in a process whose time is virtual."""
    command = (sys.executable, "-m", "tests.load.bad_hours", "--instances", str(instances))
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()
    document = orjson.loads(output.splitlines()[-1])
    return Result({"hours": document["hours"]}, document["broken"])


async def lost(redis_url: str, instances: int) -> Result:
    """Redis is emptied under the service: after ``evoproxy restore`` each instance has the proxy that it had, and
    nothing was set or restarted for that."""
    async with simulated() as server:
        with tempfile.TemporaryDirectory() as folder:
            found = await emptied(redis_url, server, Path(folder), instances)
    figures = asdict(found)
    wrong = {name: figures[name] for name in ("moved", "broken", "drift", "calls", "shared") if figures[name]}
    broken = [f"{count} {name} after a restore" for name, count in wrong.items()]
    if (found.restored, found.leases) != (2 * instances, instances):
        broken.append(f"restored {found.restored} proxies and {found.leases} leases")
    return Result(figures, broken)


async def audit(redis_url: str, count: int) -> Result:
    """Each question to so many events in PostgreSQL is answered by an index, and half of the answers within the time
    that was promised: the others pay for what else the machine does."""
    figures, whole = await questions(count)
    slow = [name for name, taken in figures.items() if isinstance(taken, dict) and taken["p50_ms"] > MOST_ANSWER_MS]
    return Result(figures, whole + [f"{name} took {figures[name]['p50_ms']} ms" for name in slow])


async def _run(sizes: dict[Callable[..., Awaitable[Result]], int]) -> int:
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        async with embedded(Path(folder)) as redis_url:
            for measure, size in sizes.items():
                results[measure.__name__] = await measure(redis_url, size)
                print(f"{measure.__name__}: {asdict(results[measure.__name__])}", file=sys.stderr)
    broken = [f"{name}: {what}" for name, result in results.items() for what in result.broken]
    document = {name: result.figures for name, result in results.items()} | {"ok": not broken, "broken": broken}
    print(orjson.dumps(document).decode())
    return bool(broken)


def main() -> int:
    parser = argparse.ArgumentParser(prog="soak", description=__doc__)
    parser.add_argument("--assign", type=int, metavar="INSTANCES", help="full size: 2000")
    parser.add_argument("--acquire", type=int, metavar="COUNT", help="full size: 2000")
    parser.add_argument("--ticks", type=int, metavar="INSTANCES", help="a thousand ticks with so many; full size: 400")
    parser.add_argument("--day", type=int, metavar="INSTANCES", help="first day and restart; full size: 4000")
    parser.add_argument("--hours", type=int, metavar="INSTANCES", help="bad hours, of each server; full size: 60")
    parser.add_argument("--lost", type=int, metavar="INSTANCES", help="Redis emptied and restored; full size: 2000")
    parser.add_argument("--audit", type=int, metavar="EVENTS", help="questions to so many; full size: 10000000")
    chosen = {name: size for name, size in vars(parser.parse_args()).items() if size}
    full = {"assign": 2000, "acquire": 2000, "ticks": 400, "day": 4000, "hours": 60, "lost": 2000, "audit": 10_000_000}
    sizes = chosen or full
    measures: dict[str, Callable[..., Awaitable[Result]]] = {
        "assign": assign,
        "acquire": acquire,
        "ticks": ticks,
        "day": day,
        "hours": hours,
        "lost": lost,
        "audit": audit,
    }
    return uvloop.run(_run({measures[name]: size for name, size in sizes.items()}))


if __name__ == "__main__":
    sys.exit(main())
