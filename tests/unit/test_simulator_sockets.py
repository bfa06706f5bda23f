"""Live sockets of the simulator: when they open, where they go out, and that sharing is seen when it happens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from service.evolution.simulator import OFF, Condition, Endpoint, Instance, Paces, Simulator, Sockets
from service.models import Protocol, ProxySpec

pytestmark = pytest.mark.virtual

A = ProxySpec(Protocol.HTTP, "192.0.2.1", 8080, "user", "pass")
B = ProxySpec(Protocol.HTTP, "192.0.2.1", 8080, "other", "pass")


@pytest.fixture
async def sim() -> AsyncIterator[Simulator]:
    async with Simulator(paces=Paces.fast()) as simulator:
        yield simulator


async def ask(sim: Simulator, method: str, path: str) -> Any:
    async with (
        aiohttp.ClientSession(sim.url, headers={"apikey": sim.api_key}) as session,
        session.request(method, path) as answer,
    ):
        return await answer.json()


def exit_of(instance: Instance) -> Endpoint | None:
    assert instance.socket is not None
    return instance.socket.exit


async def reconnected(sim: Simulator, instance: Instance) -> None:
    await sim.until(lambda: instance.state == "open" and not instance.reconnecting)


async def test_an_open_socket_keeps_its_exit_until_the_next_connect(sim: Simulator) -> None:
    one = sim.create("one", state="open", row=A)
    sim.set_row_by_hand("one", B)
    assert exit_of(one) == Endpoint.of(A)
    seen = {one.state}
    answer = await ask(sim, "POST", "/instance/restart/one")
    assert answer == {"instance": {"instanceName": "one", "state": "open"}}
    assert one.state == "open"
    for state in ("close", "connecting", "open"):
        await sim.until(lambda state=state: one.state == state)  # type: ignore[misc]
        seen.add(one.state)
    assert (exit_of(one), one.status, seen) == (Endpoint.of(B), "open", {"open", "close", "connecting"})


async def test_off_and_restart_is_direct(sim: Simulator) -> None:
    one = sim.create("one", state="open", row=A)
    sim.set_row_by_hand("one", OFF)
    sim.drop("one")
    assert one.socket is None
    await reconnected(sim, one)
    assert exit_of(one) is None


async def test_many_restarts_make_one_socket(sim: Simulator) -> None:
    one = sim.create("one", state="open", row=A)
    await asyncio.gather(*(ask(sim, "POST", "/instance/restart/one") for _ in range(12)))
    await sim.until(lambda: one.state == "close")
    await reconnected(sim, one)
    assert list(sim.exits().values()) == [Endpoint.of(A)]


async def test_a_dead_proxy_is_a_loop_that_set_alone_cures(sim: Simulator) -> None:
    one = sim.create("one", state="open", row=A)
    sim.conditions[Endpoint.of(A)] = Condition.DEAD
    sim.drop("one")
    for _ in range(3):
        await sim.until(lambda: one.state == "connecting")
        await sim.until(lambda: one.state == "close")
    assert (one.status, sim.exits()) == ("open", {})
    sim.set_row_by_hand("one", B)
    await reconnected(sim, one)
    assert exit_of(one) == Endpoint.of(B)


@pytest.mark.parametrize("condition", [Condition.SILENT, Condition.REFUSING])
async def test_a_silent_or_refusing_proxy_is_stuck_until_a_restart(sim: Simulator, condition: Condition) -> None:
    one = sim.create("one", state="open", row=A)
    sim.conditions[Endpoint.of(A)] = condition
    sim.drop("one")
    await sim.until(lambda: one.state == "connecting" and not one.reconnecting)
    sim.set_row_by_hand("one", B)
    assert not one.reconnecting
    answer = await ask(sim, "POST", "/instance/restart/one")
    assert answer["count"] == 1
    await reconnected(sim, one)
    assert exit_of(one) == Endpoint.of(B)


async def test_hang_looks_open_in_the_list_only(sim: Simulator) -> None:
    one = sim.create("one", state="open", row=A)
    sim.hang("one")
    assert (one.state, one.status, one.reconnecting, sim.exits()) == ("connecting", "open", False, {})


async def test_restart_refuses_what_is_closed_or_not_in_memory(sim: Simulator) -> None:
    refused = {"error": True, "message": "[object Object]"}
    sim.create("closed")
    assert await ask(sim, "POST", "/instance/restart/closed") == refused
    sim.unload()
    assert await ask(sim, "POST", "/instance/restart/closed") == refused


async def test_connect_in_the_loop_starts_parallel_sockets_some_direct(sim: Simulator) -> None:
    one = sim.create("one", state="open", row=A)
    sim.paces.open = 60
    sim.drop("one")
    await sim.until(lambda: one.state == "connecting")
    for _ in range(4):
        await ask(sim, "GET", "/instance/connect/one")
    sim.logout("one")
    assert list(sim.exits().values()) == [None, Endpoint.of(A), None, Endpoint.of(A)]
    assert not sim.violations
    sim.create("two", state="open", row=A)
    assert sim.violations


async def test_a_false_open_ends_with_the_server_only(sim: Simulator) -> None:
    one = sim.create("one", state="open", row=A)
    sim.warts.db_down = True
    sim.drop("one")
    sim.warts.db_down = False
    assert (one.state, one.status, one.reconnecting, sim.exits()) == ("open", "open", False, {})
    await ask(sim, "POST", "/instance/restart/one")
    assert not one.reconnecting
    logout = await ask(sim, "DELETE", "/instance/logout/one")
    assert logout["response"]["message"] == ["Error: Connection Closed"]
    sim.restart_server()
    await reconnected(sim, one)
    assert exit_of(one) == Endpoint.of(A)


async def test_an_instance_deleted_in_its_loop_lives_on(sim: Simulator) -> None:
    first = sim.create("one", state="open", row=A)
    sim.conditions[Endpoint.of(A)] = Condition.DEAD
    sim.drop("one")
    second = sim.recreate("one", state="open")
    assert second.id != first.id
    sim.set_row_by_hand("one", A)
    sim.conditions.clear()
    await sim.until(lambda: first.socket is not None)
    assert not sim.violations
    sim.drop("one")
    await reconnected(sim, second)
    with pytest.raises(AssertionError, match="1 shared exits"):
        sim.assert_no_shared_exit()
    sim.restart_server()
    await reconnected(sim, second)
    assert [socket.instance_id for socket in sim.exits()] == [second.id]


async def test_sharing_is_seen_at_the_moment_and_kept(sim: Simulator) -> None:
    sim.create("before", state="open", row=A)
    sim.logout("before")
    sim.create("one", state="open", row=A)
    sim.create("two", state="open", row=B)
    sim.assert_no_shared_exit()
    sim.create("three", state="open", row=A)
    sim.logout("three")
    (violation,) = sim.violations
    assert (violation.exit, violation.names) == (Endpoint.of(A), ("one", "three"))


async def test_two_servers_see_a_proxy_that_they_share() -> None:
    sockets = Sockets()
    async with (
        Simulator(api_key="first", sockets=sockets) as first,
        Simulator(api_key="second", sockets=sockets) as second,
    ):
        first.create("one", state="open", row=A)
        second.create("one", state="open", row=A)
        assert len(sockets.violations) == 1
        assert await ask(first, "GET", "/instance/connectionState/one") == {
            "instance": {"instanceName": "one", "state": "open"}
        }


async def test_a_new_number_pairs_over_the_row_that_it_has(sim: Simulator) -> None:
    one = sim.create("one", row=A)
    answer = await ask(sim, "GET", "/instance/connect/one")
    assert (answer["count"], one.state, one.status, exit_of(one)) == (1, "connecting", "connecting", Endpoint.of(A))
    await ask(sim, "POST", "/instance/restart/one")
    await sim.until(lambda: one.socket is None)
    await sim.until(lambda: one.socket is not None)
    assert (one.state, exit_of(one)) == ("connecting", Endpoint.of(A))
    sim.open("one")
    assert (one.state, one.status, exit_of(one)) == ("open", "open", Endpoint.of(A))
    sim.assert_no_shared_exit()


async def test_a_row_that_cannot_be_used_connects_nothing(sim: Simulator) -> None:
    sim.create("one", row=ProxySpec(Protocol.HTTPS, "192.0.2.1", 8080))
    assert (await ask(sim, "GET", "/instance/connect/one"))["error"] is True
    assert sim.exits() == {}
