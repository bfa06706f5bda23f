"""``plan`` against a simulated server and a real Redis: it tells, and changes nothing."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from service.cli.command import DONE, REFUSED, UNREACHABLE, USAGE
from service.evolution.simulator import Simulator
from service.models import Protocol, ProxySpec
from service.pool.pool import Pool, open_pool
from tests.commands import Commands, clean
from tests.lua.invariants import dump

pytestmark = pytest.mark.redis

SPECS = [ProxySpec(Protocol.HTTP, f"192.0.2.{number}", 8000, "ana", "Pl4nted", group="sul") for number in (1, 2, 3)]
FIRST = min(SPECS, key=lambda spec: spec.id)
"""Of proxies that are as long in the line, the smallest id."""


@pytest.fixture
async def pool(redis: Redis, redis_url: str) -> AsyncIterator[Pool]:
    async with open_pool(redis_url, "default") as pool:
        await pool.import_proxies(SPECS, stamp="s", actor="auto")
        yield pool


@pytest.fixture
def evoproxy(redis_url: str, simulator: Simulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Commands:
    clean(monkeypatch, tmp_path)
    server = {"EVOLUTION_API_BASE_URL": simulator.url, "GLOBAL_API_KEY": simulator.api_key}
    return Commands({"REDIS_URL": redis_url, **server})


async def test_before_serve_ever_ran(pool: Pool, simulator: Simulator, evoproxy: Commands) -> None:
    simulator.create("adopted", state="open", row=SPECS[0])
    simulator.create("bare", state="open")
    simulator.create("vip", state="open")
    before = await dump(pool.redis, pool.keys.root)
    found = (await evoproxy.beside("plan", "--json", EVOPROXY_EXCLUDE="vip")).documents
    told = await evoproxy.beside("plan", EVOPROXY_EXCLUDE="vip")
    assert await dump(pool.redis, pool.keys.root) == before
    assert {call.method for call in simulator.calls.recent} == {"GET"}
    *instances, totals = found
    assert instances[0].keys() == {
        *("server", "instanceId", "name", "state", "steps", "left", "proxyId", "group", "strict"),
    }
    assert {one["name"]: (one["steps"], one["left"], one["proxyId"]) for one in instances} == {
        "adopted": (["adopt"], None, SPECS[0].id),
        "bare": (["assign", "restart"], None, None),
        "vip": ([], "not_managed", None),
    }
    assert totals == {
        "instances": 3,
        "steps": {"adopt": 1, "assign": 1, "restart": 1},
        "left": {"not_managed": 1},
        "needed": 1,
        "available": 2,
        "groups": {},
        "missing": {},
        "seconds": 2,
        "errors": {},
    }
    assert (told.exit_code, told.stderr) == (DONE, "")
    assert "default\tbare\topen\tassign,restart\t–\t–\t–\n" in told.stdout
    assert "Pl4nted" not in told.stdout + json.dumps(found)


async def test_too_few_proxies_are_warned_of_and_no_failure(
    pool: Pool, simulator: Simulator, evoproxy: Commands
) -> None:
    for number in range(5):
        simulator.create(f"x{number}", state="open")
    rules = '[{"name": "x0", "group": "ouro", "strict": true}]'
    told = await evoproxy.beside("plan", EVOPROXY_GROUP_RULES=rules)
    assert told.exit_code == DONE
    assert told.stderr.splitlines() == [
        "evoproxy: warning: 1 proxies are missing in group ouro, which a strict rule asks for",
        "evoproxy: warning: 1 proxies are missing; the last instances get none",
    ]
    await pool.pause(paused=True, actor="cli:test")
    paused = await evoproxy.beside("plan", EVOPROXY_LOCALE="pt-BR")
    assert "aviso: a atribuição automática está pausada" in paused.stderr


async def test_what_one_would_get_and_why(pool: Pool, simulator: Simulator, evoproxy: Commands) -> None:
    simulator.create("loja")
    (told,) = (await evoproxy.beside("plan", "loja", "--json")).documents
    assert (told["outcome"], told["waitsFor"], told["left"]) == ("leased", "not_configured", "not_yet")
    assert told["says"] == "free for longest of 3 candidates"
    assert (told["proxyId"], told["choice"]["why"], told["choice"]["candidates"]) == (FIRST.id, "line", 3)
    assert told["address"] == f"http://{FIRST.host}:8000"
    shown = await evoproxy.beside("plan", "loja", EVOPROXY_LOCALE="pt-BR")
    assert "says        o livre há mais tempo entre 3 candidatos\n" in shown.stdout
    rules = '[{"group": "ouro", "strict": true}]'
    (none,) = (await evoproxy.beside("plan", "loja", "--json", EVOPROXY_GROUP_RULES=rules)).documents
    assert (none["outcome"], none["proxyId"]) == ("no_proxy_available", None)
    assert none["says"] == "No unused proxy available: 3 free in other groups"
    nobody = await evoproxy.beside("plan", "nobody")
    assert (nobody.exit_code, nobody.stderr.startswith("evoproxy: Unknown instance")) == (REFUSED, True)


async def test_a_proxy_that_a_row_names_is_promised_to_nobody_else(
    pool: Pool, simulator: Simulator, evoproxy: Commands
) -> None:
    """Before the first reading the pool does not know that it is in use."""
    simulator.create("adopted", state="open", row=FIRST)
    simulator.create("loja", state="open")
    (told,) = (await evoproxy.beside("plan", "loja", "--json")).documents
    assert (told["outcome"], told["waitsFor"], told["proxyId"], told["address"]) == (
        *("leased", "not_configured", None, None),
    )
    assert told["says"] == "which one is known once the server was read: rows name some of the free proxies"


async def test_why_one_holds_what_it_holds(pool: Pool, simulator: Simulator, evoproxy: Commands) -> None:
    await pool.configure(["default"], events_max=1000)
    await pool.mark_read("default", epoch=await pool.epoch(), listed=0)
    simulator.create("loja")
    shown = await evoproxy.beside("assign", "loja")
    assert "why                   free for longest of 3 candidates\n" in shown.stdout
    (told,) = (await evoproxy.beside("plan", "loja", "--json")).documents
    assert (told["outcome"], told["proxyId"], told["choice"]["candidates"]) == ("held", FIRST.id, 3)
    (listed,) = (await evoproxy.beside("instances", "--json")).documents
    assert listed["choice"] == told["choice"]
    simulator.create("foreign", row=ProxySpec(Protocol.HTTP, "192.0.2.99", 8000))
    (foreign,) = (await evoproxy.beside("plan", "foreign", "--json")).documents
    assert (foreign["left"], foreign["choice"]) == ("external", None)


async def test_a_server_that_is_away_does_not_hide_the_others(
    pool: Pool, simulator: Simulator, evoproxy: Commands
) -> None:
    evoproxy.env["EVOPROXY_SERVERS"] = json.dumps([{"name": "away", "baseUrl": "http://127.0.0.1:1", "apiKey": "k"}])
    simulator.create("loja", state="open")
    told = await evoproxy.beside("plan", "--json")
    assert told.exit_code == UNREACHABLE
    assert json.loads(told.stdout.splitlines()[0])["name"] == "loja"
    assert json.loads(told.stdout.splitlines()[-1])["errors"] == {"away": "evolution_unavailable"}
    assert told.stderr.startswith("evoproxy: The Evolution API can't be reached")
    assert (await evoproxy.beside("plan", "--json", "--server", "default")).exit_code == DONE
    assert (await evoproxy.beside("plan", "--server", "none")).exit_code == USAGE
