"""The simulator's webhooks: what is posted where, what never comes, retries, order, repetition."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import jwt
import pytest
from aiohttp import web

from service.evolution.simulator import Condition, Endpoint, Paces, Retries, Simulator
from service.models import Protocol, ProxySpec
from tests.helpers import wait_until

pytestmark = pytest.mark.virtual

KEY = "a secret of thirty-two characters"


class Receiver:
    """Records posts; answers the statuses given, then 200."""

    def __init__(self) -> None:
        self.url = ""
        self.statuses: list[int] = []
        self.posts: list[tuple[str, dict[str, Any], str | None]] = []

    async def __call__(self, request: web.BaseRequest) -> web.Response:
        self.posts.append((request.path, await request.json(), request.headers.get("authorization")))
        return web.Response(status=self.statuses.pop(0) if self.statuses else 200)

    @property
    def events(self) -> list[tuple[str, str | None]]:
        return [(body["event"], (body["data"] or {}).get("state")) for _, body, _ in self.posts]

    async def received(self, count: int) -> None:
        await wait_until(lambda: len(self.posts) >= count, what=f"{count} posts")


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    runner = web.ServerRunner(web.Server(receiver, access_log=None), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield receiver
    await runner.cleanup()


@pytest.fixture
async def sim(receiver: Receiver) -> AsyncIterator[Simulator]:
    retries = Retries(first=0.01, longest=0.02, attempts=4, timeout=1.0)
    hook = f"{receiver.url}/global/secret"
    async with Simulator(paces=Paces.fast(), webhook_url=hook, retries=retries, seed=1) as simulator:
        yield simulator


async def test_body_and_path_of_a_global_event(sim: Simulator, receiver: Receiver) -> None:
    sim.create("one", state="open")
    await receiver.received(2)
    by_event = {body["event"]: (path, body) for path, body, _ in receiver.posts}
    path, created = by_event["instance.create"]
    assert path == "/global/secret/instance-create"
    assert created["data"] == {"instanceName": "one", "instanceId": sim.database["one"].id}
    assert "sender" not in created
    path, opened = by_event["connection.update"]
    assert path == "/global/secret/connection-update"
    assert opened["data"]["state"] == "open"
    assert (opened["sender"], opened["apikey"]) == (sim.database["one"].owner, None)


async def test_a_lost_connection_never_says_close(sim: Simulator, receiver: Receiver) -> None:
    sim.create("one", state="open")
    await receiver.received(2)
    receiver.posts.clear()
    sim.drop("one")
    await receiver.received(2)
    assert {state for _, state in receiver.events} == {"connecting", "open"}


async def test_a_final_close_comes_globally_but_status_and_logout_do_not(sim: Simulator, receiver: Receiver) -> None:
    sim.create("one", state="open")
    sim.logout("one")
    sim.delete("one")
    await receiver.received(4)
    await asyncio.sleep(60)  # time for what must not come
    assert sorted(receiver.events, key=str) == [
        ("connection.update", "close"),
        ("connection.update", "open"),
        ("instance.create", None),
        ("instance.delete", None),
    ]


async def test_the_webhook_of_an_instance(sim: Simulator, receiver: Receiver) -> None:
    one = sim.create("one", state="open")
    await receiver.received(2)
    receiver.posts.clear()
    hook = {"url": f"{receiver.url}/local", "events": ["LOGOUT_INSTANCE"], "headers": {"jwt_key": KEY}}
    async with aiohttp.ClientSession(sim.url, headers={"apikey": sim.api_key}) as http:
        async with http.post("/webhook/set/one", json={"webhook": hook}) as answer:
            assert answer.status == 201
        async with http.get("/webhook/find/one") as answer:
            assert await answer.json() == one.webhook
        for events, status in ((None, 500), (["NO_SUCH_EVENT"], 400)):
            wrong = {"url": hook["url"]} | ({} if events is None else {"events": events})
            async with http.post("/webhook/set/one", json={"webhook": wrong}) as answer:
                assert answer.status == status
    sim.logout("one")
    await receiver.received(2)
    await asyncio.sleep(60)  # time for what must not come
    assert len(receiver.posts) == 2
    bodies = {path: (body["event"], authorization) for path, body, authorization in receiver.posts}
    assert bodies["/global/secret/connection-update"] == ("connection.update", None)
    event, authorization = bodies["/local"]
    assert (event, authorization is not None) == ("logout.instance", True)
    assert authorization is not None
    assert jwt.decode(authorization.removeprefix("Bearer "), KEY, algorithms=["HS256"])["app"] == "evolution"


@pytest.mark.parametrize(
    ("statuses", "posts"), [([500, 429, 503], 4), ([500] * 9, 4), ([401], 1), ([404], 1), ([422], 1)]
)
async def test_what_is_retried(sim: Simulator, receiver: Receiver, statuses: list[int], posts: int) -> None:
    receiver.statuses = statuses
    sim.create("one")
    await receiver.received(posts)
    await asyncio.sleep(60)  # time for a retry that must not come
    assert len(receiver.posts) == posts


async def test_what_is_not_delivered_is_lost_when_the_server_restarts(sim: Simulator, receiver: Receiver) -> None:
    receiver.statuses = [500]
    sim.create("one")
    await receiver.received(1)
    sim.restart_server()
    sim.create("two")
    await receiver.received(2)
    await asyncio.sleep(60)  # time for a retry that must not come
    assert [body["instance"] for _, body, _ in receiver.posts] == ["one", "two"]


async def test_a_server_that_starts_tells_of_each_open_instance(sim: Simulator, receiver: Receiver) -> None:
    for name in ("one", "two"):
        sim.create(name, state="open")
    sim.create("closed")
    await receiver.received(5)
    receiver.posts.clear()
    sim.restart_server()
    await receiver.received(4)
    told = [(body["instance"], body["data"]["state"], "sender" in body) for _, body, _ in receiver.posts]
    assert sorted(told) == [
        (name, *rest) for name in ("one", "two") for rest in (("connecting", False), ("open", True))
    ]


async def test_a_dead_proxy_is_told_of_at_each_attempt(sim: Simulator, receiver: Receiver) -> None:
    """EVOLUTION.md, B9: the pace is the simulator's attempt."""
    proxy = ProxySpec(Protocol.HTTP, "proxy.example", 8080)
    sim.create("one", state="open", row=proxy)
    sim.conditions[Endpoint.of(proxy)] = Condition.DEAD
    sim.drop("one")
    await receiver.received(12)
    assert {state for _, state in receiver.events[2:]} == {"connecting"}


async def test_shuffled_and_repeated(sim: Simulator, receiver: Receiver) -> None:
    sim.warts.webhooks_repeated = 1.0
    sim.warts.webhooks_shuffled = 0.2
    names = [f"i{index}" for index in range(10)]
    for name in names:
        sim.create(name)
    await receiver.received(20)
    seen = [body["instance"] for _, body, _ in receiver.posts]
    assert sorted(seen) == sorted(names * 2)
    assert list(dict.fromkeys(seen)) != names


def test_waits_between_retries_grow_to_the_longest() -> None:
    waits = [Retries().wait(failures, random.Random(3)) for failures in (1, 2, 3, 20)]
    assert 5 <= waits[0] <= 6
    assert 8 <= waits[1] <= 12
    assert 16 <= waits[2] <= 24
    assert 240 <= waits[3] <= 360
