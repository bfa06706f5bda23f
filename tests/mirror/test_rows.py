"""Each event names every proxy whose row its script has changed (lua/README.md, Mirror)."""

from __future__ import annotations

import pytest

from service.mirror.mirror import rows_of
from service.mirror.rows import Row
from service.pool.stream import EventId
from tests.lua.stage import Stage
from tests.lua.transitions import TRANSITIONS
from tests.mirror.scene import stage_on, stream

pytestmark = pytest.mark.redis


async def _rows(stage: Stage) -> dict[str, Row]:
    """By id and without what may change in silence."""
    snapshots = await stage.pool.snapshots(await stage.pool.page_ids("", 100))
    rows = rows_of(snapshots, now=0)
    return {row["id"]: {name: row[name] for name in row.keys() - {"updated_at", "state"}} for row in rows}


@pytest.mark.parametrize("name", sorted(TRANSITIONS.keys() - {"reseal"}))  # see test_compare.py
async def test_a_transition_names_what_it_changes(stage: Stage, name: str) -> None:
    beside = await stage_on(stage.redis, name)
    call = await TRANSITIONS[name](beside)
    before, seen = await _rows(beside), len(await stream(beside))
    position = EventId.parse((await stream(beside))[-1][0])
    await call(beside.pool)
    after = await _rows(beside)
    events = (await beside.pool.read_events(position, 1_000)).events
    assert name == "mirrored" or len(events) == len(await stream(beside)) - seen
    changed = {one for one in before.keys() | after.keys() if before.get(one) != after.get(one)}
    assert changed <= {proxy_id for event in events for proxy_id in event.proxies}


async def test_calling_a_rotation_off_names_the_proxy_that_comes_back(stage: Stage) -> None:
    await stage.add(2)
    new, old = await stage.tail()
    before = EventId.parse((await stream(stage))[-1][0])
    await stage.pool.abandon(new, "refused")
    [event, *_] = (await stage.pool.read_events(before, 10)).events
    assert set(event.proxies) == {new.proxy_id, old.proxy_id}
