"""How long Redis was blocked by one call, by its own clock."""

from __future__ import annotations

import os
from contextlib import suppress

from redis.asyncio import Redis

_PERCENTILES = "50 99 99.99 100"


async def forget(redis: Redis) -> None:
    """Begins to measure."""
    await redis.config_set("latency-tracking-info-percentiles", _PERCENTILES)
    await redis.config_resetstat()


async def worst(redis: Redis, count: int = 3) -> dict[str, dict[str, float]]:
    """The commands with the longest call since :func:`forget`, the worst first: percentiles in ms, ``p100`` is the
    longest. A transaction is one call, ``exec``."""
    found = (await redis.info("latencystats")).items()
    calls = {name.removeprefix("latency_percentiles_usec_"): _milliseconds(figures) for name, figures in found}
    return dict(sorted(calls.items(), key=lambda one: -one[1]["p100"])[:count])


def uninterrupted(pid: int) -> None:
    """Nothing but the kernel itself takes the processor from ``pid``, so that what else the machine does does not make
    its calls longer. Takes the right to do that (root's); without it, everything stays as it is."""
    with suppress(PermissionError):
        os.sched_setscheduler(pid, os.SCHED_FIFO, os.sched_param(1))


def _milliseconds(figures: dict[str, float]) -> dict[str, float]:
    return {name: round(microseconds / 1000, 3) for name, microseconds in figures.items()}
