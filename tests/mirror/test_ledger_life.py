"""The ledger over random lives: what somebody would have written who looked after each step."""

from __future__ import annotations

import pytest
from sqlalchemy import delete, update

from service.mirror.mending import mend_ledger
from service.mirror.mirror import Mirror
from service.mirror.schema import LEDGER, POSITION
from tests.lua.stage import Stage
from tests.mirror.leases import Leases
from tests.mirror.scene import rows, stream

pytestmark = pytest.mark.redis


async def test_it_is_what_somebody_saw_who_looked_after_each_step(stage: Stage, mirror: Mirror) -> None:
    """Random lives, compared with the pool's leases as they were after each step. A reservation is told from the
    instance that fulfils it by nothing but its name."""
    seen: list[tuple[str, str, int, int | None]] = []
    since: dict[tuple[str, str], int] = {}
    life = Leases(stage, seed=5)
    await stage.add(12)
    mirror.batch = 7
    for _ in range(500):
        await life.step()
        leases = {(one.proxy_id, one.name) for one in await life.leases()}
        for gone in since.keys() - leases:
            seen.append((*gone, since.pop(gone), stage.clock.at))
        for new in leases - since.keys():
            since[new] = stage.clock.at
        if life.draw.random() < 0.1:
            await mirror.catch_up()
    await mirror.catch_up()
    expected = seen + [(*key, at, None) for key, at in since.items()]
    found = [(row["proxy"], row["name"], row["began_at"], row["ended_at"]) for row in await rows(mirror.engine, LEDGER)]
    assert len(found) > 50
    assert sorted(found, key=str) == sorted(expected, key=str)
    assert life.done >= {"rotate", "adopt", "fulfil", "expire", "abandon", "keep", "forced", "moved", "gone"}
    assert await mend_ledger(mirror) == 0


async def test_events_that_are_read_again_change_nothing(stage: Stage, mirror: Mirror) -> None:
    life = Leases(stage, seed=6)
    await stage.add(12)
    for _ in range(150):
        await life.step()
    await mirror.catch_up()
    before = await rows(mirror.engine, LEDGER)
    async with mirror.engine.execution_options(writes=True).begin() as connection:
        await connection.execute(delete(LEDGER))
        await connection.execute(update(POSITION).values(epoch=0, seq=0))
    assert (await stream(stage))[0][1]["type"] == "pool.created"
    await Mirror(stage.pool, mirror.engine).catch_up()
    assert await rows(mirror.engine, LEDGER) == before
