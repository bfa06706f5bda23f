"""Where events were lost, the ledger finds out what they told: from the next ones, and from the comparison."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import delete

from service.mirror.compare import Comparer
from service.mirror.ledger import follow
from service.mirror.mending import mend_ledger
from service.mirror.mirror import Mirror
from service.mirror.schema import LEDGER
from service.pool.models import Evidence, Waits
from tests.lua.stage import HOUR, Stage
from tests.mirror.leases import LATER, ledger

pytestmark = pytest.mark.redis


async def test_what_lost_events_told_is_mended(stage: Stage, mirror: Mirror) -> None:
    """One lease ended and one began in events that the stream dropped; a third went on."""
    await stage.add(3)
    ended, kept = await stage.active("i1"), await stage.active("i2")
    await mirror.catch_up()
    await stage.pool.finish_release(ended, Evidence.GONE)
    began_at = stage.clock.move(1_000)
    begun = await stage.active("i3", human=True)
    await stage.pool.begin_release(begun, Waits.ROW, reason="by_hand", actor="cli:ana")
    await stage.redis.xtrim(stage.pool.keys.named("events"), maxlen=0)
    await stage.pool.pause(paused=True, actor="cli:ana")
    stage.clock.move(HOUR)
    await Comparer(mirror).compare()
    assert mirror.lost == 1
    [first] = await ledger(mirror, instance="i1")
    assert (first.ended_at, first.ended, first.evidence) == (stage.clock.at, None, None)
    [second] = await ledger(mirror, instance="i3")
    assert (second.proxy, second.began_at, second.began) == (begun.proxy_id, began_at, None)
    assert (second.began_reason, second.active_at, second.release_actor) == ("connected", began_at, "cli:ana")
    [third] = await ledger(mirror, instance="i2")
    assert (third.proxy, third.began, third.ended_at) == (kept.proxy_id, "lease.reserved", None)
    await stage.pool.finish_release(begun, Evidence.GONE)
    [second] = await ledger(mirror, instance="i3")
    assert second.ended == "lease.released"
    assert await mend_ledger(mirror) == 0


async def test_the_next_holder_tells_that_the_one_before_has_ended(stage: Stage, mirror: Mirror) -> None:
    [proxy_id] = await stage.add()
    await stage.active("i1")
    await mirror.catch_up()
    await stage.pool.finish_release(await stage.lease(proxy_id), Evidence.GONE)
    await stage.redis.xtrim(stage.pool.keys.named("events"), maxlen=0)
    stage.clock.move(LATER)
    await stage.active("i2")
    first, second = await ledger(mirror, proxy=proxy_id)
    assert (first.instance, first.ended_at, first.ended) == ("i1", stage.clock.at, None)
    assert (second.instance, second.began, second.ended_at) == ("i2", "lease.reserved", None)


def test_a_pool_that_was_rebuilt_goes_on_where_it_was() -> None:
    """A lease comes back under its own token; what became of the others is for the comparison to find."""
    named = {
        "proxy": "p",
        "server": "a",
        "instance": "i1",
        "name": "shop",
        "token": "7",
        "actor": "auto",
        "reason": "x",
    }
    reserved = {**named, "type": "lease.reserved", "at": 1, "data": {}}
    rebuilt = {**named, "type": "proxy.rebuilt", "at": 2, "data": {"status": "used"}}
    held: dict[str, Any] = {}
    [row] = follow([reserved], held)
    assert follow([rebuilt], held) == []
    assert held == {"p": row}
    [row] = follow([rebuilt], {})
    assert (row["token"], row["began_at"], row["began"]) == (7, 2, None)


async def test_what_unread_events_tell_is_not_mended(stage: Stage, mirror: Mirror) -> None:
    await stage.add()
    await stage.active("i1")
    await mirror.catch_up()
    async with mirror.engine.execution_options(writes=True).begin() as connection:
        await connection.execute(delete(LEDGER))
    catch_up = mirror.catch_up

    async def and_then_more() -> None:
        await catch_up()
        await stage.pool.begin_release(await stage.lease((await stage.pool.page_ids("", 1))[0]), Waits.ROW, reason="x")

    mirror.catch_up = and_then_more  # type: ignore[method-assign]
    assert await mend_ledger(mirror) == 0
    mirror.catch_up = catch_up  # type: ignore[method-assign]
    [now] = await ledger(mirror, instance="i1")
    assert (now.began, now.release_reason) == (None, "x")
