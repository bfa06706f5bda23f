"""What a server that is well is asked, by all of evoproxy's loops, in half an hour of virtual time."""

from __future__ import annotations

import asyncio
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from tests.load.hours.site import SERVERS, SETTINGS, Site
from tests.virtual import VirtualLoop

pytestmark = [pytest.mark.redis, pytest.mark.slow]

INSTANCES = 30
HALF_AN_HOUR, FIVE_MINUTES = 1800, 300


def test_nothing_but_one_list_a_tick_and_the_slow_round(tmp_path: Path) -> None:
    loop = VirtualLoop()
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(_steady(loop, tmp_path))


async def _steady(loop: VirtualLoop, folder: Path) -> None:
    async with Site.open(loop, folder, instances=INSTANCES, webhooks=False) as site:
        for server in SERVERS:
            for number in range(INSTANCES):
                site.sims[server].create(f"n{number:02}", state="open" if number else "close")
        await asyncio.sleep(FIVE_MINUTES + SETTINGS.poll_interval / 2)  # between two ticks
        assert (await site.pool.stats()).unprotected == 0
        before = {server: Counter(sim.calls.counts) for server, sim in site.sims.items()}
        begun = loop.time()
        await asyncio.sleep(HALF_AN_HOUR)
        for server, sim in site.sims.items():
            asked = sim.calls.counts - before[server]
            rounds = asked.pop("instance/connectionState")
            assert asked == {"instance/fetchInstances": HALF_AN_HOUR / SETTINGS.poll_interval}
            assert rounds <= (INSTANCES - 1) * HALF_AN_HOUR / 60, "each is read once a minute at most"
            _assert_read_evenly(site, server, begun)


def _assert_read_evenly(site: Site, server: str, begun: float) -> None:
    """Each open instance was read in every five minutes."""
    start = site.pool.clock.now() / 1000 - site.loop.time() + begun
    for number in range(1, INSTANCES):
        calls = site.sims[server].calls.to("instance/connectionState", f"n{number:02}")
        times = [start, *(call.at for call in calls if call.at > start), start + HALF_AN_HOUR]
        longest = max(later - earlier for earlier, later in pairwise(times))
        assert longest <= FIVE_MINUTES, f"n{number:02} was not read for {longest:.0f} s"
