"""The client and the simulated server, each written from EVOLUTION.md alone, understand each other."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import aiohttp
import orjson
import pytest
from aiohttp import web
from pydantic import SecretStr
from yarl import URL

from service.errors import (
    EvolutionNotFoundError,
    EvolutionRejectedError,
    EvolutionUnauthorizedError,
    EvolutionUnavailableError,
    EvolutionUnknownError,
)
from service.evolution.client import EvolutionClient
from service.evolution.models import RestartAnswer, Row, Webhook
from service.evolution.simulator import Condition, Endpoint, Fault, Simulator
from service.models import Protocol, ProxySpec
from service.settings import load
from tests.unit.test_evolution_client_calls import NAMES

pytestmark = pytest.mark.virtual

SPEC = ProxySpec(Protocol.HTTP, "proxy.example", 8080, "us er", "p@ss/w%rd")
PLAIN = ProxySpec(Protocol.HTTP, "plain.example", 8080, "user", "pass")
NOW = 1_800_000_000.123


@pytest.fixture
async def sim() -> AsyncIterator[Simulator]:
    async with Simulator(seed=1, now=lambda: NOW) as sim:
        yield sim


@pytest.fixture
async def client(sim: Simulator) -> AsyncIterator[EvolutionClient]:
    async with EvolutionClient.open("default", sim.url, SecretStr(sim.api_key)) as client:
        yield client


@pytest.mark.parametrize("name", [*NAMES, "..", "."])
async def test_every_call_reaches_an_instance_of_any_name(sim: Simulator, client: EvolutionClient, name: str) -> None:
    instance = sim.create(name, state="open")
    await client.set_proxy(name, SPEC)
    row = await client.find_proxy(name)
    assert row is not None
    assert row.names(SPEC)
    assert row.instance_id == instance.id
    assert await client.restart(name) is RestartAnswer.ACCEPTED
    assert await client.connection_state(name) is not None
    await client.clear_proxy(name)
    row = await client.find_proxy(name)
    assert row == Row(enabled=False, instance_id=instance.id)
    seen = await client.fetch_instance(name)
    assert seen is not None
    assert (seen.id, seen.name, seen.row) == (instance.id, name, row)
    assert await client.fetch_instances() == [seen]


async def test_the_list_tells_of_a_final_close(sim: Simulator, client: EvolutionClient) -> None:
    sim.create("a", state="open", row=PLAIN, number="5511900000001")
    sim.logout("a", 403)
    (seen,) = await client.fetch_instances()
    assert (seen.state, seen.disconnection_code, seen.disconnection_at) == ("close", 403, int(NOW * 1000))
    assert seen.row is not None
    assert seen.row.names(PLAIN)


@pytest.mark.parametrize(
    "password",
    ["", "p@ss", "p:ss", "p+ss", "p&=ss", "p ss", "pässword", "p%41ss", "p%ss", "p/ss", "p#ss", "p?ss", "p\\ss"],
)
async def test_what_is_set_is_read_back_as_right(sim: Simulator, client: EvolutionClient, password: str) -> None:
    sim.create("a", state="open")
    for protocol in (Protocol.HTTP, Protocol.SOCKS5):
        spec = ProxySpec(protocol, "proxy.example", 8080, "user" if password else "", password)
        await client.set_proxy("a", spec)
        row = await client.find_proxy("a")
        assert row is not None
        assert row.names(spec)


async def test_a_webhook_of_its_own(sim: Simulator, client: EvolutionClient) -> None:
    sim.create("a b")
    assert await client.find_webhook("a b") is None
    await client.set_webhook("a b", "http://127.0.0.1:9/h", ["STATUS_INSTANCE"], {"x-key": "k"})
    assert await client.find_webhook("a b") == Webhook("http://127.0.0.1:9/h", True, frozenset({"STATUS_INSTANCE"}))
    with pytest.raises(EvolutionRejectedError, match="not one of enum values"):
        await client.set_webhook("a b", "http://127.0.0.1:9/h", ["NO_SUCH_EVENT"])


async def test_not_found(client: EvolutionClient) -> None:
    for call in (client.fetch_instance, client.connection_state, client.find_proxy, client.clear_proxy, client.restart):
        with pytest.raises(EvolutionNotFoundError):
            await call('no "such" one')


async def test_unauthorized(sim: Simulator, client: EvolutionClient) -> None:
    sim.create("a")
    sim.api_key = "another"
    with pytest.raises(EvolutionUnauthorizedError):
        await client.find_proxy("a")
    with pytest.raises(EvolutionUnauthorizedError):
        await client.fetch_instances()


async def test_a_dead_proxy_is_refused_and_a_silent_one_unknown(sim: Simulator, client: EvolutionClient) -> None:
    sim.create("a")
    sim.conditions[Endpoint.of(SPEC)] = Condition.DEAD
    with pytest.raises(EvolutionRejectedError, match="Invalid proxy"):
        await client.set_proxy("a", SPEC)
    sim.conditions[Endpoint.of(SPEC)] = Condition.SILENT
    with pytest.raises(EvolutionUnknownError):
        await client.set_proxy("a", SPEC)


async def test_database_down(sim: Simulator, client: EvolutionClient) -> None:
    sim.create("a", row=PLAIN)
    sim.warts.db_down = True
    assert await client.find_proxy("a") is None
    await client.set_proxy("a", SPEC)
    with pytest.raises(EvolutionUnavailableError):
        await client.fetch_instances()
    with pytest.raises(EvolutionUnavailableError):
        await client.connection_state("unknown")


async def test_a_name_that_breaks_the_server(sim: Simulator, client: EvolutionClient) -> None:
    assert await client.connection_state("constructor") is None
    with pytest.raises(EvolutionUnknownError):
        await client.set_proxy("constructor", SPEC)


async def test_restart_answers(sim: Simulator, client: EvolutionClient) -> None:
    sim.create("closed")
    sim.create("pairing", state="connecting")
    assert await client.restart("closed") is RestartAnswer.REFUSED
    assert await client.restart("pairing") is RestartAnswer.QR


async def test_not_loaded_and_without_a_row(sim: Simulator, client: EvolutionClient) -> None:
    sim.create("a")
    sim.warts.not_loaded = True
    assert await client.connection_state("a") is None
    sim.warts.not_loaded = False
    del sim.database["a"]
    assert await client.fetch_instance("a") is None


@asynccontextmanager
async def ingress(sim: Simulator, prefix: str) -> AsyncIterator[str]:
    """The address of a server that has ``sim`` behind ``prefix``, and other things elsewhere."""

    async def forward(request: web.BaseRequest) -> web.Response:
        path = request.raw_path.removeprefix(prefix)
        if path == request.raw_path:
            return web.Response(status=404, text="another site")
        async with session.request(
            request.method, URL(sim.url + path, encoded=True), data=await request.read(), headers=request.headers
        ) as answer:
            return web.Response(status=answer.status, body=await answer.read(), content_type=answer.content_type)

    runner = web.ServerRunner(web.Server(forward, access_log=None), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        async with aiohttp.ClientSession() as session:
            yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("name", ["a", "a/b", "a%2Fb", ".."])
@pytest.mark.parametrize("written", ["/evo%20api/v2", "/evo%20api/v2//"])
async def test_a_server_behind_a_path_prefix(sim: Simulator, name: str, written: str) -> None:
    instance = sim.create(name, state="open")
    async with ingress(sim, "/evo%20api/v2") as address:
        listed = orjson.dumps([{"name": "b", "baseUrl": address + written, "apiKey": sim.api_key}]).decode()
        (server,) = load({"EVOPROXY_SERVERS": listed}).servers
        async with EvolutionClient.open("b", server.base_url, server.api_key) as client:
            assert [one.id for one in await client.fetch_instances()] == [instance.id]
            await client.set_proxy(name, PLAIN)
            row = await client.find_proxy(name)
            assert row is not None
            assert row.names(PLAIN)
        async with EvolutionClient.open("b", address, server.api_key) as client:
            with pytest.raises(EvolutionUnavailableError):
                await client.connection_state(name)


async def test_version_1(sim: Simulator, client: EvolutionClient) -> None:
    sim.warts.version_1 = True
    instance = sim.create("a", state="open", number="5511900000001", row=PLAIN)
    (seen,) = await client.fetch_instances()
    assert (seen.id, seen.name, seen.state, seen.row_listed) == (instance.id, "a", "open", False)
    found = await client.fetch_instance("a")
    assert found is not None
    assert found.row is not None
    assert found.row.names(PLAIN)
    assert found == replace(seen, row=found.row, row_listed=True)
    sim.set_row_by_hand("a", None)
    assert await client.fetch_instance("a") == replace(seen, row_listed=True)
    sim.warts.null_on_read = True
    sim.warts.faults.append(Fault("proxy/find", times=1))
    sim.warts.faults.append(Fault("instance/fetchInstances", times=1))
    sim.warts.faults.append(Fault("instance/fetchInstances", times=1, status=500))
    with pytest.raises(EvolutionUnavailableError):
        await client.fetch_instance("a")
    sim.warts.faults.append(Fault("proxy/find", body=b'{"enabled":false,"instanceId":"another"}'))
    with pytest.raises(EvolutionUnavailableError, match="another instance"):
        await client.fetch_instance("a")
