"""Figures, servers, brakes, pause, reservations and readiness."""

from __future__ import annotations

from pathlib import Path

import pytest
from redis.asyncio import Redis

from service.evolution.simulator import Fault, Simulator
from service.pool.tokens import Role
from tests.helpers import wait_until
from tests.web.api import PASSWORD, Api
from tests.web.conftest import serving, settings_for


async def test_every_figure(api: Api, sim: Simulator) -> None:
    await api.add(4)
    sim.create("open", state="open")
    sim.create("closed")
    await wait_until(lambda: _used(api, 1), what="one is used")
    stats = await api.get("/stats")
    wanted = {"total": 4, "used": 1, "available": 3, "utilization": 25.0, "quarantined": 0, "disabled": 0}
    assert {name: stats[name] for name in wanted} == wanted
    assert stats["instances"] == {"open": 1, "close": 1}
    assert stats["brake"] == {"engaged": False, "reason": None, "since": None, "servers": []}
    assert stats["groups"][""]["total"] == 4
    assert [(server["name"], server["leases"], server["read"]) for server in stats["servers"]] == [("a", 1, True)]
    assert (stats["warnings"], stats["unreadServers"]) == ([], [])
    assert stats["mirrorLag"] >= 0
    assert stats["lastPollAt"].endswith("Z")
    assert {"cooling", "reserved", "releasing", "stuck", "external", "unprotected", "notApplied"} <= stats.keys()


async def _used(api: Api, wanted: int) -> bool:
    return bool((await api.get("/stats"))["used"] == wanted)


async def test_an_impossible_figure_is_shown_with_a_warning(api: Api) -> None:
    await api.add(2)
    await api.pool.redis.zadd(api.pool.keys.named("used"), {"ghost": 0})
    stats = await api.get("/stats")
    assert (stats["total"], stats["used"]) == (2, 1)
    assert stats["warnings"] == ["The statuses add up to 3, but there are 2 proxies; run evoproxy check"]


async def test_servers_and_ignoring_one(api: Api) -> None:
    body = await api.get("/servers")
    assert [(server["name"], server["error"]) for server in body["items"]] == [("a", None)]
    assert (await api.get("/servers?limit=1"))["nextCursor"] is None
    assert (await api.call("POST", "/servers/a/ignore")).body == {"name": "a", "ignored": True}
    assert (await api.get("/servers"))["items"][0]["ignored"]
    assert (await api.call("POST", "/servers/a/ignore", {"ignored": False})).body == {"name": "a", "ignored": False}
    assert (await api.call("POST", "/servers/none/ignore")).code == "not_configured"
    assert (await api.call("POST", "/servers/a/ignore", {"ignored": 1})).body["field"] == "ignored"


async def test_the_brake_is_told_and_let_go(api: Api, sim: Simulator) -> None:
    await api.controller.polls["a"].stop()
    await api.pool.brake("a", "release", engaged=True, reason="the list is shrunken")
    await api.pool.brake("a", "set", engaged=True, reason="refusals")
    brake = (await api.get("/stats"))["brake"]
    assert (brake["engaged"], brake["reason"]) == (True, "the list is shrunken")
    assert [(half["server"], half["half"]) for half in brake["servers"]] == [("a", "release"), ("a", "set")]
    answer = await api.call("POST", "/brake/release", {"half": "set"})
    assert [half["half"] for half in answer.body["servers"]] == ["release"]
    assert not (await api.call("POST", "/brake/release")).body["engaged"]
    events = await api.events("brake.released")
    assert {event["actor"] for event in events} == {"token:the-admin"}
    assert (await api.call("POST", "/brake/release", {"server": "none"})).code == "not_configured"
    assert (await api.call("POST", "/brake/release", {"half": "both"})).body["field"] == "half"


async def test_pause_stops_policy_and_not_people(api: Api, sim: Simulator) -> None:
    await api.add(2)
    assert (await api.call("POST", "/pause")).body == {"paused": True}
    assert (await api.get("/stats"))["paused"]
    sim.create("one", state="open")
    await wait_until(lambda: _open(api), what="it is seen")
    assert await _used(api, 0)
    await api.assigned("one")
    assert (await api.call("POST", "/resume", {})).body == {"paused": False}
    assert (await api.call("POST", "/pause", {"for": 5})).body["field"] == "for"


async def _open(api: Api) -> bool:
    return bool((await api.get("/stats"))["instances"].get("open") == 1)


async def test_a_reservation_shows_its_maker_the_password(api: Api) -> None:
    [proxy_id] = await api.add()
    wanted = {"server": "a", "instance": "to be", "ttl": 120}
    made = await api.call("POST", "/reservations", wanted, headers={"Idempotency-Key": "k"})
    assert (made.status, made.body["proxy"]["id"], made.body["proxy"]["password"]) == (201, proxy_id, PASSWORD)
    again = await api.call("POST", "/reservations", wanted, headers={"Idempotency-Key": "k"})
    assert (again.status, again.body) == (201, made.body)
    assert len(await api.events("reservation.made")) == 1
    listed = await api.get(f"/proxies/{proxy_id}")
    assert (listed["password"], listed["reservationId"], listed["instanceId"]) == (
        None,
        made.body["reservationId"],
        None,
    )
    assert (await api.call("POST", "/reservations", wanted)).code == "no_proxy_available"
    assert (await api.call("DELETE", f"/reservations/{made.body['reservationId']}")).status == 204
    answer = await api.call("DELETE", f"/reservations/{made.body['reservationId']}")
    assert (answer.status, answer.code) == (404, "no_reservation")


@pytest.mark.parametrize(
    ("change", "status", "field"),
    [
        ({"ttl": 119}, 422, "ttl"),
        ({"ttl": 901}, 422, "ttl"),
        ({"ttl": "300"}, 422, "ttl"),
        ({"instance": ""}, 422, "instance"),
        ({"instance": None}, 422, "instance"),
        ({"server": 1}, 422, "server"),
        ({"group": "x" * 101}, 422, "group"),
        ({"server": "none"}, 404, None),
        ({"proxyId": "none"}, 404, None),
    ],
)
async def test_bad_reservations(api: Api, change: dict[str, object], status: int, field: str | None) -> None:
    answer = await api.call("POST", "/reservations", {"server": "a", "instance": "x", **change})
    assert (answer.status, answer.body.get("field")) == (status, field)


async def test_before_the_first_reading_nothing_is_handed_out(
    redis: Redis, redis_url: str, tmp_path: Path, sim: Simulator
) -> None:
    sim.create("one")
    sim.warts.faults.append(Fault("instance/fetchInstances", status=500))
    async with serving(settings_for(redis_url, tmp_path, sim)) as api:
        await api.add()
        assert (await api.get("/stats"))["unreadServers"] == ["a"]
        answer = await api.call("POST", "/reservations", {"server": "a", "instance": "x"})
        assert (answer.status, answer.code, answer.body["server"]) == (503, "not_reconciled", "a")
        assert int(answer.headers["Retry-After"]) > 0
        await api.call("POST", "/servers/a/ignore")
        assert (await api.call("POST", "/reservations", {"server": "a", "instance": "x"})).status == 201


async def test_observe_mode_writes_nothing(redis: Redis, redis_url: str, tmp_path: Path, sim: Simulator) -> None:
    sim.create("one", state="open")
    async with serving(settings_for(redis_url, tmp_path, sim, mode="observe", webhook_secret="hush-hush")) as api:
        await api.read_once()
        await api.add()
        for path in ("/proxy", "/proxy/rotate"):
            answer = await api.call("POST", f"/instances/one{path}")
            assert (answer.status, answer.code) == (409, "observe_mode")
        assert (await api.call("DELETE", "/instances/one/proxy")).code == "no_lease"
        reserved = await api.call("POST", "/reservations", {"server": "a", "instance": "two"})
        assert (reserved.status, reserved.code) == (409, "observe_mode")
        sim.webhook_url = str(api.client.make_url("/webhooks/evolution/a/hush-hush"))
        sim.create("three", state="open")
        await wait_until(lambda: api.controller.hints["a"].received > 0, what="a webhook came")
        await wait_until(lambda: _planned(api, {"assign": 2, "restart": 2}), what="the plan is shown")
        assert (await api.get("/stats"))["mode"] == "observe"
        assert (await api.pool.stats()).counts.used == 0
    assert {call.method for call in sim.calls.recent} == {"GET"}


async def _planned(api: Api, wanted: dict[str, int]) -> bool:
    [server] = (await api.get("/servers"))["items"]
    return bool(server["planned"] == wanted)


async def test_without_servers_it_starts_and_says_so(redis: Redis, redis_url: str, tmp_path: Path) -> None:
    async with serving(settings_for(redis_url, tmp_path)) as api:
        stats = await api.get("/stats")
        assert (stats["servers"], stats["lastPollAt"]) == ([], None)
        assert (await api.call("GET", "/instances/x")).code == "unknown_instance"


async def test_alive_and_ready(api: Api, sim: Simulator) -> None:
    async with api.client.get("/livez") as answer:
        assert answer.status == 200
    async with api.client.get("/readyz") as answer:
        body = await answer.json()
        assert (answer.status, body["status"], body["parts"]["pool"], body["parts"]["poll:a"]) == (
            200,
            "ok",
            "ok",
            "ok",
        )


async def test_a_server_that_is_down_degrades(api: Api, sim: Simulator) -> None:
    sim.warts.db_down = True

    async def degraded() -> bool:
        async with api.client.get("/readyz") as answer:
            body = await answer.json()
            assert answer.status == 200
            return bool(body["parts"]["poll:a"] == "evolution_unavailable" and body["status"] == "degraded")

    await wait_until(degraded, what="the poll loop is degraded")
    assert (await api.get("/servers"))["items"][0]["error"] == "evolution_unavailable"


async def test_a_dead_loop_is_never_ready(api: Api) -> None:
    await api.controller.loops[-1].stop()
    async with api.client.get("/readyz") as answer:
        assert (answer.status, (await answer.json())["parts"]["sweep"]) == (503, "dead")
    assert (await api.call("GET", "/stats", role=Role.VIEWER)).status == 200
