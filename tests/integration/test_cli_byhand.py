"""``assign``, ``rotate`` and ``release`` against a simulated server and a real Redis."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
from pydantic import SecretStr
from redis.asyncio import Redis

from service.cli.command import DONE, REFUSED, UNREACHABLE, USAGE
from service.control.controller import Controller
from service.evolution.client import EvolutionClient
from service.evolution.simulator import Condition, Endpoint, Paces, Simulator
from service.models import Protocol, ProxySpec
from service.pool.models import Applied
from service.pool.pool import Pool, open_pool
from service.settings import Settings
from tests.commands import Commands, clean
from tests.helpers import wait_until

pytestmark = pytest.mark.redis

SPECS = [ProxySpec(Protocol.HTTP, f"192.0.2.{number}", 8000, "ana", "p:w", group="sul") for number in (1, 2, 3)]


@pytest.fixture
async def pool(redis: Redis, redis_url: str) -> AsyncIterator[Pool]:
    """Three proxies; ``redis`` empties it afterwards."""
    async with open_pool(redis_url, "default") as pool:
        await pool.import_proxies(SPECS, stamp="s", actor="auto")
        yield pool


@pytest.fixture
def evoproxy(redis_url: str, simulator: Simulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Commands:
    clean(monkeypatch, tmp_path)
    server = {"EVOLUTION_API_BASE_URL": simulator.url, "GLOBAL_API_KEY": simulator.api_key}
    return Commands({"REDIS_URL": redis_url, **server})


@asynccontextmanager
async def controlled(pool: Pool, **simulators: Simulator) -> AsyncIterator[Controller]:
    """The service's controller, its servers configured and read completely once; ticks are the test's."""
    async with AsyncExitStack() as stack:
        clients = {
            name: await stack.enter_async_context(EvolutionClient.open(name, one.url, SecretStr(one.api_key)))
            for name, one in simulators.items()
        }
        controller = Controller(pool, clients, Settings())
        await controller.configure()
        for control in controller.servers.values():
            await control.tick()
        yield controller
        await controller.stop()


async def test_assign_and_the_service_that_restarts(pool: Pool, simulator: Simulator, evoproxy: Commands) -> None:
    name = "Padaria São João/1 %2F"
    async with controlled(pool, default=simulator) as controller:
        simulator.create(name, state="open")
        (given,) = (await evoproxy.beside("assign", name, "--json")).documents
        assert (given["assignedInstanceName"], given["phase"], given["applied"]) == (name, "active", "no")
        assert given["password"] is None
        row = simulator.database[name].row
        assert row is not None
        assert (row.enabled, row.host) == (True, given["host"])
        assert set(simulator.exits().values()) == {None}, "restarts are the service's"

        (same,) = (await evoproxy.beside("assign", name, "--json")).documents
        assert same["id"] == given["id"]

        async def applied() -> bool:
            await controller.servers["default"].tick()
            lease = await pool.lease(given["id"])
            return lease is not None and lease.applied is Applied.YES

        await wait_until(applied, what="the service restarted it")
        assert [exit.id for exit in simulator.exits().values() if exit] == [given["id"]]


async def test_actor_is_who_typed(pool: Pool, simulator: Simulator, evoproxy: Commands) -> None:
    simulator.create("loja")
    async with controlled(pool, default=simulator):
        (given,) = (await evoproxy.beside("assign", "loja", "--json", LOGNAME="ana")).documents
    assert given["actor"] == "cli:ana"


async def test_pins_and_groups(pool: Pool, simulator: Simulator, evoproxy: Commands) -> None:
    for name in ("a", "b", "c"):
        simulator.create(name)
    async with controlled(pool, default=simulator):
        pinned = SPECS[2].id
        (given,) = (await evoproxy.beside("assign", "a", "--proxy", pinned, "--json")).documents
        assert given["id"] == pinned

        held = await evoproxy.beside("assign", "b", "--proxy", pinned)
        assert held.exit_code == REFUSED
        assert held.stderr == "evoproxy: Another instance uses the proxy (instance: b)\n"

        none = await evoproxy.beside("assign", "b", "--group", "norte")
        assert (none.exit_code, none.stderr) == (REFUSED, "evoproxy: No unused proxy available (instance: b)\n")

        unknown = await evoproxy.beside("assign", "b", "--proxy", "0" * 20)
        assert (unknown.exit_code, unknown.stderr) == (REFUSED, "evoproxy: Unknown proxy (instance: b)\n")


async def test_rotate_gives_another_and_keeps_the_old_one_back(
    pool: Pool, simulator: Simulator, evoproxy: Commands
) -> None:
    async with controlled(pool, default=simulator):
        simulator.create("loja")
        (first,) = (await evoproxy.beside("assign", "loja", "--json")).documents
        (second,) = (await evoproxy.beside("rotate", "loja", "--json")).documents
        assert second["id"] != first["id"]
        row = simulator.database["loja"].row
        assert row is not None
        assert row.host == second["host"]
        old = await pool.proxy(first["id"])
        assert old is not None
        assert old.lease is not None
        assert (old.lease.tail, old.lease.phase) == (True, "releasing")


async def test_release_clears_the_row_and_leaves_the_rest_to_the_service(
    pool: Pool, simulator: Simulator, evoproxy: Commands
) -> None:
    simulator.create("loja")
    async with controlled(pool, default=simulator) as controller:
        simulator.open("loja")
        (given,) = (await evoproxy.beside("assign", "loja", "--json")).documents
        (left,) = (await evoproxy.beside("release", "loja", "--json")).documents
        assert (left["id"], left["phase"], left["waits"]) == (given["id"], "releasing", "socket")
        row = simulator.database["loja"].row
        assert row is not None
        assert not row.enabled

        async def over() -> bool:
            await controller.servers["default"].tick()
            return await pool.lease(given["id"]) is None

        await wait_until(over, what="the socket has moved")

    nothing = await evoproxy.beside("release", "loja")
    assert nothing.exit_code == REFUSED
    assert nothing.stderr == "evoproxy: The instance holds no proxy (instance: loja)\n"


async def test_a_slow_clear_is_finished_before_the_command_ends(
    pool: Pool, simulator: Simulator, evoproxy: Commands
) -> None:
    simulator.create("loja")
    async with controlled(pool, default=simulator):
        await evoproxy.beside("assign", "loja")
        simulator.paces.service["proxy/set"] = (1.3, 1.3)
        await evoproxy.beside("release", "loja")
        row = simulator.database["loja"].row
        assert row is not None
        assert not row.enabled


async def test_release_by_force_does_not_wait(pool: Pool, simulator: Simulator, evoproxy: Commands) -> None:
    simulator.create("loja")
    async with controlled(pool, default=simulator):
        simulator.open("loja")
        (given,) = (await evoproxy.beside("assign", "loja", "--json")).documents
        forced = await evoproxy.beside("release", "loja", "--force")
        assert (forced.exit_code, forced.stdout) == (DONE, "loja: its proxy was given back\n")
        proxy = await pool.proxy(given["id"])
        assert proxy is not None
        assert proxy.status == "quarantined"


async def test_a_name_on_several_servers(pool: Pool, simulator: Simulator, evoproxy: Commands, redis_url: str) -> None:
    async with Simulator(paces=Paces.fast(), sockets=simulator.sockets) as second:
        evoproxy.env["EVOPROXY_SERVERS"] = json.dumps(
            [{"name": "filial", "baseUrl": second.url, "apiKey": second.api_key}]
        )
        for one in (simulator, second):
            one.create("loja")
        second.create("only-there")
        async with controlled(pool, default=simulator, filial=second):
            told = await evoproxy.beside("assign", "loja")
            assert told.exit_code == USAGE
            assert (
                told.stderr
                == "evoproxy: Instance loja exists on several servers: default, filial; name one with --server\n"
            )

            (given,) = (await evoproxy.beside("assign", "loja", "--server", "filial", "--json")).documents
            assert given["server"] == "filial"
            (given,) = (await evoproxy.beside("assign", "only-there", "--json")).documents
            assert given["server"] == "filial"

            second.create("just-made")
            (given,) = (await evoproxy.beside("assign", "just-made", "--json")).documents
            assert given["server"] == "filial"

            nobody = await evoproxy.beside("assign", "nobody")
            assert (nobody.exit_code, nobody.stderr) == (REFUSED, "evoproxy: Unknown instance (instance: nobody)\n")


async def test_what_the_server_says_is_told(pool: Pool, simulator: Simulator, evoproxy: Commands) -> None:
    async with controlled(pool, default=simulator):
        simulator.create("loja")
        for spec in SPECS:
            simulator.conditions[Endpoint.of(spec)] = Condition.DEAD
        refused = await evoproxy.beside("assign", "loja")
        assert refused.exit_code == REFUSED
        assert refused.stderr.startswith("evoproxy: The Evolution API refused to configure the proxy (server: default")
        assert "Invalid proxy" in refused.stderr
        assert await pool.leases_of("default") == {}

        wrong = await evoproxy.beside("assign", "loja", GLOBAL_API_KEY="not-this-one")
        assert wrong.exit_code == USAGE
        assert wrong.stderr.startswith("evoproxy: The Evolution API refused the key (server: default")
        assert "not-this-one" not in wrong.stderr

        watching = await evoproxy.beside("assign", "loja", EVOPROXY_MODE="observe")
        assert (watching.exit_code, len(watching.stderr.splitlines())) == (REFUSED, 1)

    away = await evoproxy.beside("assign", "loja", EVOLUTION_API_BASE_URL="http://127.0.0.1:1")
    assert away.exit_code == UNREACHABLE
    assert away.stderr.startswith("evoproxy: The Evolution API can't be reached")


async def test_nothing_is_given_before_every_server_was_read(
    pool: Pool, simulator: Simulator, evoproxy: Commands
) -> None:
    simulator.create("loja")
    never = await evoproxy.beside("assign", "loja")
    assert (never.exit_code, never.stderr) == (
        REFUSED,
        "evoproxy: Server default is not configured\n",
    )
    await pool.configure(["default", "filial"], events_max=1000)
    waiting = await evoproxy.beside("assign", "loja")
    assert waiting.exit_code == REFUSED
    assert waiting.stderr.startswith("evoproxy: Waiting for the first complete reading of server ")
