"""brake: one half of a server's brake."""

from __future__ import annotations

import pytest
from redis.exceptions import ResponseError

from tests.lua.stage import Stage, refused


@pytest.mark.parametrize("half", ["release", "set"])
async def test_one_event_a_change(stage: Stage, half: str) -> None:
    assert await stage.pool.brake("a", half, engaged=True, reason="shrunken list")
    assert not await stage.pool.brake("a", half, engaged=True, reason="still")
    server = await stage.pool.server("a")
    assert (server[f"{half}_brake"], server[f"{half}_brake_reason"]) == ("1", "shrunken list")
    assert server[f"{half}_brake_since"] == str(stage.clock.at)
    assert await stage.pool.brake("a", half, engaged=False, reason="whole again")
    assert [event["type"] for event in await stage.events()][-2:] == ["brake.engaged", "brake.released"]


async def test_opening_the_set_half_forgets_the_refusals(stage: Stage) -> None:
    await stage.add()
    await stage.pool.abandon(await stage.reserved(), "refused")
    await stage.pool.brake("a", "set", engaged=True, reason="x")
    assert not await stage.redis.exists(stage.pool.keys.named("refused:a"))


async def test_a_humans_release_is_remembered_until_policy_finds_the_list_whole(stage: Stage) -> None:
    await stage.pool.brake("a", "release", engaged=True, reason="x")
    await stage.pool.brake("a", "release", engaged=False, reason="checked", actor="cli:ana")
    assert (await stage.pool.server("a"))["release_override"] == "1"
    await stage.pool.brake("a", "release", engaged=False, reason="whole")
    assert (await stage.pool.server("a"))["release_override"] == "0"


async def test_only_configured_servers_and_known_halves(stage: Stage) -> None:
    with refused("not_configured", "b"):
        await stage.pool.brake("b", "set", engaged=True, reason="x")
    with pytest.raises(ResponseError, match="BADARG half"):
        await stage.pool.brake("a", "whole", engaged=True, reason="x")
