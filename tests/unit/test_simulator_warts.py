"""The simulator's switches: each does what EVOLUTION.md, part B, says, and nothing when off."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import pytest

from service.evolution.simulator import OFF, Condition, Endpoint, Fault, Paces, ProxyRow, Simulator
from service.models import Protocol, ProxySpec

pytestmark = pytest.mark.virtual

SET = {"enabled": True, "host": "192.0.2.1", "port": "80", "protocol": "http", "username": "u", "password": "p"}
PROXY = ProxySpec(Protocol.HTTP, "192.0.2.1", 80, "u", "p")
ENDPOINT = Endpoint.of(PROXY)


@pytest.fixture
async def sim() -> AsyncIterator[Simulator]:
    async with Simulator(paces=Paces.fast()) as simulator:
        simulator.create("one", state="open")
        yield simulator


@pytest.fixture
async def http(sim: Simulator) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(sim.url, headers={"apikey": sim.api_key}) as session:
        yield session


async def get(http: aiohttp.ClientSession, path: str) -> tuple[int, Any]:
    async with http.get(path) as answer:
        return answer.status, await answer.json()


async def put(http: aiohttp.ClientSession, name: str = "one", **change: Any) -> int:
    async with http.post(f"/proxy/set/{name}", json=SET | change) as answer:
        return answer.status


@pytest.mark.parametrize("rule", [True, {ENDPOINT}, lambda endpoint: endpoint.port == 80])
async def test_silent_loss(sim: Simulator, http: aiohttp.ClientSession, rule: Any) -> None:
    sim.warts.silent_loss = rule
    assert (await put(http), await get(http, "/proxy/find/one")) == (201, (200, None))
    sim.warts.silent_loss = False
    assert (await put(http), sim.database["one"].row is not None) == (201, True)


@pytest.mark.parametrize("condition", [Condition.DEAD, Condition.REFUSING, Condition.SAME_EXIT])
async def test_conditions_that_fail_the_proxy_test(
    sim: Simulator, http: aiohttp.ClientSession, condition: Condition
) -> None:
    sim.conditions[ENDPOINT] = condition
    assert [await put(http), await put(http, port="81")] == [400, 201]


async def test_invalid_proxy_by_rule_and_by_count(sim: Simulator, http: aiohttp.ClientSession) -> None:
    sim.warts.invalid_proxy = {ENDPOINT}
    assert [await put(http), await put(http, port="81")] == [400, 201]
    sim.warts.invalid_proxy = False
    sim.warts.invalid_next = 2
    assert [await put(http) for _ in range(3)] == [400, 400, 201]


async def test_a_set_that_timed_out_is_still_applied_over_a_newer_one(
    sim: Simulator, http: aiohttp.ClientSession
) -> None:
    sim.conditions[ENDPOINT] = Condition.SILENT
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(put(http), 0.05)
    assert await put(http, port="81") == 201
    sim.release()
    await sim.until(lambda: (row := sim.database["one"].row) is not None and row.port == "80")
    assert sim.calls.peak["proxy/set"] == 2


@pytest.mark.parametrize("delay", [0.02, None])
async def test_late_save(sim: Simulator, http: aiohttp.ClientSession, delay: float | None) -> None:
    sim.warts.save_delay = delay
    assert await put(http) == 201
    assert sim.database["one"].row is None
    if delay is None:
        await sim.until(lambda: sim.gate.waiting == 1)
        sim.release()
    await sim.until(lambda: sim.database["one"].row is not None)


async def test_a_save_after_the_delete_saves_nothing(sim: Simulator, http: aiohttp.ClientSession) -> None:
    sim.conditions[ENDPOINT] = Condition.SILENT
    late = asyncio.create_task(put(http))
    await sim.until(lambda: sim.gate.waiting == 1)
    deleted = sim.memory["one"]
    sim.recreate("one")
    sim.release()
    assert (await late, deleted.row, sim.database["one"].row) == (201, None, None)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/", 200),
        ("/instance/connectionState/one", 200),
        ("/instance/fetchInstances", 500),
        ("/instance/connectionState/none", 500),
        ("/proxy/find/none", 500),
        ("/proxy/find/one", 200),
    ],
)
async def test_db_down(sim: Simulator, http: aiohttp.ClientSession, path: str, expected: int) -> None:
    sim.set_row_by_hand("one", PROXY)
    sim.warts.db_down = True
    status, body = await get(http, path)
    assert status == expected
    if path == "/proxy/find/one":
        assert body is None


async def test_db_down_loses_sets_and_tokens(sim: Simulator, http: aiohttp.ClientSession) -> None:
    sim.warts.db_down = True
    assert (await put(http), sim.database["one"].row) == (201, None)
    headers = {"apikey": sim.database["one"].token}
    async with http.get("/instance/fetchInstances", headers=headers) as answer:
        assert answer.status == 401


async def test_null_on_read(sim: Simulator, http: aiohttp.ClientSession) -> None:
    sim.set_row_by_hand("one", PROXY)
    sim.warts.null_on_read = {"one"}
    assert await get(http, "/proxy/find/one") == (200, None)


@pytest.mark.parametrize("hide", [lambda sim: sim.unload(), lambda sim: setattr(sim.warts, "not_loaded", True)])
async def test_not_loaded(sim: Simulator, http: aiohttp.ClientSession, hide: Callable[[Simulator], None]) -> None:
    hide(sim)
    assert await get(http, "/instance/connectionState/one") == (200, {"instance": {"instanceName": "one"}})
    assert (await put(http), (await get(http, "/proxy/find/one"))[0]) == (404, 404)
    assert (await get(http, "/instance/fetchInstances?instanceName=one"))[0] == 404
    assert len((await get(http, "/instance/fetchInstances"))[1]) == 1


async def test_shrunken_and_empty_lists(sim: Simulator, http: aiohttp.ClientSession) -> None:
    sim.create("two")
    for hidden, left in (({"one"}, ["two"]), (True, []), (False, ["one", "two"])):
        sim.warts.hidden = hidden
        assert sorted(one["name"] for one in (await get(http, "/instance/fetchInstances"))[1]) == left


async def test_stale_states(sim: Simulator, http: aiohttp.ClientSession) -> None:
    sim.warts.shown_state = {"one": "close"}
    sim.warts.shown_status = {"one": "connecting"}
    assert (await get(http, "/instance/connectionState/one"))[1]["instance"]["state"] == "close"
    assert (await get(http, "/instance/fetchInstances"))[1][0]["connectionStatus"] == "connecting"
    sim.warts.shown_state = {"one": None}
    assert "state" not in (await get(http, "/instance/connectionState/one"))[1]["instance"]


async def test_restart_refused_and_ignored(sim: Simulator, http: aiohttp.ClientSession) -> None:
    sim.warts.restart_ignored = True
    async with http.post("/instance/restart/one") as answer:
        assert (await answer.json())["instance"]["state"] == "open"
    sim.warts.restart_refused = {"one"}
    async with http.post("/instance/restart/one") as answer:
        assert (answer.status, (await answer.json())["error"]) == (200, True)
    assert not sim.memory["one"].reconnecting


async def test_a_reconnect_that_goes_out_directly(sim: Simulator) -> None:
    sim.set_row_by_hand("one", PROXY)
    sim.warts.direct_reconnect = {"one"}
    sim.drop("one")
    await sim.until(lambda: sim.memory["one"].socket is not None)
    assert list(sim.exits().values()) == [None]


async def test_a_delayed_delete_lives_on(sim: Simulator, http: aiohttp.ClientSession) -> None:
    sim.warts.delete_delay = None
    async with http.delete("/instance/delete/one") as answer:
        assert answer.status == 200
    assert ((await get(http, "/instance/connectionState/one"))[0], await put(http)) == (200, 201)
    sim.release()
    await sim.until(lambda: "one" not in sim.database)
    assert "one" not in sim.memory


@pytest.mark.parametrize("version", [{"version_1": True}, {"protocols": frozenset({"http", "socks"})}])
async def test_older_versions(sim: Simulator, http: aiohttp.ClientSession, version: dict[str, Any]) -> None:
    for wart, value in version.items():
        setattr(sim.warts, wart, value)
    (one,) = (await get(http, "/instance/fetchInstances"))[1]
    assert ("instance" in one) is sim.warts.version_1
    assert await put(http, protocol="socks5") == (201 if sim.warts.version_1 else 400)


async def test_faults_strike_where_they_fit_and_so_often(sim: Simulator, http: aiohttp.ClientSession) -> None:
    sim.create("two")
    sim.warts.faults.append(Fault("proxy/set", "one", times=1, status=500))
    assert [await put(http, "two"), await put(http), await put(http)] == [201, 500, 201]
    assert [call.status for call in sim.calls.to("proxy/set", "one")] == [500, 201]


async def test_a_server_of_an_unknown_version(sim: Simulator, http: aiohttp.ClientSession) -> None:
    sim.warts.faults.append(Fault("instance/fetchInstances", times=1, body=b'{"instances":[]}'))
    assert await get(http, "/instance/fetchInstances") == (200, {"instances": []})
    assert len((await get(http, "/instance/fetchInstances"))[1]) == 1


async def test_off_is_not_direct_where_the_environment_names_a_proxy(sim: Simulator) -> None:
    sim.warts.default_proxy = ProxyRow.of(PROXY)
    other = ProxySpec(Protocol.HTTP, "192.0.2.1", 81)
    for row, exit_ in ((None, ENDPOINT), (OFF, ENDPOINT), (other, Endpoint.of(other))):
        sim.set_row_by_hand("one", row)
        sim.open("one")
        assert list(sim.exits().values()) == [exit_]


@pytest.mark.parametrize(("cut", "saved"), [("before", False), ("after", True)])
async def test_cut_connections(sim: Simulator, http: aiohttp.ClientSession, cut: Any, saved: bool) -> None:
    sim.warts.faults.append(Fault("proxy/set", cut=cut))
    with pytest.raises(aiohttp.ClientError):
        await put(http)
    assert (sim.database["one"].row is not None) is saved
    assert sim.calls.to("proxy/set")[-1].status is None


async def test_delays_go_through_the_injected_sleep() -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    paces = Paces(service={"proxy/set": (3.0, 3.0)})
    async with Simulator(sleep=sleep, paces=paces) as sim:
        sim.create("one")
        sim.warts.faults.append(Fault(delay=60))
        async with aiohttp.ClientSession(sim.url, headers={"apikey": sim.api_key}) as http:
            assert await put(http) == 201
    assert slept == [63.0]


async def test_an_hour_passes_as_fast_as_its_driver_wants() -> None:
    passed = [0.0]

    async def sleep(seconds: float) -> None:
        passed[0] += seconds
        await asyncio.sleep(0)

    began = asyncio.get_running_loop().time()
    async with Simulator(sleep=sleep, now=lambda: passed[0], paces=Paces(attempt=5.0)) as sim:
        sim.create("one", state="open", row=PROXY)
        sim.conditions[ENDPOINT] = Condition.DEAD
        sim.drop("one")
        await sim.until(lambda: passed[0] > 3600)
        async with aiohttp.ClientSession(sim.url, headers={"apikey": sim.api_key}) as http:
            await get(http, "/proxy/find/one")
        assert sim.calls.to("proxy/find")[0].at > 3600
    assert asyncio.get_running_loop().time() - began < 5


async def test_nothing_is_left_behind() -> None:
    before = asyncio.all_tasks()
    async with Simulator() as sim:
        sim.create("one", state="open", row=PROXY)
        sim.conditions[ENDPOINT] = Condition.DEAD
        sim.drop("one")
        sim.warts.save_delay = 3600
        async with aiohttp.ClientSession(sim.url, headers={"apikey": sim.api_key}) as http:
            assert await put(http, port="81") == 201
            sim.warts.faults.append(Fault(hang=True))
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(get(http, "/"), 0.05)
    assert asyncio.all_tasks() == before
    assert sim.exits() == {}


async def test_what_fails_in_the_background_fails_the_test() -> None:
    async def fail() -> None:
        raise ValueError("broken")

    with pytest.raises(ExceptionGroup, match="simulator tasks failed"):
        async with Simulator() as sim:
            await asyncio.wait([sim.tasks.spawn(fail())])


async def test_four_thousand_instances_are_listed_at_once(sim: Simulator, http: aiohttp.ClientSession) -> None:
    for index in range(3999):
        sim.create(f"i{index}", state="open", row=ProxySpec(Protocol.HTTP, "192.0.2.1", 1024 + index))
    _, elements = await get(http, "/instance/fetchInstances")
    assert len(elements) == 4000
    sim.assert_no_shared_exit()
