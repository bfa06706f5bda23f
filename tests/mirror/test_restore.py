"""An emptied Redis gets its pool back from the table."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import delete, update
from sqlalchemy.ext.asyncio import AsyncEngine

from service.audit import Comparison
from service.errors import RefusedError, SettingsError
from service.mirror.compare import Comparer
from service.mirror.mirror import Mirror
from service.mirror.restore import Restored, restore
from service.mirror.rows import proxy_row, snapshot_of
from service.mirror.schema import EVENTS, LEDGER, POSITION, PROXIES
from service.pool.batches import Wish
from service.pool.models import Broken, Evidence, Waits
from service.pool.pool import Pool
from service.pool.records import Snapshot
from service.pool.stream import EventId
from service.pool.vault import Vault, VaultError
from tests.lua.invariants import Dump, assert_invariants, dump
from tests.lua.stage import HOUR, MINUTE, Stage, refused, spec
from tests.mirror.scene import Life, assert_table_equals_pool, rows

pytestmark = pytest.mark.redis

ANA = "cli:ana"
_NOT_IN_THE_TABLE = (
    "rows",
    "users:",
    "shunned:",
    "rotated:",
    "forced:",
    "server:",
    "refused:",
    "servers",
    "former",
    "rest:",
)


async def emptied(stage: Stage) -> None:
    """As after FLUSHALL, and then a first connection."""
    await stage.redis.flushall()
    stage.clock.move(1000)
    await stage.pool.renew_epoch("life")


async def whole(stage: Stage) -> Dump:
    """What has to come back."""
    found = await dump(stage.redis, stage.pool.keys.root)
    kept = {name: value for name, value in found.items() if not name.startswith((*_NOT_IN_THE_TABLE, "op:"))}
    for record in (value for name, value in kept.items() if name.startswith("proxy:")):
        record.pop("stamp", None)
    kept["keeping"] = set(kept.get("keeping", ()))  # its ends are counted from the last change of a proxy
    return {name: value for name, value in kept.items() if name not in ("meta", "events")}


async def run(stage: Stage, engine: AsyncEngine, **options: Any) -> Restored:
    return await restore(stage.pool, engine, actor=ANA, **options)


async def write(engine: AsyncEngine, statement: Any) -> None:
    async with engine.begin() as connection:
        await connection.execute(statement)


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_a_pool_that_has_lived_comes_back_as_it_was(stage: Stage, mirror: Mirror, seed: int) -> None:
    await stage.add(30)
    await Life(stage, seed).happen(200)
    await Comparer(mirror).compare()
    before, history = await whole(stage), await rows(mirror.engine, EVENTS)
    tenancies = await rows(mirror.engine, LEDGER)
    tokens = [int(lease["token"]) for name, lease in before.items() if name.startswith("lease:")]
    await emptied(stage)
    result = await run(stage, mirror.engine)
    assert await whole(stage) == before
    assert (result.restored, result.leases) == (len(before["all"]), len(tokens))
    assert (result.known, result.unleased, result.damaged_count) == (0, 0, 0)
    assert result.as_of == history[-1]["at"]
    assert_invariants(await dump(stage.redis, stage.pool.keys.root), stage.clock.now())
    assert not [one async for one in stage.pool.check() if isinstance(one, Broken)]

    await stage.open()
    await stage.pool.import_proxies([spec(99)], stamp="s", actor=ANA)
    lease = await stage.reserved("newcomer", pin=spec(99).id, human=True)
    given = [int(row["token"]) for row in history if row["proxy"] and row["token"]]
    assert int(lease.token) > max(given + tokens)
    await mirror.catch_up()
    after = await rows(mirror.engine, EVENTS)
    assert after[: len(history)] == history
    assert EventId(after[len(history)]["epoch"], 0) > EventId(history[-1]["epoch"], history[-1]["seq"])
    assert (await Comparer(mirror).compare()).differences == 0
    await assert_table_equals_pool(mirror.engine, stage.pool)
    assert (await rows(mirror.engine, LEDGER, LEDGER.c.proxy != lease.proxy_id)) == [
        row for row in tenancies if row["proxy"] != lease.proxy_id
    ]


async def test_a_row_tells_all_that_its_records_said(stage: Stage) -> None:
    await stage.add(6, group="br", labels=["x", "y"], expires_at=stage.clock.at + HOUR)
    await stage.tail()
    await stage.pool.finish_release(await stage.active("i2"), Evidence.GONE, rest_ms=MINUTE, rest_reason="ban")
    await stage.releasing("i3")
    for snapshot in await stage.pool.snapshots(await stage.pool.page_ids("", 10)):
        proxy = {name: value for name, value in snapshot.proxy.items() if name not in ("line", "stamp")}
        assert snapshot_of(proxy_row(snapshot, stage.clock.now())) == Snapshot(snapshot.id, proxy, snapshot.lease)


async def test_a_dry_run_foretells_it_and_changes_nothing(stage: Stage, mirror: Mirror) -> None:
    await stage.add(4)
    await stage.active()
    await mirror.catch_up()
    await emptied(stage)
    before = await dump(stage.redis, stage.pool.keys.root)
    foretold = await run(stage, mirror.engine, dry_run=True)
    assert await dump(stage.redis, stage.pool.keys.root) == before
    assert foretold == await run(stage, mirror.engine)
    assert (foretold.restored, foretold.leases) == (4, 1)


async def test_a_pool_that_is_not_empty_is_only_completed(stage: Stage, mirror: Mirror) -> None:
    ids = await stage.add(4)
    await stage.active()
    await mirror.catch_up()
    await emptied(stage)
    await stage.pool.import_proxies([spec(1, password="new")], stamp="s", actor=ANA)
    with refused("not_empty"):
        await run(stage, mirror.engine)
    assert not await stage.pool.restoring()
    with refused("not_empty"):
        await run(stage, mirror.engine, dry_run=True)
    result = await run(stage, mirror.engine, merge=True)
    assert (result.restored, result.known, result.leases) == (3, 1, 0)
    known = await stage.pool.spec(ids[0])
    assert known is not None
    assert known.password == "new"
    assert await stage.status(ids[0]) == "free"


class CutPool(Pool):
    """Its process dies before a batch."""

    def __init__(self, of: Pool, batch: int) -> None:
        super().__init__(of.redis, of.name, clock=of.clock)
        self._left = batch

    async def restore(self, *args: Any, **options: Any) -> Any:
        if not self._left:
            raise KeyboardInterrupt
        self._left -= 1
        return await super().restore(*args, **options)


async def test_a_cut_restore_hands_nothing_out_and_is_done_again(
    stage: Stage, mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.mirror.restore.BATCH", 3)
    await stage.add(10)
    for number in range(5):
        await stage.active(f"i{number}")
    await mirror.catch_up()
    before = await whole(stage)
    await emptied(stage)
    for batch in (0, 1, 2):
        with pytest.raises(KeyboardInterrupt):
            await restore(CutPool(stage.pool, batch), mirror.engine, actor=ANA)
        await stage.open()
        with refused("restoring"):
            await stage.try_acquire("newcomer", human=True)
    await mirror.catch_up()
    with refused("restoring"):
        await Comparer(mirror).compare()
    result = await run(stage, mirror.engine)
    assert (result.restored, result.known) == (4, 6)
    assert await whole(stage) == before
    with refused("not_reconciled", "a"):
        await stage.try_acquire("newcomer")


class BegunPool(Pool):
    """A restore begins just before the first time that proxies are read."""

    begun = False

    async def snapshots(self, proxy_ids: Any) -> Any:
        if not self.begun:
            self.begun = True
            await self.begin_restore("r1", after=EventId(0, 0), token=0, merge=True, actor=ANA)
        return await super().snapshots(proxy_ids)


async def test_a_comparison_under_way_takes_nothing_for_removed(stage: Stage, mirror: Mirror) -> None:
    ids = await stage.add(4)
    await mirror.catch_up()
    [one] = [snapshot for snapshot in await stage.pool.snapshots(ids) if snapshot.id == ids[0]]
    await stage.redis.delete(stage.pool.keys.proxy(one.id))
    pool = BegunPool(stage.redis, stage.pool.name, clock=stage.clock)
    with refused("restoring"):
        await Comparer(Mirror(pool, mirror.engine)).compare()
    assert not await rows(mirror.engine, PROXIES, PROXIES.c.removed_at.is_not(None))


@pytest.mark.parametrize(
    "edited",
    [
        {"host": "10.9.9.9"},
        {"password": "as people write it"},
        {"protocol": "ftp"},
        {"port": -1},
        {"status": "lent"},
        {"labels": None},
        {"state": []},
        {"phase": "kept"},
        {"waits": "row"},
        {"instance_id": None},
        {"assigned_instance_name": None},
    ],
)
async def test_an_edited_row_is_left_out_and_named(stage: Stage, mirror: Mirror, edited: dict[str, Any]) -> None:
    await stage.add(3)
    lease = await stage.active()
    await mirror.catch_up()
    await write(mirror.engine, update(PROXIES).where(PROXIES.c.id == lease.proxy_id).values(edited))
    await emptied(stage)
    result = await run(stage, mirror.engine)
    assert (result.restored, result.leases, result.damaged) == (2, 0, [lease.proxy_id])
    assert_invariants(await dump(stage.redis, stage.pool.keys.root), stage.clock.now())


async def test_two_leases_of_one_instance_are_one(stage: Stage, mirror: Mirror) -> None:
    await stage.add(2)
    await stage.active("i1")
    await stage.active("i2")
    await mirror.catch_up()
    await write(mirror.engine, update(PROXIES).values(instance_id="i1"))
    await emptied(stage)
    result = await run(stage, mirror.engine)
    assert (result.restored, result.leases, result.unleased) == (2, 1, 1)
    assert_invariants(await dump(stage.redis, stage.pool.keys.root), stage.clock.now())


async def test_passwords_come_back_under_the_first_key(stage: Stage, mirror: Mirror) -> None:
    [proxy_id, other] = await stage.add(2)
    stage.pool.vault = Vault(["old"])
    await stage.pool.use_key()
    await stage.pool.update(proxy_id, actor=ANA, password="secret")
    await mirror.catch_up()
    await emptied(stage)
    stage.pool.vault = Vault(["wrong"])
    with pytest.raises(VaultError):
        await run(stage, mirror.engine)
    assert not await stage.pool.restoring()
    stage.pool.vault = Vault(["new", "old"])
    await run(stage, mirror.engine)
    stage.pool.vault = Vault(["new"])
    await stage.pool.use_key()
    found = [await stage.pool.spec(one) for one in (proxy_id, other)]
    assert [one and one.password for one in found] == ["secret", "p"]
    assert (await stage.raw("meta"))["keys"] == stage.pool.vault.key_id


async def test_what_was_removed_stays_removed(stage: Stage, mirror: Mirror) -> None:
    ids = await stage.add(3)
    await stage.pool.remove(ids[0], actor=ANA)
    await mirror.catch_up()
    await emptied(stage)
    assert (await run(stage, mirror.engine)).restored == 2
    assert await stage.pool.unknown(ids) == [ids[0]]


@pytest.mark.parametrize("resumed", [False, True])
async def test_a_pause_is_kept(stage: Stage, mirror: Mirror, resumed: bool) -> None:
    await stage.add()
    await stage.pool.pause(paused=True, actor=ANA)
    if resumed:
        await stage.pool.pause(paused=False, actor=ANA)
    await mirror.catch_up()
    await emptied(stage)
    assert (await run(stage, mirror.engine)).paused is not resumed
    assert await stage.pool.paused() is not resumed


async def test_an_instance_that_a_human_released_is_left_alone(stage: Stage, mirror: Mirror) -> None:
    await stage.add(4)
    for number, actor in enumerate(["token:ana", "cli:bob", "auto"]):
        lease = await stage.active(f"i{number}")
        await stage.pool.begin_release(lease, Waits.ROW, reason="by hand", unmanage=actor != "auto", actor=actor)
        await stage.pool.finish_release(await stage.lease(lease.proxy_id), Evidence.GONE)
    await stage.pool.unmanage("a", "i3", unmanaged=True, actor="token:ana")
    await stage.pool.acquire("a", [Wish("i1", "name-i1")], reason="by hand", human=True, actor="jwt:eva")
    assert await stage.pool.unmanaged("a") == {"i0", "i3"}
    await mirror.catch_up()
    await emptied(stage)
    assert (await run(stage, mirror.engine)).unmanaged == 2
    assert await stage.pool.unmanaged("a") == {"i0", "i3"}


async def test_the_table_of_another_pool_is_none(stage: Stage, mirror: Mirror) -> None:
    await stage.add()
    await mirror.catch_up()
    with pytest.raises(SettingsError, match="mirrors the pool test"):
        await restore(Pool(stage.redis, "another", clock=stage.clock), mirror.engine, actor=ANA)


async def test_a_table_that_came_without_its_position(stage: Stage, mirror: Mirror) -> None:
    """From a dump of the table that people know."""
    await stage.add(2)
    await mirror.catch_up()
    [*_, last] = await rows(mirror.engine, EVENTS)
    await write(mirror.engine, delete(POSITION))
    stage.clock.move(-HOUR)
    await stage.redis.flushall()
    assert (await run(stage, mirror.engine)).restored == 2
    assert int(await stage.pool.epoch()) > last["epoch"]


async def test_an_empty_table_restores_nothing(stage: Stage, engine: AsyncEngine) -> None:
    with refused("nothing_to_restore"):
        await run(stage, engine)
    assert not await stage.pool.restoring()


async def test_two_at_once_are_one(stage: Stage, mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second takes over; the first notices with its next batch."""
    monkeypatch.setattr("service.mirror.restore.BATCH", 2)
    await stage.add(6)
    await mirror.catch_up()
    await emptied(stage)

    class OvertakenPool(Pool):
        async def restore(self, *args: Any, **options: Any) -> Any:
            found = await super().restore(*args, **options)
            await run(stage, mirror.engine)
            return found

    with pytest.raises(RefusedError) as caught:
        await restore(OvertakenPool(stage.redis, stage.pool.name, clock=stage.clock), mirror.engine, actor=ANA)
    assert caught.value.code == "stale"
    assert await stage.pool.size() == 6
    assert not await stage.pool.restoring()


async def test_a_service_that_was_running_goes_on_behind_it(stage: Stage, mirror: Mirror) -> None:
    """Its connections outlive FLUSHALL, so nothing says that the pool is a new one."""
    await stage.add(20)
    lease = await stage.active()
    await stage.see(row=lease.proxy_id)
    comparer = Comparer(mirror)
    assert await comparer.compare_if_due() == Comparison(compared=20)
    await stage.redis.flushall()
    stage.clock.move(1000)
    await stage.pool.configure(["a"], events_max=100_000)
    await stage.see(row=lease.proxy_id)
    await stage.pool.note_export("lines", actor=ANA)  # any event begins an epoch
    await stage.pool.mark_read("a", epoch=await stage.pool.epoch(), listed=1)
    await mirror.catch_up()
    assert (await stage.pool.stats()).external == 1
    await run(stage, mirror.engine)
    stage.clock.move(1)
    assert await comparer.compare_if_due() == Comparison(compared=20)
    assert mirror.lost == 0
    assert ((await stage.lease(lease.proxy_id)).holder, (await stage.pool.stats()).external) == ("a/i1", 0)
    with refused("not_reconciled", "a"):
        await stage.try_acquire("newcomer")


async def test_with_a_clock_that_lags_no_id_and_no_token_is_given_twice(stage: Stage, mirror: Mirror) -> None:
    await stage.add()
    lease = await stage.reserved()
    await stage.pool.finish_release(lease, Evidence.GONE)
    await mirror.catch_up()
    history = await rows(mirror.engine, EVENTS)
    stage.clock.move(-HOUR)
    await stage.redis.flushall()
    await run(stage, mirror.engine)
    await stage.open()
    await mirror.catch_up()
    after = await rows(mirror.engine, EVENTS)
    assert after[: len(history)] == history
    assert {"pool.restoring", "proxy.rebuilt", "pool.restored"} <= {row["type"] for row in after[len(history) :]}
    await stage.pool.import_proxies([spec(99)], stamp="s", actor=ANA)
    assert int((await stage.reserved("i2", pin=spec(99).id, human=True)).token) > int(lease.token)
