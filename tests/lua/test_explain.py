"""explain: what acquire would answer, and from what a proxy is chosen."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from service.pool.batches import Wish
from service.pool.choice import Choice, Counts, Why
from tests.lua.invariants import dump
from tests.lua.stage import HOUR, MINUTE, Stage, spec

NONE = Counts(candidates=0, kept=0, resting=0, elsewhere=0, quarantined=0, used=0, disabled=0, shunned=0)


async def _counts(stage: Stage, **fields: object) -> dict[str, int]:
    """What a wish would be chosen from; only the figures that are not 0."""
    told = await stage.pool.explain("a", Wish("x", "name-x", **fields))  # type: ignore[arg-type]
    assert told.choice.counts is not None
    return {name: number for name, number in asdict(told.choice.counts).items() if number}


async def test_it_answers_what_acquire_answers_and_writes_nothing(stage: Stage) -> None:
    first, second = await stage.add(2)
    await stage.reserved("other")
    before = await dump(stage.redis, stage.pool.keys.root)
    told = await stage.pool.explain("a", Wish("x", "name-x"))
    assert await dump(stage.redis, stage.pool.keys.root) == before
    lease = await stage.reserved("x")
    assert (told.outcome.word, told.outcome.proxy_id, lease.proxy_id) == ("LEASED", second, second)
    assert told.choice == lease.chosen
    [_, event] = await stage.events("lease.reserved")
    assert (event["chosen"], "used:1" in event["counts"].split()) == ("line", True)
    held = await stage.pool.explain("a", Wish("x", "name-x"))
    assert (held.outcome.word, held.outcome.proxy_id, held.outcome.token) == ("HELD", second, lease.token)
    assert first != second


async def test_what_a_proxy_was_chosen_from(stage: Stage) -> None:
    ids = await stage.add(8)
    await stage.pool.import_proxies([spec(20, group="br"), spec(21, group="br")], stamp="s", actor="auto")
    await stage.reserved("holder", pin=ids[0])
    await stage.pool.disable(ids[1], reason="human", actor="auto")
    await stage.pool.quarantine(ids[2], reason="dead", probation_ms=HOUR, actor="auto")
    rested = await stage.released("gone", rest_ms=MINUTE)
    assert rested == ids[3]
    assert await _counts(stage) == {"candidates": 6, "resting": 1, "quarantined": 1, "used": 1, "disabled": 1}
    stage.clock.move(MINUTE)
    assert await _counts(stage) == {"candidates": 6, "kept": 1, "quarantined": 1, "used": 1, "disabled": 1}
    assert await _counts(stage, group="br", strict=True) == {"candidates": 2, "elsewhere": 5}


@pytest.mark.parametrize("strict", [False, True])
async def test_which_group_was_looked_in(stage: Stage, strict: bool) -> None:
    await stage.add(1)
    told = await stage.pool.explain("a", Wish("x", "name-x", group="br", strict=strict))
    if strict:
        assert (told.outcome.word, told.choice.group) == ("NO_PROXY_AVAILABLE", "br")
        assert told.choice.counts == Counts(**{**asdict(NONE), "elsewhere": 1})
    else:
        assert (told.outcome.word, told.choice.why, told.choice.group) == ("LEASED", Why.LINE, "")


async def test_how_many_an_instance_shuns_is_kept_with_its_lease(stage: Stage) -> None:
    await stage.add(3)
    lease = await stage.active("x")
    for shunned in (0, 1):
        proxy_id, _ = await stage.pool.rotate(lease, reason="signs")
        lease = await stage.lease(proxy_id)
        assert lease.chosen.counts is not None
        assert lease.chosen.counts.shunned == shunned
        await stage.pool.confirm(lease)


async def test_a_closed_gate_is_told_beside_the_choice(stage: Stage) -> None:
    [proxy_id] = await stage.add()
    await stage.pool.pause(paused=True, actor="cli:test")
    told = await stage.pool.explain("a", Wish("x", "name-x"))
    assert (told.closed, told.outcome.word, told.outcome.proxy_id) == ("paused", "LEASED", proxy_id)
    assert (await stage.pool.explain("a", Wish("x", "name-x"), human=True)).closed == ""
    elsewhere = await stage.pool.explain("z", Wish("x", "name-x"))
    assert (elsewhere.closed, elsewhere.closed_by, elsewhere.outcome.word) == ("not_configured", "z", "LEASED")


async def test_policy_is_told_to_leave_an_unmanaged_instance_alone(stage: Stage) -> None:
    await stage.add()
    await stage.see("x")
    await stage.pool.unmanage("a", "x", unmanaged=True, actor="cli:test")
    assert (await stage.pool.explain("a", Wish("x", "name-x"))).outcome.word == "UNMANAGED"
    assert (await stage.pool.explain("a", Wish("x", "name-x"), human=True)).outcome.word == "LEASED"


@pytest.mark.parametrize("kept", ["", "candidates:1", "word:of:another release"])
def test_what_another_release_kept_is_no_counts(kept: str) -> None:
    assert Choice.parse("luck", "br", kept) == Choice(Why.UNKNOWN, "br")
