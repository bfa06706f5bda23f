"""The promises of size, kept or not: ``python -m tests.load.soak`` at full size; numbers make it smaller."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
import traceback
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson
import uvloop

from service.embedded import embedded
from tests.load.dashboards import dashboards
from tests.load.emptied import emptied
from tests.load.first_day import first_day
from tests.load.killed import killed
from tests.load.measure import Assignments, acquired, assignments, memory
from tests.load.million import million
from tests.load.outage import outage, unslowed
from tests.load.paced import lag
from tests.load.questions import questions
from tests.load.result import Result
from tests.load.simulated import ROOT, simulated
from tests.load.suites import moments, mutations

MOST_OVERHEAD = 1.2
MOST_IN_FLIGHT = 8
MOST_GROWTH = 0.05
MOST_CPU = 0.1
MOST_ANSWER_MS = 50
PACE, BURST = 1.0, 5


async def assign(redis_url: str, instances: int, rounds: int = 10) -> Result:
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


@dataclass(frozen=True, slots=True)
class Size:
    """One part of the soak: what its number counts, and the full one."""

    measure: Callable[[str, int], Awaitable[Result]]
    counts: str
    full: int


SIZES = {
    "assign": Size(assign, "instances that open at once", 2_000),
    "acquire": Size(acquire, "assignments by sixteen workers", 2_000),
    "ticks": Size(ticks, "instances, for a thousand ticks", 400),
    "day": Size(day, "instances on the first day, and a restart of their server", 4_000),
    "hours": Size(hours, "instances of each server in five bad hours", 60),
    "lost": Size(lost, "instances whose Redis is emptied and restored", 2_000),
    "dashboards": Size(dashboards, "proxies, a twentieth as many instances, twenty dashboards", 100_000),
    "kills": Size(killed, "kills of the mirror under load", 200),
    "outage": Size(outage, "events while SQL is away", 100_000),
    "unslowed": Size(unslowed, "leases at a time, while SQL is there and away", 3_000),
    "lag": Size(lag, "seconds at a thousand events a second, on each database", 60),
    "million": Size(million, "proxies compared with their table", 1_000_000),
    "audit": Size(audit, "events that are asked about", 10_000_000),
    "moments": Size(moments, "the mirror is killed at one of so many moments", 1),
    "mutations": Size(mutations, "processes that try all of them", 2),
}


async def _measured(name: str, size: int) -> Result:
    """On a Redis of its own. What keeps a part from its end is a broken promise too, and the others still run."""
    begun = time.monotonic()
    try:
        with tempfile.TemporaryDirectory() as folder:
            async with embedded(Path(folder)) as redis_url:
                result = await SIZES[name].measure(redis_url, size)
    except Exception as error:
        traceback.print_exc()
        result = Result({}, [f"{type(error).__name__}: {error}"])
    figures = result.figures | {"took_s": round(time.monotonic() - begun)}
    print(f"{name}: {figures} {result.broken or 'ok'}", file=sys.stderr, flush=True)
    return Result(figures, result.broken)


async def _run(sizes: Mapping[str, int]) -> int:
    results: dict[str, Result] = {}
    for nth, (name, size) in enumerate(sizes.items(), 1):
        print(f"{nth} of {len(sizes)}: {size} {SIZES[name].counts}", file=sys.stderr, flush=True)
        results[name] = await _measured(name, size)
    broken = [f"{name}: {what}" for name, result in results.items() for what in result.broken]
    document = {name: result.figures for name, result in results.items()} | {"ok": not broken, "broken": broken}
    print(orjson.dumps(document).decode())
    return bool(broken)


def main() -> int:
    parser = argparse.ArgumentParser(prog="soak", description=__doc__)
    for name, size in SIZES.items():
        parser.add_argument(f"--{name}", type=int, metavar="N", help=f"{size.counts}; full size: {size.full}")
    chosen = {name: size for name, size in vars(parser.parse_args()).items() if size}
    return uvloop.run(_run(chosen or {name: size.full for name, size in SIZES.items()}))


if __name__ == "__main__":
    sys.exit(main())
