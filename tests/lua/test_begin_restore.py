"""begin_restore: the gate is shut, and what comes is later than anything before."""

from __future__ import annotations

import pytest

from service.models import Protocol, ProxySpec
from service.pool.stream import EventId
from tests.lua.stage import Stage, refused

NOWHERE = EventId(0, 0)


async def begin(
    stage: Stage, name: str = "r1", *, merge: bool = False, after: EventId = NOWHERE, token: int = 0
) -> None:
    await stage.pool.begin_restore(name, after=after, token=token, merge=merge, actor="cli:ana")


async def test_a_pool_with_proxies_is_refused_unless_it_is_to_be_merged(stage: Stage) -> None:
    await stage.add(2)
    before = await stage.raw("meta")
    with refused("not_empty", "2"):
        await begin(stage)
    assert await stage.raw("meta") == before
    await begin(stage, merge=True)
    assert await stage.pool.restoring()


async def test_a_cut_restore_is_taken_over(stage: Stage) -> None:
    await begin(stage)
    await stage.pool.import_proxies([ProxySpec(Protocol.HTTP, "10.0.0.1", 1)], stamp="s", actor="cli:ana")
    await begin(stage, "r2")
    with refused("stale"):
        await stage.pool.finish_restore("r1", source="sql", proxies=0, actor="cli:ana")
    assert await stage.pool.restoring()


async def test_nothing_is_handed_out_meanwhile_not_even_by_hand(stage: Stage) -> None:
    await stage.add(2)
    lease = await stage.active()
    await begin(stage, merge=True)
    for human in (False, True):
        with refused("restoring"):
            await stage.try_acquire("i2", human=human)
    with refused("restoring"):
        await stage.pool.rotate(lease, reason="signs", human=True)
    with refused("restoring"):
        await stage.pool.reserve("a", "shop", reservation="x", expires_at=stage.clock.at + 1, actor="cli:ana")


@pytest.mark.parametrize("ahead", [-5, 0, 7])
async def test_ids_and_tokens_are_later_than_any_before(stage: Stage, ahead: int) -> None:
    at = stage.clock.at
    await begin(stage, after=EventId(at + ahead, 9), token=at + ahead + 100)
    epoch = int(await stage.pool.epoch())
    assert epoch == max(at + 1, at + ahead + 1)
    assert (await stage.raw("meta"))["token"] == str(max(at, at + ahead + 100))
    [event] = await stage.events("pool.restoring")
    assert (event["actor"], event["proxies"]) == ("cli:ana", "0")


async def test_a_token_never_gets_smaller(stage: Stage) -> None:
    await stage.add()
    lease = await stage.reserved()
    await begin(stage, merge=True, token=1)
    assert (await stage.raw("meta"))["token"] == lease.token
