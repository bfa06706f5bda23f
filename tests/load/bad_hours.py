"""An hour that goes wrong, and ten minutes of calm, in virtual time: ``python -m tests.load.bad_hours``."""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import orjson

from tests.load.hours.director import Director
from tests.load.hours.site import Site
from tests.load.hours.verdict import broken, calm, figures
from tests.virtual import VirtualLoop

BAD, CALM = 50 * 60.0, 10 * 60.0


def play(folder: Path, *, seed: int, instances: int, bad: float = BAD) -> dict[str, Any]:
    """One hour with so many instances a server; what came of it. ``broken`` is empty if every promise was kept."""
    loop = VirtualLoop()

    async def hour() -> dict[str, Any]:
        async with Site.open(loop, folder, instances=instances, webhooks=seed % 2 == 1) as site:
            director = Director(site, seed)
            director.begin()
            await director.play(bad)
            await calm(site, director, CALM)
            found = await broken(site)
            return {"seed": seed, **await figures(site, director), "broken": found}

    begun = time.perf_counter()
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        document = runner.run(hour())
    return document | {"seconds": round(time.perf_counter() - begun, 1)}


def main() -> int:
    parser = argparse.ArgumentParser(prog="bad_hours", description=__doc__)
    parser.add_argument("--seed", type=int, action="append", help="full size: 1 to 5")
    parser.add_argument("--instances", type=int, default=60, help="instances a server; full size: 60")
    parser.add_argument("--minutes", type=float, default=BAD / 60, help="bad minutes before the calm; full size: 50")
    parser.add_argument("--log", choices=("debug", "info", "warning"), help="what evoproxy logs, on stderr")
    asked = parser.parse_args()
    if asked.log:
        logging.basicConfig(level=asked.log.upper(), stream=sys.stderr)
    hours = []
    for seed in asked.seed or range(1, 6):
        with tempfile.TemporaryDirectory() as folder:
            hours.append(play(Path(folder), seed=seed, instances=asked.instances, bad=60 * asked.minutes))
        print(orjson.dumps(hours[-1]).decode(), file=sys.stderr)
    found = [f"seed {hour['seed']}: {what}" for hour in hours for what in hour["broken"]]
    print(orjson.dumps({"hours": hours, "ok": not found, "broken": found}).decode())
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
