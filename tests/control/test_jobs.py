"""Jobs: each thing once, however often the work is cut; one worker at a time."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from service.audit import InstanceSearch, ProxySearch
from service.control import jobs
from service.control.bulk import Task
from service.control.bulk_instances import OnInstances
from service.control.bulk_proxies import OnProxies
from service.control.jobs import Jobs, foresee
from service.errors import StoreUnavailableError
from service.evolution.simulator import Condition, Fault
from service.pool.jobs import Job, State, Target
from service.pool.models import Instance
from tests.control.scene import MINUTE, Scene, spec
from tests.helpers import wait_until

ACTOR = "jwt:ana"


def on_proxies(action: str, *ids: str, **fields: Any) -> Task:
    return Task(Target.PROXIES, action, ids=ids, **fields)


def on_instances(action: str, *names: str, **fields: Any) -> Task:
    return Task(Target.INSTANCES, action, ids=names, **fields)


async def ask(scene: Scene, task: Task, job: str = "j1") -> None:
    await scene.pool.create_job(
        job, target=task.target, action=task.action, task=task.text(), total=task.total, actor=ACTOR, op_id=None
    )


async def job_of(scene: Scene, job: str = "j1") -> Job:
    found = await scene.pool.job(job)
    assert found is not None
    return found


async def finish(scene: Scene, worker: Jobs | None = None) -> Job:
    """Steps until the job is over."""
    worker = worker or Jobs(scene.controller)
    for _ in range(1000):
        job = await job_of(scene)
        if job.state not in (State.QUEUED, State.RUNNING):
            return job
        await worker.step()
    raise AssertionError("the job does not end")


async def done(scene: Scene, task: Task) -> Job:
    await ask(scene, task)
    return await finish(scene)


def test_a_task_is_stored_whole() -> None:
    for task in (
        on_proxies("setLabels", "a", "b", labels=("x", "y")),
        on_proxies("disable", proxies=ProxySearch(q="x", status="used", expires_before=5), force=True),
        on_instances("assign", instances=InstanceSearch(q="x", list="spent"), group="br"),
    ):
        assert Task.of(task.text()) == task


async def test_a_big_filter_in_batches(scene: Scene) -> None:
    ids = await scene.add(450, first=4, group="br")
    job = await done(scene, on_proxies("disable", proxies=ProxySearch(group="br")))
    assert (job.state, job.progress.done, job.progress.changed, job.total) == (State.DONE, 450, 450, None)
    events = await scene.events("proxy.disabled")
    assert sorted(event["proxy"] for event in events) == sorted(ids)
    assert {event["actor"] for event in events} == {ACTOR}


async def test_what_a_crash_cut_goes_on_and_each_thing_changes_once(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "PAGE", 10)
    ids = await scene.add(35, first=4)
    await ask(scene, on_proxies("disable", *ids))
    first, second = Jobs(scene.controller), Jobs(scene.controller)
    await first.step()
    keep = scene.pool.step_job

    async def lost(*_: Any, **__: Any) -> State:
        raise StoreUnavailableError(store="redis")

    monkeypatch.setattr(scene.pool, "step_job", lost)
    with pytest.raises(StoreUnavailableError):
        await first.step()
    monkeypatch.setattr(scene.pool, "step_job", keep)
    assert len(await scene.events("proxy.disabled")) == 20
    await second.step()
    assert (await job_of(scene)).progress.done == 10, "the lock of the dead still holds"
    scene.clock.move(MINUTE)
    job = await finish(scene, second)
    assert (job.state, job.progress.done, job.progress.changed, job.progress.skipped) == (
        State.DONE,
        35,
        25,
        {"unchanged": 10},
    )
    events = await scene.events("proxy.disabled")
    assert sorted(event["proxy"] for event in events) == sorted(ids)


async def test_a_stop_lets_go_at_once(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "PAGE", 1)
    ids = await scene.add(3, first=4)
    await ask(scene, on_proxies("disable", *ids))
    first = Jobs(scene.controller)
    await first.step()
    await first.stop(0.5)
    job = await finish(scene)
    assert (job.state, job.progress.changed) == (State.DONE, 3)


@pytest.mark.parametrize("force", [False, True])
async def test_what_is_rotated_before_its_turn_is_not_released(
    scene: Scene, force: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    instance, act = await scene.served(), OnInstances.act

    async def overtaken(kind: OnInstances, found: Instance, **of: Any) -> None:
        await scene.rotate("x")
        await act(kind, found, **of)

    scene.sim.warts.restart_refused = True
    monkeypatch.setattr(OnInstances, "act", overtaken)
    job = await done(scene, on_instances("release", "x", force=force))
    assert (job.progress.changed, job.progress.skipped) == (0, {"stale": 1})
    assert ((await scene.lease(instance)).proxy_id, await scene.pool.unmanaged("a")) == (spec(2).id, set())


async def test_a_stop_leaves_nothing_running(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    async def act(*_: object, **__: object) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            for _turn in range(10):
                await asyncio.sleep(0)
            ended.set()

    begun, ended = asyncio.Event(), asyncio.Event()
    monkeypatch.setattr(OnProxies, "act", act)
    await ask(scene, on_proxies("disable", *await scene.add(1, first=4)))
    work = asyncio.create_task(Jobs(scene.controller).step())
    await begun.wait()
    work.cancel()
    await asyncio.wait({work})
    assert ended.is_set()


async def test_who_is_busy_keeps_the_job(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "_BEAT", 0.001)
    scene.instance("x", state="close")
    await scene.tick()
    scene.sim.warts.faults.append(Fault("proxy/set", times=1, hang=True))
    await ask(scene, on_instances("assign", "x"))
    work = asyncio.create_task(Jobs(scene.controller).step())
    await scene.held()
    for _ in range(2):
        until = scene.clock.move(20_000) + 30_000

        async def renewed(until: int = until) -> bool:
            return bool(await scene.pool.redis.hget(scene.pool.keys.job("j1"), "until") == str(until))

        await wait_until(renewed, what="the lock is renewed")
    assert await scene.pool.claim_job("another", lock_ms=1) is None
    scene.sim.release()
    await work
    assert (await job_of(scene)).progress.changed == 1


async def test_two_workers_do_nothing_twice(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "PAGE", 5)
    ids = await scene.add(30, first=4)
    await ask(scene, on_proxies("setLabels", *ids, labels=("x",)))
    workers = [Jobs(scene.controller), Jobs(scene.controller)]
    await asyncio.gather(*(finish(scene, worker) for worker in workers))
    job = await job_of(scene)
    assert (job.progress.done, job.progress.changed) == (30, 30)
    assert len(await scene.events("proxy.updated")) == 30


async def test_a_cancelled_one_begins_nothing_more(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "PAGE", 2)
    ids = await scene.add(6, first=4)
    await ask(scene, on_proxies("disable", *ids))
    worker = Jobs(scene.controller)
    await worker.step()
    await scene.pool.cancel_job("j1", actor=ACTOR)
    await worker.step()
    job = await job_of(scene)
    assert (job.state, job.progress.done, len(await scene.events("proxy.disabled"))) == (State.CANCELLED, 2, 2)


async def test_one_that_is_cancelled_just_when_it_is_claimed(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    async def claim_and_cancel(holder: str, *, lock_ms: int) -> str | None:
        job_id = await claim(holder, lock_ms=lock_ms)
        await scene.pool.cancel_job("j1", actor=ACTOR)
        return job_id

    claim = scene.pool.claim_job
    await ask(scene, on_proxies("disable", *await scene.add(2, first=4)))
    monkeypatch.setattr(scene.pool, "claim_job", claim_and_cancel)
    await Jobs(scene.controller).step()
    assert ((await job_of(scene)).state, await scene.events("proxy.disabled")) == (State.CANCELLED, [])


async def test_a_job_of_another_release_fails_and_holds_nobody_up(scene: Scene) -> None:
    await scene.pool.create_job("j1", target=Target.PROXIES, action="x", task="?", total=None, actor=ACTOR, op_id=None)
    await ask(scene, on_proxies("disable", "none"), "j2")
    worker = Jobs(scene.controller)
    with pytest.raises(ValueError, match="json"):
        await worker.step()
    assert (await job_of(scene)).state is State.FAILED
    await worker.step()
    assert (await job_of(scene, "j2")).progress.skipped == {"unknown_proxy": 1}


async def test_rotating_all_moves_each_instance_once(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Although the work comes to the proxies that were given in exchange, too."""
    monkeypatch.setattr(jobs, "_PACED_BATCH", 1)
    await scene.add(5, first=4)
    held = [await scene.lease(await scene.served(name)) for name in ("x", "y", "z")]
    job = await done(scene, on_proxies("rotate", proxies=ProxySearch()))
    assert job.state is State.DONE
    assert (job.progress.changed, job.progress.done) == (3, 8)
    rotated = await scene.events("lease.rotated")
    assert sorted(event["replaces"] for event in rotated) == sorted(lease.proxy_id for lease in held)
    assert {event["actor"] for event in rotated} == {ACTOR}


async def test_used_ones_drain_or_move_with_force(scene: Scene) -> None:
    lease = await scene.lease(instance := await scene.served("x"))
    assert (await done(scene, on_proxies("disable", lease.proxy_id))).progress.changed == 1
    assert (await scene.lease(instance)).token == lease.token
    await ask(scene, on_proxies("disable", lease.proxy_id, force=True), "j2")
    await Jobs(scene.controller).step()
    assert (await job_of(scene, "j2")).progress.changed == 1
    assert (await scene.lease(instance)).proxy_id != lease.proxy_id


async def test_releasing_by_proxy_and_by_instance(scene: Scene) -> None:
    first = await scene.lease(x := await scene.served("x"))
    y = await scene.served("y")
    job = await done(scene, on_proxies("release", first.proxy_id, (await scene.add(1, first=9))[0]))
    assert (job.progress.changed, job.progress.skipped) == (1, {"no_lease": 1})
    await ask(scene, on_instances("release", "y", "nobody", server="a"), "j2")
    await Jobs(scene.controller).step()
    assert (await job_of(scene, "j2")).progress.skipped == {"unknown_instance": 1}
    await scene.ticks(3)
    assert [await scene.find_lease(one) for one in (x, y)] == [None, None]


async def test_assigning_by_filter_counts_what_evolution_refuses(scene: Scene) -> None:
    for number in (1, 2):
        scene.sim.conditions[scene.endpoint(number)] = Condition.DEAD
    for name in ("x", "y"):
        scene.instance(name, state="close")
    await scene.tick()
    job = await done(scene, on_instances("assign", instances=InstanceSearch(state="close")))
    assert (job.progress.done, job.progress.failed_count, job.progress.changed) == (2, 2, 0)
    assert sorted(job.progress.failed) == [("a/x", "evolution_rejected"), ("a/y", "evolution_rejected")]
    await ask(scene, on_instances("assign", "x"), "j2")
    await Jobs(scene.controller).step()
    assert (await job_of(scene, "j2")).progress.changed == 1


async def test_rotating_instances(scene: Scene) -> None:
    await scene.add(3, first=4)
    x, y = await scene.served("x"), await scene.served("y")
    before = {(await scene.lease(one)).proxy_id for one in (x, y)}
    job = await done(scene, on_instances("rotate", instances=InstanceSearch(q="X")))
    assert (job.progress.done, job.progress.changed) == (1, 1)
    assert (await scene.lease(x)).proxy_id not in before
    assert (await scene.lease(y)).proxy_id in before


async def test_a_lease_of_later_is_none_of_its_business(scene: Scene) -> None:
    scene.instance("x", state="close")
    await scene.tick()
    await ask(scene, on_instances("release", "x"))
    scene.clock.move(1)
    await scene.assign("x")
    job = await finish(scene)
    assert job.progress.skipped == {"later_lease": 1}


async def test_labels_that_somebody_else_changes_meanwhile_are_kept(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    [proxy_id] = await scene.add(1, first=4, labels=("old",))
    batch, meddled = OnProxies.batch, False

    async def batch_and_meddle(self: OnProxies, cursor: str, most: int) -> Any:
        nonlocal meddled
        found = await batch(self, cursor, most)
        if not meddled:
            meddled = True
            await scene.pool.update(proxy_id, labels=["old", "theirs"], actor="token:eva")
        return found

    monkeypatch.setattr(OnProxies, "batch", batch_and_meddle)
    assert (await done(scene, on_proxies("addLabels", proxy_id, labels=("ours",)))).progress.changed == 1
    assert (await scene.proxy(proxy_id)).labels == ("old", "theirs", "ours")


async def test_what_is_foreseen_changes_nothing_and_is_bounded(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = await scene.add(30, first=4, group="br")
    await scene.pool.disable(ids[0], reason="by_hand", actor=ACTOR)
    before = await scene.events("proxy.disabled")
    foreseen = await foresee(scene.controller, on_proxies("disable", proxies=ProxySearch(group="br")))
    assert (foreseen.matched, foreseen.will_change, foreseen.skipped, foreseen.more) == (
        30,
        29,
        {"unchanged": 1},
        False,
    )
    foreseen = await foresee(scene.controller, on_proxies("enable", *ids, "none"))
    assert (foreseen.matched, foreseen.will_change, foreseen.skipped) == (31, 1, {"unchanged": 29, "unknown_proxy": 1})
    monkeypatch.setattr(jobs, "PAGE", 10)
    monkeypatch.setattr(jobs, "EXAMINED", 20)
    foreseen = await foresee(scene.controller, on_proxies("enable", *ids))
    assert (foreseen.matched, foreseen.more) == (20, True)
    assert await scene.events("proxy.disabled") == before
