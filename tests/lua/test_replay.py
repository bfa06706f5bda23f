"""A transition that is sent again, even much later, changes nothing and answers the same.

At once is tested everywhere: the stage sends each transition twice.
"""

from __future__ import annotations

import pytest

from service.pool.pool import Pool
from tests.lua.headers import MUTATING
from tests.lua.invariants import dump
from tests.lua.stage import MINUTE, Stage
from tests.lua.transitions import TRANSITIONS


class _OneOperation(Pool):
    """Every transition under the same operation id, as in a process that repeats its last intent."""

    async def run(self, name: str, rows: object = (), /, **values: object) -> list[object]:
        return await super().run(name, rows, **{**values, "op_id": "the-one"})  # type: ignore[arg-type]


def test_every_transition_is_tried() -> None:
    assert sorted(TRANSITIONS) == MUTATING


@pytest.mark.parametrize("name", MUTATING)
async def test_later_and_after_the_pool_has_moved_on(stage: Stage, name: str) -> None:
    call = await TRANSITIONS[name](stage)
    pool = _OneOperation(stage.redis, "test", clock=stage.clock)
    before = await dump(stage.redis, pool.keys.root)
    answer = await call(pool)
    assert await dump(stage.redis, pool.keys.root) != before
    stage.clock.move(5 * MINUTE)
    await stage.pool.pause(paused=name != "pause", actor="cli:other")
    after = await dump(stage.redis, pool.keys.root)
    assert await call(pool) == answer
    assert 0 < await stage.redis.pttl(pool.keys.named("op:the-one")) <= 10 * MINUTE
    assert await dump(stage.redis, pool.keys.root) == after
