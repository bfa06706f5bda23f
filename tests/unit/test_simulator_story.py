"""The demo's life: it begins as asked, stays near its size, shows every kind of event, and can be told again."""

from __future__ import annotations

import asyncio
import random
from itertools import islice

import pytest

from service.evolution.simulator import Paces, Simulator, Story
from service.evolution.simulator.story import company_names
from service.models import Protocol, ProxySpec

pytestmark = pytest.mark.virtual


def told(sim: Simulator) -> list[tuple[str, str, int | None]]:
    return [(one.name, one.state, one.disconnection_code) for one in sim.database.values()]


async def test_the_same_seed_tells_the_same_story() -> None:
    stories = []
    for _ in range(2):
        async with Simulator(paces=Paces(connecting=60)) as sim:
            story = Story(sim, seed=3)
            story.begin()
            assert (len(sim.database), len(sim.exits())) == (120, 60)
            for _ in range(100):
                story.step()
            stories.append(told(sim))
    assert stories[0] == stories[1]


async def test_everything_happens_and_the_size_stays() -> None:
    async with Simulator(paces=Paces.fast()) as sim:
        story = Story(sim, instances=20, open_ones=10)
        story.begin()
        first = dict(sim.database)
        for port, name in enumerate(first, 1024):
            sim.set_row_by_hand(name, ProxySpec(Protocol.HTTP, "192.0.2.1", port))
            if sim.memory[name].state == "open":
                sim.open(name)
        dead = set()
        for _ in range(300):
            story.step()
            dead |= set(sim.conditions)
            await sim.until(lambda: sum(one.reconnecting for one in sim.memory.values()) <= len(sim.conditions))
            assert 15 <= len(sim.database) <= 25
            assert 4 <= len(sim.exits()) <= 13
        assert {one.disconnection_code for one in sim.database.values()} >= {None, 401, 403}
        assert first.keys() - sim.database.keys()
        assert sim.database.keys() - first.keys()
        assert dead > set(sim.conditions)
        sim.assert_no_shared_exit()


async def test_run_goes_on_until_cancelled() -> None:
    async with Simulator(paces=Paces.fast()) as sim:
        story = Story(sim, instances=4, open_ones=2, pace=0.002)
        story.begin()
        running = asyncio.create_task(story.run())
        await sim.until(lambda: len(sim.exits()) != 2)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running


def test_names_differ_and_some_need_encoding() -> None:
    names = list(islice(company_names(random.Random(1)), 500))
    assert len(set(names)) == 500
    assert any(not name.isascii() for name in names)
    assert any(" " in name for name in names)
