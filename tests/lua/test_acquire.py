"""acquire: who gets which proxy, and who gets none."""

from __future__ import annotations

import pytest

from service.models import Protocol
from service.pool.batches import Wish
from service.pool.models import Evidence, Phase, Waits
from tests.lua.stage import HOUR, MINUTE, Stage, refused, spec


async def test_the_longest_rested_proxy_is_leased(stage: Stage) -> None:
    first, second = await stage.add(2)
    outcome = await stage.try_acquire("i1", disc_at="77", owner="5511", opened=True)
    assert (outcome.word, outcome.proxy_id) == ("LEASED", first)
    lease = await stage.lease(first)
    assert (lease.phase, lease.token, lease.holder) == (Phase.RESERVED, outcome.token, "a/i1")
    assert (lease.disconnected_at, lease.owner, lease.opened, lease.chosen.why) == (77, "5511", True, "line")
    assert (await stage.try_acquire("i2")).proxy_id == second
    assert [event["proxy"] for event in await stage.events("lease.reserved")] == [first, second]


async def test_an_instance_that_has_a_lease_is_told_of_it(stage: Stage) -> None:
    await stage.add(2)
    lease = await stage.reserved()
    held = await stage.try_acquire()
    assert (held.word, held.proxy_id, held.token) == ("HELD", lease.proxy_id, lease.token)


async def test_one_call_serves_many_and_says_who_got_none(stage: Stage) -> None:
    await stage.add(2)
    wishes = [Wish(f"i{number}", "n") for number in (1, 2, 1, 3)]
    outcomes = await stage.pool.acquire("a", wishes, reason="connected")
    assert [one.word for one in outcomes] == ["LEASED", "LEASED", "HELD", "NO_PROXY_AVAILABLE"]


async def test_a_proxy_is_available_at_its_moment_and_not_before(stage: Stage) -> None:
    await stage.add()
    await stage.released(rest_ms=1000)
    stage.clock.move(999)
    assert (await stage.try_acquire("i2")).word == "NO_PROXY_AVAILABLE"
    stage.clock.move(1)
    assert (await stage.try_acquire("i2")).word == "LEASED"


async def test_the_group_asked_for_comes_first_and_binds_if_strict(stage: Stage) -> None:
    await stage.add(1)
    wanted = spec(9, group="br")
    await stage.pool.import_proxies([wanted], stamp="s", actor="auto")
    assert (await stage.try_acquire("i1", group="br", strict=True)).proxy_id == wanted.id
    assert (await stage.try_acquire("i2", group="br", strict=True)).word == "NO_PROXY_AVAILABLE"
    assert (await stage.try_acquire("i2", group="br")).word == "LEASED"


async def test_a_returning_number_gets_its_proxy_and_others_get_it_last(stage: Stage) -> None:
    first, second = await stage.add(2)
    lease = await stage.active("i1", owner="5511", pin=second)
    await stage.pool.begin_release(lease, Waits.ROW, reason="test")
    await stage.pool.row_cleared(await stage.lease(second), "off")
    await stage.moved(await stage.lease(second), rest_ms=MINUTE)
    stage.clock.move(MINUTE - 1)
    assert (await stage.try_acquire("i2", owner="5511")).proxy_id == first
    await stage.pool.abandon(await stage.lease(first), "unsent")
    stage.clock.move(1)
    assert (await stage.try_acquire("i3")).proxy_id == first
    back = await stage.try_acquire("i4", owner="5511")
    assert (back.proxy_id, (await stage.lease(second)).chosen.why) == (second, "memory")


async def test_a_returning_number_gets_its_proxy_if_it_is_of_the_group_asked_for(stage: Stage) -> None:
    specs = [spec(number, group=group) for number, group in ((1, "br"), (2, "br"), (3, "pt"))]
    for one in specs:
        await stage.pool.import_proxies([one], stamp="s0", actor="cli:test")
        stage.clock.move(1)
    lease = await stage.active("i1", owner="5511", pin=specs[1].id)
    await stage.pool.begin_release(lease, Waits.ROW, reason="test")
    await stage.pool.row_cleared(await stage.lease(lease.proxy_id), "off")
    await stage.moved(await stage.lease(lease.proxy_id))
    other = await stage.try_acquire("i2", owner="5511", group="pt", strict=True)
    assert other.proxy_id == specs[2].id
    await stage.pool.abandon(await stage.lease(other.proxy_id), "unsent")
    assert (await stage.try_acquire("i3", owner="5511", group="br", strict=True)).proxy_id == specs[1].id


@pytest.mark.parametrize(
    ("name", "owner", "why"),
    [
        ("shop", "", "memory"),  # created anew, its phone is not known yet
        ("shop", "5511", "memory"),
        ("renamed", "5511", "memory"),
        ("shop", "5522", "line"),  # another number bears the name
        ("other", "", "line"),
    ],
)
async def test_who_comes_back_is_known_by_phone_and_else_by_name(stage: Stage, name: str, owner: str, why: str) -> None:
    first, second = await stage.add(2)
    await stage.see("old", name="shop", owner="5511")
    lease = await stage.active("old", name="shop", pin=second)
    await stage.pool.begin_release(lease, Waits.ROW, reason="test")
    await stage.pool.row_cleared(lease, "off")
    await stage.moved(lease)
    outcome = await stage.try_acquire("new", name=name, owner=owner)
    assert outcome.proxy_id == (second if why == "memory" else first)
    assert (await stage.lease(outcome.proxy_id)).chosen.why == why


async def test_the_phone_is_asked_before_the_name(stage: Stage) -> None:
    first, second, _ = await stage.add(3)
    for instance, phone, proxy_id in (("i1", "5511", first), ("i2", "", second)):
        lease = await stage.active(instance, name=f"name-{instance}", owner=phone, pin=proxy_id)
        await stage.pool.begin_release(lease, Waits.ROW, reason="test")
        await stage.pool.row_cleared(lease, "off")
        await stage.moved(lease)
    assert (await stage.try_acquire("new", name="name-i2", owner="5511")).proxy_id == first


async def test_what_is_remembered_is_given_to_others_rather_than_nothing(stage: Stage) -> None:
    await stage.add()
    lease = await stage.active("i1", owner="5511")
    await stage.pool.begin_release(lease, Waits.ROW, reason="test")
    await stage.pool.row_cleared(await stage.lease(lease.proxy_id), "off")
    await stage.moved(await stage.lease(lease.proxy_id))
    assert (await stage.try_acquire("i2", owner="other")).proxy_id == lease.proxy_id


async def test_a_proxy_that_a_row_names_is_never_handed_out(stage: Stage) -> None:
    [proxy_id] = await stage.add()
    await stage.see("foreign", row=proxy_id, managed=False)
    assert (await stage.try_acquire("i1")).word == "NO_PROXY_AVAILABLE"
    assert (await stage.try_acquire("i1", pin=proxy_id, human=True)).word == "HELD_ELSEWHERE"
    assert await stage.status(proxy_id) == "quarantined"


async def test_a_proxy_rotated_away_is_not_offered_to_that_instance_again(stage: Stage) -> None:
    await stage.add(2)
    new, old = await stage.tail()
    await stage.pool.row_cleared(old, "off")
    await stage.moved(await stage.lease(old.proxy_id))
    await stage.pool.abandon(new, "unknown")
    stage.clock.move(HOUR)
    assert (await stage.try_acquire("i1")).word == "NO_PROXY_AVAILABLE"
    assert (await stage.try_acquire("i2")).proxy_id == old.proxy_id


async def test_policy_leaves_an_unmanaged_instance_alone_and_a_human_takes_it_back(stage: Stage) -> None:
    await stage.add()
    await stage.see()
    await stage.pool.unmanage("a", "i1", unmanaged=True, actor="cli:test")
    assert (await stage.try_acquire()).word == "UNMANAGED"
    assert (await stage.try_acquire(human=True)).word == "LEASED"
    assert await stage.pool.unmanaged("a") == set()


async def test_pins_win_over_rest_but_not_over_exclusivity(stage: Stage) -> None:
    first, second, third, fourth = await stage.add(4)
    https = spec(90, protocol=Protocol.HTTPS)
    await stage.pool.import_proxies([https], stamp="s", actor="auto")
    await stage.pool.disable(second, reason="human", actor="auto")
    await stage.pool.quarantine(third, reason="dead", probation_ms=HOUR, actor="auto")
    await stage.reserved("i1", pin=first)
    pins = {"0" * 20: "UNKNOWN_PROXY", first: "HELD_ELSEWHERE", second: "DISABLED", third: "QUARANTINED"}
    for pin, word in {**pins, https.id: "UNUSABLE"}.items():
        assert (await stage.try_acquire("i2", pin=pin, human=True)).word == word
    lease = await stage.active("i3", pin=fourth)
    await stage.pool.begin_release(lease, Waits.ROW, reason="test")
    await stage.pool.row_cleared(await stage.lease(fourth), "off")
    await stage.moved(await stage.lease(fourth), rest_ms=HOUR, rest_reason="cooldown")
    assert (await stage.try_acquire("i2", pin=fourth, human=True)).word == "LEASED"


async def test_a_pin_waits_while_an_orphan_may_still_live(stage: Stage) -> None:
    [proxy_id] = await stage.add()
    await stage.pool.finish_release(await stage.active(), Evidence.GONE, rest_ms=1000, rest_reason="orphan")
    stage.clock.move(999)
    assert (await stage.try_acquire("i2", pin=proxy_id, human=True)).word == "RESTING"
    stage.clock.move(1)
    assert (await stage.try_acquire("i2", pin=proxy_id, human=True)).word == "LEASED"


async def test_a_pin_that_was_abandoned_does_not_end_the_rest(stage: Stage) -> None:
    [proxy_id] = await stage.add()
    await stage.released(rest_ms=HOUR, rest_reason="ban")
    await stage.pool.abandon(await stage.reserved("i2", pin=proxy_id, human=True), "refused")
    assert await stage.status(proxy_id) == "cooling"


async def test_the_gate_asks_for_every_configured_server(stage: Stage) -> None:
    await stage.add()
    with refused("not_configured", "b"):
        await stage.pool.acquire("b", [Wish("i1", "n")], reason="connected")
    await stage.pool.configure(["a", "b"], events_max=100_000)
    for human in (False, True):
        with refused("not_reconciled", "b"):
            await stage.try_acquire(human=human)
    await stage.pool.ignore_server("b", ignored=True, actor="cli:test")
    assert (await stage.try_acquire()).word == "LEASED"


async def test_a_new_epoch_closes_the_gate_until_each_server_is_read_again(stage: Stage) -> None:
    await stage.add()
    await stage.pool.renew_epoch("another life")
    with refused("not_reconciled", "a"):
        await stage.try_acquire()
    await stage.open()
    assert (await stage.try_acquire()).word == "LEASED"


@pytest.mark.parametrize("human", [False, True])
async def test_only_humans_pass_the_pause(stage: Stage, human: bool) -> None:
    await stage.add()
    await stage.pool.pause(paused=True, actor="cli:test")
    if human:
        assert (await stage.try_acquire(human=True)).word == "LEASED"
    else:
        with refused("paused"):
            await stage.try_acquire()


async def test_only_humans_and_the_probe_pass_the_set_brake(stage: Stage) -> None:
    await stage.add(2)
    await stage.pool.brake("a", "set", engaged=True, reason="test")
    with refused("braked", "a"):
        await stage.try_acquire()
    assert (await stage.try_acquire(human=True)).word == "LEASED"
    probe = await stage.pool.acquire("a", [Wish("i2", "n")], reason="probe", probe=True)
    assert probe[0].word == "LEASED"


async def test_what_was_refused_is_tried_after_what_is_kept_for_others(stage: Stage) -> None:
    """Else a few dead proxies would be all that is ever tried once every other one was given back by somebody."""
    [dead, good] = await stage.add(2)
    lease = await stage.reserved("i1")
    await stage.pool.abandon(lease, "refused")
    assert lease.proxy_id == dead
    assert await stage.released("i2") == good
    for instance in ("i3", "i4"):
        stage.clock.move(HOUR)
        given = await stage.reserved(instance)
        assert given.proxy_id == (good if instance == "i3" else dead), "the refused one is the last"
    await stage.pool.confirm(await stage.lease(dead))
    assert (await stage.raw(f"proxy:{dead}")).get("refused") is None
