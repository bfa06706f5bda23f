"""The ledger: who had which proxy from when to when, whatever became of the lease meanwhile."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import pytest
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from service.audit import LedgerFilter, Tenancy
from service.errors import InvalidInputError
from service.mirror.mirror import Mirror
from service.mirror.questions import Questions
from service.mirror.schema import LEDGER
from service.pool.batches import Claim
from service.pool.models import Evidence, Waits
from tests.lua.stage import HOUR, MINUTE, Stage
from tests.mirror.leases import LATER, ledger

pytestmark = pytest.mark.redis


@pytest.fixture
def questions(engine: AsyncEngine) -> Questions:
    return Questions(engine)


async def pages(questions: Questions, *, limit: int) -> AsyncIterator[Sequence[Tenancy]]:
    """All that ``i1`` had, the latest first."""
    following: str | None = ""
    while following is not None:
        page = await questions.ledger(LedgerFilter(instance="i1"), before=following, limit=limit)
        yield page.items
        following = page.following


async def test_a_life_from_beginning_to_end(stage: Stage, mirror: Mirror) -> None:
    [proxy_id] = await stage.add()
    began = stage.clock.at
    lease = await stage.reserved()
    active = stage.clock.move(1_000)
    await stage.pool.confirm(lease)
    await stage.pool.mark(lease, "down")
    applied = stage.clock.move(1_000)
    await stage.pool.mark(lease, "applied")
    [now] = await ledger(mirror, instance="i1")
    expected = Tenancy(
        proxy=proxy_id,
        protocol="http",
        host="10.0.0.1",
        port=8080,
        server="a",
        instance="i1",
        name="name-i1",
        began_at=began,
        began="lease.reserved",
        began_actor="auto",
        began_reason="connected",
        chosen="line",
        active_at=active,
        applied_at=applied,
        release_actor=None,
        release_reason=None,
        ended_at=None,
        ended=None,
        evidence=None,
    )
    assert now == expected
    stage.clock.move(HOUR)
    await stage.pool.begin_release(lease, Waits.ROW, reason="by_hand", actor="cli:ana")
    [now] = await ledger(mirror, instance="i1")
    assert (now.release_actor, now.release_reason, now.ended_at) == ("cli:ana", "by_hand", None)
    await stage.pool.begin_clear(lease)
    await stage.pool.row_cleared(lease, "off")
    ended = stage.clock.move(1_000)
    await stage.moved(lease)
    [now] = await ledger(mirror, proxy=proxy_id)
    assert (now.began_at, now.active_at, now.applied_at) == (began, active, applied)
    assert (now.ended_at, now.ended, now.evidence) == (ended, "lease.released", "moved")
    assert (now.release_actor, now.release_reason) == ("cli:ana", "by_hand")


async def test_a_release_that_was_called_off_is_no_end(stage: Stage, mirror: Mirror) -> None:
    await stage.add()
    lease = await stage.active()
    active = stage.clock.at
    await stage.pool.begin_release(lease, Waits.ROW, reason="closed")
    await stage.pool.begin_clear(lease)
    stage.clock.move(1_000)
    await stage.pool.cancel_release(lease)
    lease = await stage.lease(lease.proxy_id)
    await stage.pool.confirm(lease)
    [now] = await ledger(mirror, instance="i1")
    assert (now.ended_at, now.release_reason, now.release_actor, now.active_at) == (None, None, None, active)


async def test_a_rotation_is_two_that_overlap(stage: Stage, mirror: Mirror) -> None:
    await stage.add(2)
    new, old = await stage.tail()
    stage.clock.move(1_000)
    await stage.pool.confirm(new)
    await stage.pool.row_cleared(old, new.proxy_id)
    await stage.moved(old)
    first, second = await ledger(mirror, instance="i1")
    assert (first.proxy, second.proxy) == (old.proxy_id, new.proxy_id)
    assert (first.release_reason, first.ended, first.ended_at) == ("signs", "lease.released", stage.clock.at)
    assert (second.began, second.began_reason, second.ended_at) == ("lease.rotated", "signs", None)
    assert second.began_at < stage.clock.at


async def test_a_rotation_that_was_refused_leaves_the_old_one(stage: Stage, mirror: Mirror) -> None:
    await stage.add(2)
    new, old = await stage.tail()
    [before, _] = await ledger(mirror, instance="i1")
    assert before.release_reason == "signs"
    await stage.pool.abandon(new, "refused")
    first, second = await ledger(mirror, instance="i1")
    assert (first.proxy, first.ended_at, first.release_reason) == (old.proxy_id, None, None)
    assert (second.ended, second.release_reason, second.ended_at) == ("lease.abandoned", "refused", stage.clock.at)


async def test_what_was_active_once_is_not_over_when_it_is_abandoned(stage: Stage, mirror: Mirror) -> None:
    await stage.add()
    lease = await stage.releasing()
    await stage.pool.begin_clear(lease)
    await stage.pool.cancel_release(lease)
    await stage.pool.abandon(await stage.lease(lease.proxy_id), "refused")
    [now] = await ledger(mirror, instance="i1")
    assert (now.ended_at, now.release_reason) == (None, "refused")


async def test_a_reservation_becomes_the_instances(stage: Stage, mirror: Mirror) -> None:
    await stage.add(2)
    expires_at = stage.clock.at + 5 * MINUTE
    proxy_id, _ = await stage.pool.reserve("a", "shop", reservation="r1", expires_at=expires_at, actor="cli:ana")
    began = stage.clock.at
    [now] = await ledger(mirror, instance="shop")
    assert (now.instance, now.began, now.began_actor) == ("~r1", "reservation.made", "cli:ana")
    stage.clock.move(1_000)
    await stage.see("i1", name="shop", row=proxy_id)
    await stage.adopt("i1", proxy_id, name="shop")
    for wanted in ({"instance": "i1"}, {"instance": "shop"}, {"proxy": proxy_id}):
        [now] = await ledger(mirror, **wanted)
        assert (now.instance, now.name, now.began_at, now.began_actor) == ("i1", "shop", began, "cli:ana")
        assert (now.active_at, now.ended_at) == (stage.clock.at, None)


@pytest.mark.parametrize("cancelled", [True, False])
async def test_a_reservation_that_came_to_nothing(stage: Stage, mirror: Mirror, cancelled: bool) -> None:
    await stage.add()
    await stage.pool.reserve("a", "shop", reservation="r1", expires_at=stage.clock.at + 1, actor="cli:ana")
    stage.clock.move(1)
    await stage.pool.expire_reservation("a", "r1", cancelled=cancelled, actor="cli:bob")
    [now] = await ledger(mirror, instance="shop")
    assert now.ended == ("reservation.cancelled" if cancelled else "reservation.expired")
    assert (now.ended_at, now.release_actor) == (stage.clock.at, "cli:bob")


async def test_adopted_and_forced(stage: Stage, mirror: Mirror) -> None:
    [proxy_id] = await stage.add()
    await stage.see("i1", row=proxy_id)
    await stage.adopt("i1", proxy_id)
    [now] = await ledger(mirror, proxy=proxy_id)
    assert (now.began, now.chosen, now.active_at, now.applied_at) == ("lease.adopted", "row", stage.clock.at, None)
    await stage.pool.finish_release(await stage.lease(proxy_id), Evidence.FORCED, actor="cli:ana")
    [now] = await ledger(mirror, proxy=proxy_id)
    assert (now.evidence, now.release_actor, now.release_reason) == ("forced", "cli:ana", "forced")


async def test_a_tail_that_is_adopted_again_was_had_all_the_time(stage: Stage, mirror: Mirror) -> None:
    await stage.add(2)
    new, old = await stage.tail()
    await stage.pool.finish_release(new, Evidence.FORCED)
    stage.clock.move(1_000)
    await stage.see("i1", row=old.proxy_id)
    assert (await stage.adopt("i1", old.proxy_id)).word == "ADOPTED"
    [now] = await ledger(mirror, proxy=old.proxy_id)
    assert (now.began, now.ended_at, now.release_reason) == ("lease.reserved", None, None)


async def test_under_another_name_of_its_server_it_is_another(stage: Stage, mirror: Mirror) -> None:
    [proxy_id] = await stage.add()
    await stage.active()
    await stage.pool.configure(["b"], events_max=1_000)
    await stage.pool.mark_read("b", epoch=await stage.pool.epoch(), listed=1)
    stage.clock.move(1_000)
    [outcome] = await stage.pool.adopt("b", [Claim("i1", "name-i1", proxy_id)])
    assert outcome.word == "ADOPTED"
    first, second = await ledger(mirror, instance="i1")
    assert (first.server, first.ended, first.ended_at) == ("a", "lease.adopted", stage.clock.at)
    assert (second.server, second.began_at) == ("b", stage.clock.at)
    assert [one.server for one in await ledger(mirror, instance="i1", server="b")] == ["b"]


async def test_a_range_holds_what_began_before_it(stage: Stage, mirror: Mirror) -> None:
    await stage.add(3)
    bounds = []
    for _ in range(3):
        lease, begun = await stage.active("i1", human=True), stage.clock.at
        ended = stage.clock.move(HOUR)
        await stage.pool.finish_release(lease, Evidence.GONE)
        bounds.append((begun, ended))
        stage.clock.move(HOUR)
    found = await ledger(mirror, instance="i1")
    assert [(one.began_at, one.ended_at) for one in found] == bounds
    inside = bounds[1][0] + MINUTE
    assert await ledger(mirror, instance="i1", since=inside, until=inside + 1) == [found[1]]
    assert await ledger(mirror, instance="i1", since=inside) == found[1:]
    assert await ledger(mirror, instance="i1", until=inside) == found[:2]
    assert await ledger(mirror, instance="i1", since=bounds[1][1], until=bounds[2][0]) == []


async def test_pages_stay_while_tenancies_are_added(stage: Stage, mirror: Mirror, questions: Questions) -> None:
    await stage.add(3)

    async def some(number: int) -> None:
        for _ in range(number):
            stage.clock.move(LATER)
            await stage.pool.finish_release(await stage.active("i1", human=True), Evidence.GONE)
        await mirror.catch_up()

    await some(7)
    expected = [one.began_at for one in reversed(await ledger(mirror, instance="i1"))]
    found: list[int] = []
    async for page in pages(questions, limit=2):
        found += [one.began_at for one in page]
        await some(1)
    assert found == expected


async def test_two_of_one_token_are_two(engine: AsyncEngine, questions: Questions) -> None:
    """Tokens grow, but a Redis that lost writes while they ran ahead of the clock may give one twice."""
    named = dict.fromkeys(LEDGER.c.keys()) | {"token": 7, "server": "a", "instance": "i1", "began_at": 1}
    async with engine.execution_options(writes=True).begin() as connection:
        await connection.execute(insert(LEDGER), [named | {"proxy": proxy} for proxy in ("p", "q", "r")])
    assert [one.proxy async for page in pages(questions, limit=1) for one in page] == ["r", "q", "p"]


@pytest.mark.parametrize("cursor", ["x", "1", "1-", "1-a-b", "-1-a", "9" * 19 + "-a", "1-" + "a" * 41])
async def test_a_cursor_that_was_never_given(questions: Questions, cursor: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        await questions.ledger(LedgerFilter(proxy="p"), before=cursor, limit=1)
    assert caught.value.params == {"field": "cursor", "reason": "unknown_cursor"}
