"""Drift, its repair, and servers that leave the settings, by HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from service.evolution.simulator import OFF, Fault, Simulator
from service.pool.tokens import Role
from tests.helpers import wait_until
from tests.web.api import Api, proxy
from tests.web.conftest import serving, settings_for


async def drift_of(api: Api, kind: str) -> dict[str, Any]:
    """The first of that kind, once there is one."""
    found: list[dict[str, Any]] = []

    async def there() -> bool:
        found.extend((await api.get(f"/drift?kind={kind}"))["items"])
        return bool(found)

    await wait_until(there, what=f"drift of kind {kind}")
    return found[0]


async def served(api: Api, sim: Simulator, name: str) -> None:
    """An open instance whose proxy is in use."""
    sim.create(name, state="open")

    async def applied() -> bool:
        stats = await api.get("/stats")
        return (stats["used"], stats["unprotected"]) == (1, 0)

    await wait_until(applied, what="it is served")


async def test_nothing_differs(api: Api, sim: Simulator) -> None:
    body = await api.get("/drift")
    assert (body["items"], body["nextCursor"], body["total"]) == ([], None, 0)
    assert body["asOf"].endswith("Z")


async def test_what_differs_is_told_with_its_plan(api: Api, sim: Simulator) -> None:
    [proxy_id] = await api.add()
    await served(api, sim, "one")
    sim.warts.faults.append(Fault("proxy/set", status=400))
    sim.set_row_by_hand("one", OFF)
    item = await drift_of(api, "row_missing")
    wanted = {
        "server": "a",
        "instanceName": "one",
        "proxyId": proxy_id,
        "row": "off",
        "phase": "active",
        "actions": ["assert"],
        "plan": "set the proxy again",
        "waitsFor": None,
        "repairs": "itself",
        "remedy": None,
        "leases": 1,
    }
    assert {name: item[name] for name in wanted} == wanted
    assert item["since"].endswith("Z")
    assert item["description"].startswith("the Evolution API has no proxy set")
    answer = await api.call("GET", "/drift", role=Role.VIEWER, headers={"Accept-Language": "pt-BR"})
    assert answer.body["items"][0]["plan"] == "configurar o proxy de novo"
    assert (await api.get("/servers"))["items"][0]["drift"] == 1


async def test_a_plan_says_what_keeps_it_back(api: Api, sim: Simulator) -> None:
    await api.add()
    await served(api, sim, "one")
    await api.call("POST", "/pause")
    sim.set_row_by_hand("one", OFF)
    item = await drift_of(api, "row_missing")
    assert (item["waitsFor"], item["plan"]) == ("paused", "set the proxy again; waits for the end of the pause")


async def test_an_external_instance_is_repaired_by_hand_once(api: Api, sim: Simulator) -> None:
    [proxy_id] = await api.add()
    sim.create("one", state="open", row=proxy(99))
    item = await drift_of(api, "external")
    assert (item["repairs"], item["remedy"], item["proxyId"]) == ("by_hand", "assign", proxy(99).id)
    path, key = f"/drift/{item['id']}/repair", {"Idempotency-Key": "k"}
    answer = await api.call("POST", path, headers=key)
    assert (answer.status, answer.body) == (200, {"id": item["id"], "drift": None})
    assert (await api.call("POST", path, headers=key)).body == answer.body
    assert (await api.get("/instances/one"))["proxyId"] == proxy_id
    assert {event["actor"] for event in await api.events("lease.reserved")} == {"token:the-admin"}

    async def over() -> bool:
        return (await api.call("POST", path)).status == 404

    await wait_until(over, what="the drift is over")
    assert (await api.call("POST", path)).code == "unknown_drift"


async def test_what_repairs_itself_answers_202_with_what_is_left(api: Api, sim: Simulator) -> None:
    await api.add()
    await served(api, sim, "one")
    sim.warts.faults.append(Fault("proxy/set", status=400))
    sim.set_row_by_hand("one", OFF)
    item = await drift_of(api, "row_missing")
    answer = await api.call("POST", f"/drift/{item['id']}/repair")
    assert (answer.status, answer.body["drift"]["id"], answer.body["drift"]["actions"]) == (202, item["id"], ["assert"])


@pytest.mark.parametrize(
    ("query", "status", "field"),
    [("kind=none", 422, "kind"), ("server=none", 404, None), ("limit=0", 422, "limit"), ("cursor=x", 422, "cursor")],
)
async def test_bad_queries(api: Api, query: str, status: int, field: str | None) -> None:
    answer = await api.call("GET", f"/drift?{query}")
    assert (answer.status, answer.body.get("field")) == (status, field)


async def test_pages_in_the_order_of_ids_and_by_server(two: tuple[Api, Simulator], sim: Simulator) -> None:
    api, other = two
    for number in range(3):
        sim.create(f"x{number}", state="open", row=proxy(90 + number))
    other.create("y", state="open", row=proxy(80))

    async def all_there() -> bool:
        return bool((await api.get("/drift"))["total"] == 4)

    await wait_until(all_there, what="all four are told")
    first = await api.get("/drift?limit=3")
    second = await api.get(f"/drift?limit=3&cursor={first['nextCursor']}")
    ids = [item["id"] for item in (*first["items"], *second["items"])]
    assert (ids, len(set(ids)), second["nextCursor"]) == (sorted(ids), 4, None)
    assert [item["instanceName"] for item in (await api.get("/drift?server=b"))["items"]] == ["y"]


async def test_a_server_that_left_is_shown_and_forgotten(
    redis: Redis, redis_url: str, tmp_path: Path, sim: Simulator
) -> None:
    async with Simulator(api_key="the-other-key") as other:
        async with serving(settings_for(redis_url, tmp_path, sim, other)) as api:
            await api.read_once()
            await api.add(2)
            await served(api, other, "y")
            assert (await api.call("POST", "/servers/b/forget")).code == "still_configured"
        async with serving(settings_for(redis_url, tmp_path, sim)) as api:
            await api.read_once()
            first, left = (await api.get("/servers"))["items"]
            assert (first["name"], first["configured"], first["host"]) == ("a", True, sim.url.removeprefix("http://"))
            wanted = {"name": "b", "configured": False, "leases": 1, "drift": 1, "instances": {"open": 1}, "host": None}
            assert {name: left[name] for name in wanted} == wanted
            [item] = (await api.get("/drift?server=b"))["items"]
            assert (item["kind"], item["leases"], item["remedy"]) == ("unconfigured_server", 1, "forget")
            repair = await api.call("POST", f"/drift/{item['id']}/repair")
            assert (repair.status, repair.code, repair.body["server"]) == (409, "needs_forgetting", "b")
            assert (await api.get("/stats"))["unreadServers"] == []

            key = {"Idempotency-Key": "k"}
            answer = await api.call("POST", "/servers/b/forget", headers=key)
            assert (answer.status, answer.body) == (200, {"name": "b", "leases": 1, "instances": 1})
            assert (await api.call("POST", "/servers/b/forget", headers=key)).body == answer.body
            assert (await api.call("POST", "/servers/b/forget")).code == "unknown_server"
            assert [one["name"] for one in (await api.get("/servers"))["items"]] == ["a"]
            assert (await api.get("/stats"))["cooling"] == 1
            assert {event["actor"] for event in await api.events("server.forgotten")} == {"token:the-admin"}
