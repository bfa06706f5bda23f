"""Every command ends with each exit code that it can have: done, refused, wrong usage, out of reach."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from pydantic import SecretStr
from redis.asyncio import Redis
from typer.main import get_command

from service import cli
from service.cli.command import DONE, REFUSED, UNREACHABLE, USAGE
from service.control.controller import Controller
from service.evolution.client import EvolutionClient
from service.evolution.simulator import Paces, Simulator
from service.mirror.database import open_database
from service.mirror.migrate import migrate
from service.models import Protocol, ProxySpec
from service.pool.pool import open_pool
from service.pool.tokens import Role
from service.settings import Settings
from tests.commands import Commands, clean

pytestmark = pytest.mark.redis

FREE, HELD, *MORE = (ProxySpec(Protocol.HTTP, f"192.0.2.{number}", 8000, "ana", "p:w") for number in range(1, 6))
NO_ID = "0" * 20
ITS_DRIFT = "the id of the drift that there is"
KEY = {"EVOPROXY_ENCRYPTION_KEY": "00112233445566778899aabbccddeeff" * 2}
NO_TABLES = {"DATABASE_URL": "sqlite:///empty.db"}
DEAD = {
    "REDIS_URL": "redis://127.0.0.1:1",
    "DATABASE_URL": "postgresql://ana:pw@127.0.0.1:1/x",
    "EVOLUTION_API_BASE_URL": "http://127.0.0.1:1",
}
REMOTE = ("--url", "http://127.0.0.1:1", "--token", "t")


@dataclass(frozen=True)
class Row:
    """What succeeds, and what is refused, where anything can be. ``remote``: it takes ``--url``."""

    done: tuple[str, ...] = ()
    refused: tuple[str, ...] | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    refused_env: Mapping[str, str] = field(default_factory=dict)
    remote: bool = True
    once: bool = False


TABLE = {
    "plan": Row(refused=("nobody",), remote=False),
    "populate": Row(("proxies.txt",)),
    "export": Row(),
    "stats": Row(),
    "proxies": Row(),
    "instances": Row(),
    "assign": Row(("loja",), ("nobody",)),
    "release": Row(("held",), ("loja",), once=True),
    "rotate": Row(("held",), ("loja",)),
    "servers": Row(),
    "drift": Row(),
    "repair": Row((ITS_DRIFT,), ("nobody",), once=True),
    "ignore": Row(("default",)),
    "forget": Row(("gone",), ("default",), once=True),
    "disable": Row((FREE.id,), (NO_ID,)),
    "enable": Row((FREE.id,), (NO_ID,)),
    "edit": Row((FREE.id, "--group", "sul"), (NO_ID, "--group", "sul")),
    "remove": Row((FREE.id,), (HELD.id,), once=True),
    "reveal": Row((FREE.id,), (NO_ID,)),
    "jobs": Row(refused=("nobody",)),
    "pause": Row(),
    "resume": Row(),
    "check": Row(refused=(), remote=False),
    "events": Row(refused=(), refused_env=NO_TABLES),
    "ledger": Row(("--instance", "loja"), ("--instance", "loja"), refused_env=NO_TABLES),
    "rotate-key": Row(env=KEY, remote=False),
    "snapshot": Row(),
    "migrate": Row(remote=False),
    "restore": Row(("--merge", "--dry-run"), (), remote=False),
    "brake release": Row(),
    "token create": Row(("panel",), ("panel",), once=True),
    "token list": Row(),
    "token revoke": Row(("old",), ("old",), once=True),
    "webhooks install": Row(env={"EVOPROXY_WEBHOOK_SECRET": "w" * 32}, remote=False),
}
STAYING = {"serve", "demo"}


def commands() -> set[str]:
    found = set()
    for name, one in get_command(cli.app).commands.items():  # type: ignore[attr-defined]  # click's Group
        inner = getattr(one, "commands", None)
        found |= {name} if inner is None else {f"{name} {each}" for each in inner}
    return found


def test_every_command_has_its_row() -> None:
    assert commands() == TABLE.keys() | STAYING


@pytest.fixture
async def evoproxy(
    redis: Redis, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Commands]:
    """A server with three instances, of which ``held`` holds one of five proxies and ``far`` an external one; a table
    that shows them; a token ``old``; a former server ``gone``."""
    clean(monkeypatch, tmp_path)
    (tmp_path / "proxies.txt").write_text("192.0.2.9:80\n")
    (tmp_path / "data").mkdir()
    (tmp_path / "empty.db").touch()
    async with open_database(f"sqlite:///{tmp_path}/data/evoproxy.db") as engine:
        await migrate(engine)
    async with Simulator(paces=Paces.fast()) as sim, open_pool(redis_url, "default") as pool:
        for name in ("loja", "held"):
            sim.create(name, state="close")
        sim.create("far", state="close", row=ProxySpec(Protocol.HTTP, "198.51.100.1", 8000))
        await pool.import_proxies([FREE, HELD, *MORE], stamp="s", actor="auto")
        await pool.create_token("old", Role.VIEWER, actor="cli:test")
        async with EvolutionClient.open("default", sim.url, SecretStr(sim.api_key)) as client:
            controller = Controller(pool, {"default": client}, Settings())
            await controller.configure()
            await redis.sadd("evoproxy:{default}:former", "gone")
            await controller.servers["default"].tick()
            commands = Commands(
                {"REDIS_URL": redis_url, "EVOLUTION_API_BASE_URL": sim.url, "GLOBAL_API_KEY": sim.api_key}
            )
            given = await commands.beside("assign", "held", "--proxy", HELD.id)
            mirrored = await commands.beside("snapshot")
            assert (given.exit_code, mirrored.exit_code) == (DONE, DONE)
            yield commands
            await controller.stop()


@pytest.mark.parametrize("name", TABLE)
async def test_exit_codes(evoproxy: Commands, redis: Redis, name: str) -> None:
    row = TABLE[name]
    done_by = row.done
    if ITS_DRIFT in done_by:
        [drift] = (await evoproxy.beside("drift", "--json")).documents
        done_by = (drift["id"],)
    command = (*name.split(), *done_by)

    wrong = await evoproxy.beside(*command, "--nonsense")
    assert (wrong.exit_code, "--nonsense" in wrong.stderr) == (USAGE, True)

    settings = await evoproxy.beside(*command, **{**row.env, "EVOPROXY_POL": "1"})
    assert (settings.exit_code, settings.stdout) == (USAGE, "")

    dead = await evoproxy.beside(*command, **{**row.env, **DEAD})
    assert (dead.exit_code, len(dead.stderr.splitlines())) == (UNREACHABLE, 1), dead
    if row.remote:
        away = await evoproxy.beside(*command, *REMOTE)
        assert (away.exit_code, away.stdout, len(away.stderr.splitlines())) == (UNREACHABLE, "", 1)

    for form in ("--json",) if row.once else ("", "--json"):
        done = await evoproxy.beside(*command, *filter(None, [form]), **row.env)
        assert (done.exit_code, done.stderr.count("evoproxy: ")) == (DONE, 0), done
        if form:
            documents = [done.stdout] if name == "export" else done.stdout.splitlines()
            assert all(isinstance(json.loads(document), dict | list) for document in documents)
    if row.refused is not None:
        if name == "check":
            await redis.zadd("evoproxy:{default}:used", {FREE.id: 0})
        refused = await evoproxy.beside(*name.split(), *row.refused, **{**row.env, **row.refused_env})
        assert refused.exit_code == REFUSED, refused


@pytest.mark.parametrize("name", sorted(STAYING))
def test_what_stays_ends_at_once_when_it_can_not_begin(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clean(monkeypatch, tmp_path)
    monkeypatch.setattr("service.log.configure", lambda log_format: None)  # it would outlive the test
    evoproxy = Commands()
    assert evoproxy(name, "--nonsense").exit_code == USAGE
    assert evoproxy(name, EVOPROXY_POL="1").exit_code == USAGE
    assert evoproxy("serve", EVOPROXY_PORT="0", REDIS_URL="redis://127.0.0.1:1").exit_code == UNREACHABLE
