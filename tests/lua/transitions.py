"""Each transition once: what leads to it, and the call.

For what has to hold of all of them: the replay, the lost reply, the cluster, the restricted user.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from service.models import ProxySpec
from service.pool.batches import Claim, Sighting, Wish
from service.pool.jobs import Progress, State, Target
from service.pool.models import Evidence, Waits
from service.pool.pool import Pool
from service.pool.records import Snapshot
from service.pool.sealing import Resealed
from service.pool.stream import START, EventId
from service.pool.tokens import Role
from tests.lua.stage import HOUR, Stage, spec

Call = Callable[[Pool], Awaitable[object]]
Transition = Callable[[Stage], Awaitable[Call]]

TRANSITIONS: dict[str, Transition] = {}


def _transition(prepare: Transition) -> Transition:
    TRANSITIONS[prepare.__name__.strip("_")] = prepare
    return prepare


@_transition
async def abandon(stage: Stage) -> Call:
    await stage.add(2)
    lease = await stage.reserved()
    return lambda pool: pool.abandon(lease, "refused")


@_transition
async def acquire(stage: Stage) -> Call:
    await stage.add(3)
    await stage.see()
    return lambda pool: pool.acquire("a", [Wish("i1", "name-i1"), Wish("i2", "name-i2")], reason="connected")


@_transition
async def adopt(stage: Stage) -> Call:
    [proxy_id] = await stage.add()
    await stage.see(row=proxy_id)
    stage.clock.move(1)
    return lambda pool: pool.adopt("a", [Claim("i1", "name-i1", proxy_id)])


@_transition
async def begin_clear(stage: Stage) -> Call:
    await stage.add()
    lease = await stage.releasing()
    return lambda pool: pool.begin_clear(lease)


@_transition
async def begin_release(stage: Stage) -> Call:
    await stage.add()
    lease = await stage.active()
    return lambda pool: pool.begin_release(lease, Waits.ROW, reason="human", unmanage=True)


@_transition
async def begin_restore(stage: Stage) -> Call:
    after = EventId(stage.clock.at + 5, 1)
    return lambda pool: pool.begin_restore("r1", after=after, token=7, merge=False, actor="cli:ana")


@_transition
async def brake(stage: Stage) -> Call:
    return lambda pool: pool.brake("a", "release", engaged=True, reason="shrunken list")


@_transition
async def cancel_release(stage: Stage) -> Call:
    await stage.add()
    lease = await stage.releasing()
    return lambda pool: pool.cancel_release(lease)


@_transition
async def configure(stage: Stage) -> Call:
    await stage.see()
    return lambda pool: pool.configure(["b", "c"], events_max=50)


@_transition
async def confirm(stage: Stage) -> Call:
    await stage.add()
    await stage.see()
    lease = await stage.reserved()
    return lambda pool: pool.confirm(lease)


@_transition
async def disable(stage: Stage) -> Call:
    [proxy_id] = await stage.add()
    return lambda pool: pool.disable(proxy_id, reason="human", actor="cli:ana")


@_transition
async def enable(stage: Stage) -> Call:
    [proxy_id] = await stage.add()
    await stage.pool.disable(proxy_id, reason="human", actor="cli:ana")
    return lambda pool: pool.enable(proxy_id, actor="cli:ana")


@_transition
async def expire_reservation(stage: Stage) -> Call:
    await stage.add()
    await stage.pool.reserve("a", "shop", reservation="r1", expires_at=stage.clock.at + 1, actor="token:x")
    stage.clock.move(1)
    return lambda pool: pool.expire_reservation("a", "r1")


@_transition
async def export(stage: Stage) -> Call:
    await stage.add()
    return lambda pool: pool.note_export("lines", actor="token:ana")


@_transition
async def finish_release(stage: Stage) -> Call:
    await stage.add()
    lease = await stage.active(owner="5511")
    return lambda pool: pool.finish_release(lease, Evidence.GONE, rest_ms=HOUR, rest_reason="orphan", unmanage=True)


@_transition
async def finish_restore(stage: Stage) -> Call:
    await stage.pool.begin_restore("r1", after=START, token=0, merge=False, actor="cli:ana")
    return lambda pool: pool.finish_restore("r1", source="sql", proxies=3, actor="cli:ana")


@_transition
async def forget_instance(stage: Stage) -> Call:
    [proxy_id] = await stage.add()
    await stage.see(row=proxy_id)
    return lambda pool: pool.forget_instance("a", "i1")


@_transition
async def forget_server(stage: Stage) -> Call:
    await stage.add(2)
    await stage.see()
    await stage.tail()
    await stage.pool.configure([], events_max=50)
    return lambda pool: pool.forget_server("a", actor="cli:ana", rest_ms=HOUR)


@_transition
async def ignore_server(stage: Stage) -> Call:
    return lambda pool: pool.ignore_server("a", ignored=True, actor="cli:ana")


@_transition
async def import_(stage: Stage) -> Call:
    specs: list[ProxySpec] = [spec(1, expires_at=stage.clock.at + HOUR), spec(2, group="br")]
    return lambda pool: pool.import_proxies(specs, stamp="s1", actor="cli:ana")


async def _job(stage: Stage, job: str = "j1", total: int | None = 2) -> None:
    await stage.pool.create_job(
        job, target=Target.PROXIES, action="disable", task="{}", total=total, actor="jwt:ana", op_id=None
    )


@_transition
async def job_cancel(stage: Stage) -> Call:
    await _job(stage)
    return lambda pool: pool.cancel_job("j1", actor="token:eva")


@_transition
async def job_claim(stage: Stage) -> Call:
    await _job(stage)
    return lambda pool: pool.claim_job("w1", lock_ms=1000)


@_transition
async def job_create(stage: Stage) -> Call:
    return lambda pool: pool.create_job(
        "j1", target=Target.PROXIES, action="disable", task="{}", total=2, actor="token:ana", op_id=None
    )


@_transition
async def job_step(stage: Stage) -> Call:
    await _job(stage)
    await stage.pool.claim_job("w1", lock_ms=1000)
    progress = Progress("", 2, 1, {"unchanged": 1})
    return lambda pool: pool.step_job("j1", progress, holder="w1", lock_ms=1000, state=State.DONE, actor="token:ana")


@_transition
async def mark(stage: Stage) -> Call:
    await stage.add()
    lease = await stage.active()
    return lambda pool: pool.mark(lease, "unknown")


@_transition
async def mark_read(stage: Stage) -> Call:
    epoch = await stage.pool.epoch()
    return lambda pool: pool.mark_read("a", epoch=epoch, listed=3)


@_transition
async def mirrored(stage: Stage) -> Call:
    await stage.add(2)
    epoch = int(await stage.pool.epoch())
    return lambda pool: pool.mirrored(EventId(epoch, 2), keep=0)


@_transition
async def observe(stage: Stage) -> Call:
    [proxy_id] = await stage.add()
    sightings = [Sighting(f"i{number}", f"n{number}", "open", "X", True, row=proxy_id) for number in range(3)]
    return lambda pool: pool.observe("a", [*sightings, Sighting("i9", "n9", "open", "X", True, row=spec(77).id)])


@_transition
async def pause(stage: Stage) -> Call:
    return lambda pool: pool.pause(paused=True, actor="cli:ana")


@_transition
async def quarantine(stage: Stage) -> Call:
    [proxy_id] = await stage.add()
    return lambda pool: pool.quarantine(proxy_id, reason="dead", probation_ms=HOUR, actor="auto")


@_transition
async def refuse_release(stage: Stage) -> Call:
    await stage.add()
    lease = await stage.releasing()
    for _ in range(5):
        await stage.pool.refuse_release(lease, "400")
    return lambda pool: pool.refuse_release(lease, "400")


@_transition
async def remove(stage: Stage) -> Call:
    [proxy_id] = await stage.add()
    return lambda pool: pool.remove(proxy_id, actor="cli:ana")


@_transition
async def renew_epoch(stage: Stage) -> Call:
    life = (await stage.raw("meta"))["life"]
    return lambda pool: pool.renew_epoch(life, behind=True)


@_transition
async def reseal(stage: Stage) -> Call:
    [proxy_id] = await stage.add()
    await stage.pool.reseal("begin", actor="cli:ana")
    item = Resealed(proxy_id, "plain:p", "sealed:xyz", "0" * 24)
    return lambda pool: pool.reseal("page", [item], actor="cli:ana")


@_transition
async def reserve(stage: Stage) -> Call:
    await stage.add(2)
    at = stage.clock.at + HOUR
    return lambda pool: pool.reserve("a", "shop", reservation="r1", expires_at=at, actor="token:x")


@_transition
async def restore(stage: Stage) -> Call:
    [proxy_id, other] = await stage.add(2)
    await stage.active()
    [gone] = await stage.pool.snapshots([other])
    await stage.pool.remove(other, actor="cli:ana")
    held = {"server": "a", "instance": "i2", "name": "n2", "token": "7", "phase": "active", "tail": "0"}
    await stage.pool.begin_restore("r1", after=START, token=7, merge=True, actor="cli:ana")
    back = [Snapshot(other, {**gone.proxy, "status": "used"}, held), Snapshot(proxy_id, gone.proxy, {})]
    return lambda pool: pool.restore("r1", back, actor="cli:ana")


@_transition
async def rotate(stage: Stage) -> Call:
    await stage.add(3)
    lease = await stage.active()
    return lambda pool: pool.rotate(lease, reason="signs")


@_transition
async def row_cleared(stage: Stage) -> Call:
    await stage.add()
    lease = await stage.releasing()
    return lambda pool: pool.row_cleared(lease, "off")


@_transition
async def sign(stage: Stage) -> Call:
    await stage.add()
    lease = await stage.active()
    stage.clock.move(1)
    evidence = {"seen_at": stage.clock.at, "gap_ms": 10_000, "window_ms": 300_000, "most": 3}
    return lambda pool: pool.sign(lease, "close", **evidence)


@_transition
async def snapshot(stage: Stage) -> Call:
    return lambda pool: pool.note_snapshot(actor="token:ana")


@_transition
async def suspect(stage: Stage) -> Call:
    return lambda pool: pool.suspect("a", suspected=True, reason="4 of 9 at once")


@_transition
async def sweep(stage: Stage) -> Call:
    [proxy_id, _] = await stage.add(2, expires_at=stage.clock.at + HOUR)
    await stage.pool.quarantine(proxy_id, reason="dead", probation_ms=HOUR, actor="auto")
    stage.clock.move(HOUR)
    return lambda pool: pool.sweep(limit=10)


@_transition
async def sync(stage: Stage) -> Call:
    await stage.add(3)
    return lambda pool: pool.sync(stamp="s1", cursor="", limit=2, actor="cli:ana")


@_transition
async def unmanage(stage: Stage) -> Call:
    await stage.see()
    return lambda pool: pool.unmanage("a", "i1", unmanaged=True, actor="cli:ana")


@_transition
async def update(stage: Stage) -> Call:
    [proxy_id] = await stage.add()
    return lambda pool: pool.update(proxy_id, actor="cli:ana", group="br", password="new")


@_transition
async def use_key(stage: Stage) -> Call:
    return lambda pool: pool.use_key(actor="cli:ana")


async def read_everything(stage: Stage) -> None:
    """Each script that only reads, on a pool that holds something of each kind."""
    await stage.add(2)
    await stage.see()
    await stage.tail()
    stats = await stage.pool.stats()
    assert (stats.counts.used, stats.reserved, stats.releasing) == (2, 1, 1)
    assert len((await stage.pool.page())[1]) == 2
    assert len((await stage.pool.page_instances())[1]) == 1
    ids = await stage.pool.page_ids("", 10)
    assert (await stage.pool.size(), len(await stage.pool.snapshots(ids))) == (2, 2)
    assert await stage.pool.unknown([*ids, "x"]) == ["x"]
    assert (await stage.pool.read_events(START, 10)).events
    assert not await stage.pool.restoring()
    assert await stage.pool.reserved_names("a") == set()
    assert await stage.pool.waiting_since(await stage.pool.mirrored_to()) is not None
    assert [one async for one in stage.pool.check() if not isinstance(one, int)] == []
    assert (await stage.pool.explain("a", Wish("i2", "name-i2", group="br"))).outcome.word == "NO_PROXY_AVAILABLE"


@_transition
async def reveal(stage: Stage) -> Call:
    [proxy_id] = await stage.add()
    return lambda pool: pool.reveal(proxy_id, actor="token:ana")


@_transition
async def seen(stage: Stage) -> Call:
    await stage.pool.set_superadmin("t" * 43)
    token = await stage.pool.token_of("t" * 43)
    _, session = await stage.pool.open_session("token:superadmin", Role.SUPERADMIN, token=token, secret="s" * 43)
    stage.clock.move(1)
    return lambda pool: pool.seen(token="superadmin", session=session.id)


@_transition
async def session_end(stage: Stage) -> Call:
    _, session = await stage.pool.open_session("jwt:ana", Role.ADMIN, secret="s" * 43)
    return lambda pool: pool.end_session(session.id, reason="logout", actor="jwt:ana")


@_transition
async def session_open(stage: Stage) -> Call:
    return lambda pool: pool.open_session("jwt:ana", Role.ADMIN, secret="s" * 43)


@_transition
async def token_create(stage: Stage) -> Call:
    return lambda pool: pool.set_superadmin("a long secret")


@_transition
async def token_revoke(stage: Stage) -> Call:
    await stage.pool.set_superadmin("a long secret")
    return lambda pool: pool.revoke_token("superadmin", actor="cli:ana")
