"""job_cancel: what is not wanted any more ends, once."""

from __future__ import annotations

import pytest

from service.pool.jobs import Progress
from tests.lua.jobs import claim, create, known, state_of, step
from tests.lua.stage import Stage, refused


@pytest.mark.parametrize("begun", [False, True])
async def test_it_ends_at_once(stage: Stage, begun: bool) -> None:
    await create(stage)
    if begun:
        await claim(stage)
    await stage.pool.cancel_job("j1", actor="token:eva")
    assert (await state_of(stage), (await known(stage)).ended_at) == ("cancelled", stage.clock.at)
    assert await claim(stage) is None
    [event] = await stage.events("job.ended")
    assert (event["actor"], event["level"], event["state"]) == ("token:eva", "warning", "cancelled")


async def test_one_that_is_over_or_unknown(stage: Stage) -> None:
    await create(stage)
    await claim(stage)
    await step(stage, Progress(), over=True)
    with refused("job_over", "done"):
        await stage.pool.cancel_job("j1", actor="token:eva")
    with refused("unknown_job"):
        await stage.pool.cancel_job("none", actor="token:eva")
    assert await state_of(stage) == "done"
