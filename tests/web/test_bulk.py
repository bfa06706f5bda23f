"""Bulk actions and their jobs: each action by ids and by filter, the counting before, the figures after."""

from __future__ import annotations

from typing import Any

import pytest

from service.evolution.simulator import Simulator
from service.pool.jobs import MOST
from service.pool.tokens import Role
from service.web.context import JOBS
from tests.helpers import wait_until
from tests.web.api import Api, proxy
from tests.web.logins import log_in


async def ask(api: Api, body: dict[str, Any], path: str = "/proxies/bulk") -> dict[str, Any]:
    """The job, once it is over."""
    answer = await api.call("POST", path, body)
    assert answer.status == 202, answer.text
    begun = answer.body
    assert answer.headers["Location"] == f"/api/v1/jobs/{begun['jobId']}"
    assert (begun["id"], begun["actor"], begun["action"]) == (begun["jobId"], "token:the-admin", body["action"])

    async def over() -> Any:
        job = (await api.call("GET", f"/jobs/{begun['jobId']}")).body
        return job if job["endedAt"] else None

    await wait_until(over, what="the job is over")
    job: dict[str, Any] = await over()
    assert job["state"] == "done"
    assert job["done"] == job["changed"] + sum(job["skipped"].values()) + job["failedCount"]
    return job


@pytest.fixture
async def idle(api: Api) -> Api:
    """Nobody works on the jobs."""
    await api.client.app[JOBS].stop(5)
    return api


async def mixed(api: Api) -> list[str]:
    """Six proxies of group ``br`` with a label: the first is disabled, the last used by ``one``."""
    ids = await api.add(6, group="br", labels=("old",))
    for proxy_id in ids[:-1]:
        await api.pool.disable(proxy_id, reason="by_hand", actor="cli:test")
    await api.assigned("one")
    for proxy_id in ids[1:-1]:
        await api.pool.enable(proxy_id, actor="cli:test")
    return ids


async def told(api: Api, event: str) -> list[dict[str, str]]:
    """The events of what the administrator did."""
    return [one for one in await api.events(event) if one["actor"] == "token:the-admin"]


ACTIONS: list[tuple[dict[str, Any], dict[str, int], str, int]] = [
    ({"action": "disable"}, {"unchanged": 1}, "proxy.disabled", 5),
    ({"action": "enable"}, {"unchanged": 5}, "proxy.enabled", 1),
    ({"action": "remove"}, {"held": 1}, "proxy.removed", 5),
    ({"action": "setGroup", "group": "us"}, {}, "proxy.updated", 6),
    ({"action": "setGroup", "group": "br"}, {"unchanged": 6}, "proxy.updated", 0),
    ({"action": "setLabels", "labels": []}, {}, "proxy.updated", 6),
    ({"action": "addLabels", "labels": ["old", "new"]}, {}, "proxy.updated", 6),
    ({"action": "removeLabels", "labels": ["none"]}, {"unchanged": 6}, "proxy.updated", 0),
    ({"action": "rotate"}, {"no_lease": 5}, "lease.rotated", 1),
    ({"action": "release"}, {"no_lease": 5}, "lease.releasing", 1),
]


@pytest.mark.parametrize("chosen", ["ids", "filter"])
@pytest.mark.parametrize(("wish", "skipped", "event", "changed"), ACTIONS)
async def test_each_action(
    api: Api, sim: Simulator, wish: dict[str, Any], skipped: dict[str, int], event: str, changed: int, chosen: str
) -> None:
    sim.create("one", state="close")
    ids = await mixed(api)
    body = {**wish, "ids": ids} if chosen == "ids" else {**wish, "filter": {"group": "br"}}
    before = await api.get("/stats")
    foreseen = await api.call("POST", "/proxies/bulk", {**body, "dryRun": True})
    assert (foreseen.status, foreseen.body) == (
        200,
        {"matched": 6, "willChange": changed, "skipped": skipped, "more": False},
    )
    assert (await api.get("/stats"))["groups"] == before["groups"]
    assert await told(api, event) == []
    job = await ask(api, body)
    assert (job["changed"], job["skipped"], job["failed"]) == (changed, skipped, [])
    assert job["total"] == (6 if chosen == "ids" else None)
    assert len(await told(api, event)) == changed
    assert [one["actor"] for one in await api.events("job.created", "job.ended")] == ["token:the-admin"] * 2


async def test_what_becomes_of_them(api: Api) -> None:
    ids = await api.add(3, labels=("old",))
    await ask(api, {"action": "addLabels", "ids": ids[:2], "labels": ["new"]})
    await ask(api, {"action": "removeLabels", "ids": ids[1:], "labels": ["old"]})
    assert [(await api.get(f"/proxies/{one}"))["labels"] for one in ids] == [["old", "new"], ["new"], []]
    await ask(api, {"action": "setGroup", "filter": {"label": "new"}, "group": "us"})
    await ask(api, {"action": "disable", "filter": {"group": "us"}})
    assert [(await api.get(f"/proxies/{one}"))["status"] for one in ids] == ["disabled", "disabled", "free"]
    await ask(api, {"action": "remove", "filter": {"status": "disabled", "q": "192.0.2.1:"}})
    assert (await api.get("/stats"))["total"] == 2


async def test_unknown_ids_are_skipped_and_repeated_ones_are_one(api: Api) -> None:
    [proxy_id] = await api.add()
    job = await ask(api, {"action": "disable", "ids": [proxy_id, "none", proxy_id]})
    assert (job["total"], job["changed"], job["skipped"]) == (2, 1, {"unknown_proxy": 1})


async def test_two_thousand(api: Api) -> None:
    specs = [proxy(1, host=f"10.1.{number // 250}.{number % 250 + 1}", group="many") for number in range(2000)]
    for start in (0, 1000):
        await api.pool.import_proxies(specs[start : start + 1000], stamp="test", actor="cli:test")
    job = await ask(api, {"action": "disable", "filter": {"group": "many"}})
    assert (job["done"], job["changed"]) == (2000, 2000)
    assert (await api.get("/stats"))["disabled"] == 2000


async def test_instances_by_name_and_by_filter(api: Api, sim: Simulator) -> None:
    await api.add(4)
    for name in ("one", "two"):
        sim.create(name, state="close")

    async def seen() -> bool:
        return bool((await api.get("/stats"))["instances"].get("close") == 2)

    await wait_until(seen, what="both are seen")
    body = {"action": "assign", "names": ["one", "nobody"]}
    foreseen = await api.call("POST", "/instances/bulk", {**body, "dryRun": True})
    assert (foreseen.body["willChange"], foreseen.body["skipped"]) == (1, {"unknown_instance": 1})
    job = await ask(api, body, "/instances/bulk")
    assert (job["target"], job["changed"], job["skipped"]) == ("instances", 1, {"unknown_instance": 1})
    job = await ask(api, {"action": "assign", "filter": {"state": "close"}}, "/instances/bulk")
    assert (job["changed"], job["skipped"]) == (1, {"unchanged": 1})
    job = await ask(api, {"action": "rotate", "names": ["two"], "server": "a"}, "/instances/bulk")
    assert job["changed"] == 1
    job = await ask(api, {"action": "release", "filter": {"q": "one"}, "force": True}, "/instances/bulk")
    assert job["changed"] == 1
    assert (await api.get("/instances/one"))["proxyId"] is None
    answer = await api.call("POST", "/instances/bulk", {**body, "server": "none"})
    assert (answer.status, answer.code) == (404, "not_configured")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"ids": None}, "ids"),
        ({"ids": []}, "ids"),
        ({"ids": ["x"] * 10_001}, "ids"),
        ({"ids": ["x" * 65]}, "ids.0"),
        ({"filter": {}}, "ids"),
        ({"filter": {"state": "open"}, "ids": None}, "filter.state"),
        ({"filter": {"status": "lost"}, "ids": None}, "filter.status"),
        ({"action": "destroy"}, "action"),
        ({"action": None}, "action"),
        ({"action": "setGroup"}, "group"),
        ({"action": "setGroup", "group": "x" * 101}, "group"),
        ({"action": "addLabels"}, "labels"),
        ({"action": "setLabels", "labels": ["x" * 101]}, "labels.0"),
        ({"action": "setLabels", "labels": [str(number) for number in range(17)]}, "labels"),
        ({"labels": ["x"]}, "labels"),
        ({"group": "x"}, "group"),
        ({"action": "remove", "force": True}, "force"),
        ({"force": "yes"}, "force"),
        ({"names": ["x"]}, "names"),
    ],
)
async def test_bad_wishes_for_proxies(idle: Api, change: dict[str, Any], field: str) -> None:
    answer = await idle.call("POST", "/proxies/bulk", {"action": "disable", "ids": ["x"], **change})
    assert (answer.status, answer.body["field"]) == (422, field)
    assert await idle.pool.jobs() == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"names": None}, "names"),
        ({"names": ["x"] * 1001}, "names"),
        ({"filter": {}}, "names"),
        ({"filter": {"list": "all"}, "names": None}, "filter.list"),
        ({"filter": {}, "names": None, "server": "a"}, "server"),
        ({"action": "disable"}, "action"),
        ({"action": "release", "group": "x"}, "group"),
        ({"force": True}, "force"),
    ],
)
async def test_bad_wishes_for_instances(idle: Api, change: dict[str, Any], field: str) -> None:
    answer = await idle.call("POST", "/instances/bulk", {"action": "assign", "names": ["x"], **change})
    assert (answer.status, answer.body["field"]) == (422, field)
    assert await idle.pool.jobs() == []


async def test_jobs_are_listed_and_cancelled(idle: Api) -> None:
    ids = await idle.add(2)
    first, second = [
        (await idle.call("POST", "/proxies/bulk", {"action": "disable", "ids": [one]})).body["jobId"] for one in ids
    ]
    listed = (await idle.call("GET", "/jobs")).body
    assert {job["id"]: job["state"] for job in listed["items"]} == {first: "queued", second: "queued"}
    assert (await idle.call("DELETE", f"/jobs/{first}")).status == 204
    again = await idle.call("DELETE", f"/jobs/{first}")
    assert (again.status, again.code) == (409, "job_over")
    assert (await idle.call("GET", f"/jobs/{first}")).body["state"] == "cancelled"
    for method in ("GET", "DELETE"):
        answer = await idle.call(method, "/jobs/none")
        assert (answer.status, answer.code) == (404, "unknown_job")
    idle.client.app[JOBS].loop.start()

    async def done() -> bool:
        return bool((await idle.call("GET", f"/jobs/{second}")).body["state"] == "done")

    await wait_until(done, what="the other one goes on")
    assert [event["proxy"] for event in await idle.events("proxy.disabled")] == [ids[1]]


@pytest.mark.parametrize("by", ["token", "session"])
async def test_a_job_ends_with_the_token_that_asked_for_it(idle: Api, monkeypatch: pytest.MonkeyPatch, by: str) -> None:
    """At the next batch, and without a look at the token for each thing."""
    text = await idle.pool.create_token("robot", Role.ADMIN, actor="cli:test")
    headers = {"Authorization": f"Bearer {text}"} if by == "token" else (await log_in(idle, text=text)).headers
    body = {"action": "disable", "ids": await idle.add(3)}
    begun = (await idle.call("POST", "/proxies/bulk", body, role=None, headers=headers)).body
    monkeypatch.setattr("service.control.jobs.PAGE", 1)
    await idle.client.app[JOBS].step()
    await idle.pool.revoke_token("robot", actor="cli:test")
    for _ in range(2):
        await idle.client.app[JOBS].step()
    job = (await idle.call("GET", f"/jobs/{begun['jobId']}")).body
    assert (job["state"], job["done"], job["endedAt"] is None) == ("revoked", 1, False)
    assert len(await idle.events("proxy.disabled")) == 1
    [ended] = await idle.events("job.ended")
    assert (ended["actor"], ended["state"]) == ("auto", "revoked")


async def test_the_line_is_full(idle: Api) -> None:
    for _ in range(MOST):
        assert (await idle.call("POST", "/proxies/bulk", {"action": "disable", "ids": ["x"]})).status == 202
    answer = await idle.call("POST", "/proxies/bulk", {"action": "disable", "ids": ["x"]})
    assert (answer.status, answer.code) == (409, "too_many_jobs")


async def test_the_same_key_makes_one_job(idle: Api) -> None:
    body = {"action": "disable", "filter": {}}
    first, second = [
        await idle.call("POST", "/proxies/bulk", body, headers={"Idempotency-Key": "once"}) for _ in range(2)
    ]
    assert (first.status, first.body) == (second.status, second.body)
    assert len(await idle.pool.jobs()) == 1
    for key in await idle.pool.redis.keys(idle.pool.keys.named("op:*")):  # ten minutes later
        await idle.pool.redis.delete(key)
    third = await idle.call("POST", "/proxies/bulk", body, headers={"Idempotency-Key": "once"})
    assert (third.status, third.body["jobId"]) == (202, first.body["jobId"])
    assert len(await idle.events("job.created")) == 1
    for key in await idle.pool.redis.keys(idle.pool.keys.named("op:*")):
        await idle.pool.redis.delete(key)
    other = await idle.call("POST", "/proxies/bulk", {**body, "action": "enable"}, headers={"Idempotency-Key": "once"})
    assert (other.status, other.body["action"]) == (202, "enable")


async def test_the_loop_is_watched(idle: Api) -> None:
    async with idle.client.get("/readyz") as answer:
        assert (answer.status, (await answer.json())["parts"]["jobs"]) == (503, "dead")
    idle.client.app[JOBS].loop.start()
    async with idle.client.get("/readyz") as answer:
        assert (await answer.json())["parts"]["jobs"] == "ok"
    text = await idle.client.get("/metrics", headers={"Authorization": f"Bearer {idle.tokens[Role.VIEWER]}"})
    assert 'loop="jobs"' in await text.text()
