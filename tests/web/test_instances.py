"""The routes of the instances: looking, giving, taking, changing."""

from __future__ import annotations

import pytest

from service.errors import RefusedError
from service.evolution.simulator import Fault, Simulator
from tests.helpers import wait_until
from tests.unit.test_evolution_client_calls import NAMES
from tests.web.api import Api, proxy, segment


async def listed(api: Api, query: str = "") -> list[str]:
    return [item["name"] for item in (await api.get(f"/instances?{query}"))["items"]]


@pytest.mark.parametrize("name", [*NAMES, "{x}", "a\nb"])
async def test_any_name_in_the_path(api: Api, sim: Simulator, name: str) -> None:
    await api.add(2)
    sim.create(name, state="open")
    given = await api.assigned(name)
    assert given["assignedInstanceName"] == name
    assert (await api.get(f"/instances/{segment(name)}"))["name"] == name
    answer = await api.call("POST", f"/instances/{segment(name)}/proxy/rotate")
    assert (answer.status, answer.body["assignedInstanceName"]) == (200, name)
    assert (await api.call("DELETE", f"/instances/{segment(name)}/proxy")).status in (200, 202)


async def test_the_list_and_its_filters(api: Api, sim: Simulator) -> None:
    for number in range(3):
        sim.create(f"one {number}", state="open")
    sim.create("closed")
    await wait_until(lambda: _count(api, 4), what="all are seen")
    assert await listed(api) == ["closed", "one 0", "one 1", "one 2"]
    assert await listed(api, "state=close") == await listed(api, "q=CLOSED") == ["closed"]
    assert await listed(api, "list=unprotected&q=one") == await listed(api, "server=a&state=open")
    page = await api.get("/instances?limit=2")
    assert page["total"] == 4
    assert await listed(api, f"limit=2&cursor={page['nextCursor']}") == ["one 1", "one 2"]
    assert (await api.get("/instances?list=unprotected"))["total"] == 3
    assert (await api.call("GET", "/instances?server=none")).code == "not_configured"
    for query in ("state=opened", "list=all", "limit=0", "cursor=%21"):
        assert (await api.call("GET", f"/instances?{query}")).body["field"] == query.partition("=")[0]


async def _count(api: Api, wanted: int) -> bool:
    return len(await listed(api)) == wanted


async def test_why_an_instance_has_its_proxy_is_shown(api: Api, sim: Simulator) -> None:
    await api.add(3, group="sul")
    sim.create("loja")
    sim.create("livre")
    given = await api.assigned("loja")
    assert given["choice"] == {
        "why": "line",
        "group": None,
        "candidates": 3,
        "kept": 0,
        "resting": 0,
        "elsewhere": 0,
        "quarantined": 0,
        "used": 0,
        "disabled": 0,
        "shunned": 0,
    }
    assert (await api.get("/instances/loja"))["choice"] == given["choice"]
    assert (await api.get("/instances/livre"))["choice"] is None
    pinned = await api.call("POST", "/instances/livre/proxy", {"group": "sul"})
    assert (pinned.body["choice"]["why"], pinned.body["choice"]["group"]) == ("group", "sul")
    assert pinned.body["choice"]["candidates"] == 2


async def test_one_not_yet_polled_is_asked_for(api: Api, sim: Simulator) -> None:
    await api.controller.polls["a"].stop()
    sim.create("new", state="open", row=proxy(9))
    body = await api.get("/instances/new")
    assert (body["state"], body["managed"], body["address"], body["row"]) == (
        "open",
        True,
        "192.0.2.9:8080",
        proxy(9).id,
    )
    answer = await api.call("GET", "/instances/none")
    assert (answer.status, answer.code) == (404, "unknown_instance")


async def test_a_new_lease_and_the_one_it_holds(api: Api, sim: Simulator) -> None:
    await api.add(2)
    sim.create("one")
    first = await api.call("POST", "/instances/one/proxy")
    assert (first.status, first.body["phase"], first.body["status"]) == (201, "active", "used")
    assert (first.body["actor"], first.body["password"]) == ("token:the-admin", None)
    second = await api.call("POST", "/instances/one/proxy", {})
    assert (second.status, second.body["id"]) == (200, first.body["id"])


async def test_pins_and_groups(api: Api, sim: Simulator) -> None:
    await api.add(2)
    [pinned] = await api.add(1, username="pinned")
    [grouped] = await api.add(1, username="grouped", group="br")
    for name in ("one", "two", "three"):
        sim.create(name)
    assert (await api.call("POST", "/instances/one/proxy", {"proxyId": pinned})).body["id"] == pinned
    assert (await api.call("POST", "/instances/two/proxy", {"group": "br"})).body["id"] == grouped
    for body, status, code in (
        ({"proxyId": pinned}, 409, "held_elsewhere"),
        ({"proxyId": "none"}, 404, "unknown_proxy"),
        ({"group": "br"}, 409, "no_proxy_available"),
        ({"proxyId": 5}, 422, "invalid"),
        ({"proxy": "x"}, 422, "invalid"),
    ):
        answer = await api.call("POST", "/instances/three/proxy", body)
        assert (answer.status, answer.code) == (status, code), body


async def test_no_proxy_available_in_both_languages(api: Api, sim: Simulator) -> None:
    sim.create("one")
    answer = await api.call("POST", "/instances/one/proxy", headers={"Accept-Language": "pt-BR"})
    assert (answer.status, answer.body["detail"]) == (409, "Nenhum proxy não utilizado disponível")
    answer = await api.call("POST", "/instances/one/proxy")
    assert answer.body["detail"] == "No unused proxy available"


async def test_a_refusal_of_evolution_gives_the_proxy_back(api: Api, sim: Simulator) -> None:
    [proxy_id] = await api.add()
    sim.create("one")
    sim.warts.invalid_proxy = True
    answer = await api.call("POST", "/instances/one/proxy", headers={"Accept-Language": "pt-BR"})
    assert (answer.status, answer.code) == (502, "evolution_rejected")
    assert answer.body["detail"] == "Falha ao configurar proxy na Evolution API"
    assert (await api.get(f"/proxies/{proxy_id}"))["status"] == "free"


async def test_an_unknown_outcome_keeps_the_lease_reserved(api: Api, sim: Simulator) -> None:
    [proxy_id] = await api.add()
    sim.create("one")
    sim.warts.faults.append(Fault("proxy/set", cut="before", times=1))
    answer = await api.call("POST", "/instances/one/proxy")
    assert (answer.status, answer.code) == (504, "evolution_unknown")
    assert (await api.get(f"/proxies/{proxy_id}"))["phase"] == "reserved"


async def test_a_server_that_errs(api: Api, sim: Simulator) -> None:
    await api.add()
    sim.warts.db_down = True
    answer = await api.call("POST", "/instances/one/proxy")
    assert (answer.status, answer.code) == (502, "evolution_unavailable")
    sim.api_key = "another"
    sim.warts.db_down = False
    sim.create("one")
    answer = await api.call("POST", "/instances/one/proxy")
    assert (answer.status, answer.code) == (502, "evolution_unauthorized")


async def test_release(api: Api, sim: Simulator) -> None:
    [proxy_id] = await api.add()
    sim.create("one", state="open")
    await api.assigned("one")
    answer = await api.call("DELETE", "/instances/one/proxy")
    assert (answer.status, answer.body["id"]) in ((202, proxy_id), (200, proxy_id))
    assert answer.body["phase"] == ("releasing" if answer.status == 202 else None)

    async def free() -> bool:
        return bool((await api.get(f"/proxies/{proxy_id}"))["status"] == "free")

    await wait_until(free, what="the proxy is free")
    assert (await api.get("/instances/one"))["unmanaged"]
    answer = await api.call("DELETE", "/instances/one/proxy")
    assert (answer.status, answer.code) == (404, "no_lease")


async def test_a_release_by_force_is_over_at_once(api: Api, sim: Simulator) -> None:
    await api.add()
    sim.create("one", state="open")
    await api.assigned("one")
    await wait_until(lambda: api.pool.instance_id("a", "one"), what="it is seen")
    sim.warts.db_down = True
    answer = await api.call("DELETE", "/instances/one/proxy?force=true")
    assert (answer.status, answer.body["phase"], answer.body["status"]) == (200, None, "quarantined")
    assert (await api.call("DELETE", "/instances/one/proxy?force=perhaps")).body["field"] == "force"


async def test_rotation(api: Api, sim: Simulator) -> None:
    await api.add(2)
    sim.create("one", state="open")
    first = (await api.assigned("one"))["id"]
    answer = await api.call("POST", "/instances/one/proxy/rotate")
    assert (answer.status, answer.body["phase"]) == (200, "active")
    assert answer.body["id"] != first
    sim.create("two")
    assert (await api.call("POST", "/instances/two/proxy/rotate")).code == "no_lease"
    assert (await api.call("POST", "/instances/none/proxy/rotate")).code == "unknown_instance"
    assert (await api.call("POST", "/instances/one/proxy/rotate")).code == "no_proxy_available"


async def test_one_name_on_two_servers(two: tuple[Api, Simulator], sim: Simulator) -> None:
    api, other = two
    await api.add(2)
    sim.create("one")
    other.create("one")
    other.create("only-b")

    async def listed() -> bool:
        return len((await api.get("/instances?q=one"))["items"]) == 2

    await wait_until(listed, what="both servers are known to have one")
    for method, path in (
        ("GET", "/instances/one"),
        ("POST", "/instances/one/proxy"),
        ("DELETE", "/instances/one/proxy"),
    ):
        answer = await api.call(method, path)
        assert (answer.status, answer.code) == (409, "ambiguous_instance")
    assert (await api.get("/instances/one?server=b"))["server"] == "b"
    assert (await api.call("POST", "/instances/one/proxy?server=b")).body["server"] == "b"
    assert (await api.get("/instances/only-b"))["server"] == "b"
    assert (await api.call("GET", "/instances/none")).code == "unknown_instance"
    assert (await api.call("GET", "/instances/one?server=c")).code == "not_configured"


async def test_one_that_waits_for_a_human_is_shown_and_counted(api: Api, sim: Simulator) -> None:
    await api.add(2)
    sim.create("loja", state="open")
    given = await api.assigned("loja")
    lease = await api.pool.lease(given["id"])
    assert lease is not None
    with pytest.raises(RefusedError, match="rotations_spent"):
        await api.pool.rotate(lease, reason="dead_proxy", per_day=0)
    assert (await api.get("/instances/loja"))["waitsForHuman"] is True
    assert await listed(api, "list=spent") == ["loja"]
    assert (await api.get("/stats"))["rotationsSpent"] == 1
    assert (await api.call("POST", "/instances/loja/proxy")).status == 200
    assert (await api.get("/instances/loja"))["waitsForHuman"] is False
    assert (await api.get("/stats"))["rotationsSpent"] == 0
