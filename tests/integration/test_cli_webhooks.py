"""``webhooks install`` against simulated servers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from service.cli.command import DONE, REFUSED, UNREACHABLE, USAGE
from service.evolution.simulator import Fault, Paces, Simulator
from tests.commands import Commands, Result, clean

SECRET = "hush-hush,a-webhook-secret"
EVENTS = ["LOGOUT_INSTANCE", "REMOVE_INSTANCE", "STATUS_INSTANCE"]
OWN = {
    "enabled": True,
    "url": "https://crm.example/hook",
    "events": ["MESSAGES_UPSERT"],
    "webhookByEvents": False,
    "webhookBase64": False,
    "headers": {"authorization": "the-operators"},
}


@pytest.fixture
def evoproxy(simulator: Simulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Commands:
    clean(monkeypatch, tmp_path)
    server = {"EVOLUTION_API_BASE_URL": simulator.url, "GLOBAL_API_KEY": simulator.api_key}
    return Commands({"EVOPROXY_WEBHOOK_SECRET": SECRET, **server})


async def install(evoproxy: Commands, *args: str, **env: str) -> Result:
    return await evoproxy.beside("webhooks", "install", *args, **env)


async def outcomes(evoproxy: Commands, *args: str, **env: str) -> dict[str, str]:
    (document,) = (await install(evoproxy, "--json", *args, **env)).documents
    (server,) = document["servers"]
    return {one["name"]: one["outcome"] for one in server["instances"]}


async def test_each_managed_instance_gets_exactly_what_the_global_one_lacks(
    simulator: Simulator, evoproxy: Commands
) -> None:
    odd = "Padaria São João/1 %2F"
    for name in ("loja", odd, "vip"):
        simulator.create(name)
    simulator.create("bot", integration="EVOLUTION")
    simulator.memory["loja"].webhook = own = dict(OWN)
    done = await outcomes(evoproxy, "--url", "https://proxy.example/x/", EVOPROXY_EXCLUDE="vip*")
    assert done == {"loja": "left_alone", odd: "set"}
    assert simulator.memory["loja"].webhook == own == OWN
    assert simulator.memory[odd].webhook == {
        "enabled": True,
        "url": "https://proxy.example/x/webhooks/evolution/default",
        "events": EVENTS,
        "webhookByEvents": False,
        "webhookBase64": False,
        "headers": {"authorization": f"Bearer {SECRET}"},
    }
    assert [simulator.memory[name].webhook for name in ("vip", "bot")] == [None, None]


async def test_again_it_changes_nothing_and_a_new_address_or_secret_is_written(
    simulator: Simulator, evoproxy: Commands
) -> None:
    simulator.create("loja")
    assert await outcomes(evoproxy) == {"loja": "set"}
    sets = simulator.calls.counts["webhook/set"]
    assert await outcomes(evoproxy) == {"loja": "unchanged"}
    assert simulator.calls.counts["webhook/set"] == sets == 1
    for change in ({"EVOPROXY_PORT": "9"}, {"EVOPROXY_WEBHOOK_SECRET": "another-secret"}):
        assert await outcomes(evoproxy, **change) == {"loja": "set"}
    webhook: Any = simulator.memory["loja"].webhook
    assert webhook["headers"] == {"authorization": "Bearer another-secret"}
    webhook["enabled"] = False
    assert await outcomes(evoproxy, EVOPROXY_WEBHOOK_SECRET="another-secret") == {"loja": "set"}


@pytest.mark.parametrize(
    "url", ["", "http://[", "https://crm.example/webhooks/evolution/default/x", "https://x/webhooks/evolution/other"]
)
async def test_whatever_leads_elsewhere_is_left_alone(simulator: Simulator, evoproxy: Commands, url: str) -> None:
    simulator.create("loja")
    simulator.memory["loja"].webhook = {**OWN, "url": url, "enabled": False}
    assert await outcomes(evoproxy) == {"loja": "left_alone"}
    assert simulator.calls.counts["webhook/set"] == 0


async def test_a_webhook_that_the_database_hid_is_not_overwritten(simulator: Simulator, evoproxy: Commands) -> None:
    """B2: null says "none" and "DB down"; what was there before a good list counts."""
    simulator.create("loja")
    simulator.memory["loja"].webhook = dict(OWN)
    simulator.warts.faults.append(Fault("webhook/find", times=1, body=b"null"))
    assert await outcomes(evoproxy) == {"loja": "left_alone"}
    simulator.warts.faults.append(Fault("webhook/find", times=1, status=500))
    simulator.warts.faults.append(Fault("webhook/find", times=1, body=b"null"))
    result = await install(evoproxy, "--json")
    assert (result.exit_code, simulator.calls.counts["webhook/set"]) == (REFUSED, 0)


async def test_a_dry_run_changes_nothing(simulator: Simulator, evoproxy: Commands) -> None:
    simulator.create("loja")
    assert await outcomes(evoproxy, "--dry-run") == {"loja": "set"}
    assert simulator.memory["loja"].webhook is None
    text = await install(evoproxy, "--dry-run")
    assert text.exit_code == DONE
    assert text.stdout.endswith("dry run: nothing was changed\n")


async def test_the_lines_for_the_servers_environment(simulator: Simulator, evoproxy: Commands) -> None:
    simulator.create("loja")
    simulator.create("crm")
    simulator.memory["crm"].webhook = dict(OWN)
    result = await install(evoproxy)
    lines = [
        "WEBHOOK_GLOBAL_ENABLED=true",
        f"WEBHOOK_GLOBAL_URL=http://127.0.0.1:8080/webhooks/evolution/default/{SECRET}",
        "WEBHOOK_GLOBAL_WEBHOOK_BY_EVENTS=false",
        "WEBHOOK_EVENTS_CONNECTION_UPDATE=true",
        "WEBHOOK_EVENTS_INSTANCE_CREATE=true",
        "WEBHOOK_EVENTS_INSTANCE_DELETE=true",
    ]
    assert [line for line in result.stdout.splitlines() if "=" in line] == lines
    assert "'crm': has a webhook of its own" in result.stderr
    assert SECRET not in result.stderr
    shown = await install(evoproxy, EVOPROXY_ASSIGN_ON="connecting")
    assert shown.stdout.endswith("WEBHOOK_EVENTS_QRCODE_UPDATED=true\n")


async def test_one_server_of_several(simulator: Simulator, evoproxy: Commands) -> None:
    async with Simulator(paces=Paces.fast(), api_key="other") as other:
        servers = f'[{{"name": "b", "baseUrl": "{other.url}", "apiKey": "other"}}]'
        for one in (simulator, other):
            one.create("loja")
        result = await install(evoproxy, "--server", "b", "--json", EVOPROXY_SERVERS=servers)
        assert [server["name"] for server in result.documents[0]["servers"]] == ["b"]
        assert (simulator.memory["loja"].webhook, bool(other.memory["loja"].webhook)) == (None, True)
        unknown = await install(evoproxy, "--server", "c", EVOPROXY_SERVERS=servers)
        assert unknown.exit_code == USAGE


async def test_a_server_that_is_away_does_not_hold_up_the_others(simulator: Simulator, evoproxy: Commands) -> None:
    async with Simulator(paces=Paces.fast(), api_key="the-other-key") as other:
        other.create("loja")
        more = f'[{{"name": "other", "baseUrl": "{other.url}", "apiKey": "the-other-key"}}]'
        away = {"EVOPROXY_SERVERS": more, "EVOLUTION_API_BASE_URL": "http://127.0.0.1:1"}
        told = await install(evoproxy, "--json", **away)
        assert told.exit_code == UNREACHABLE
        assert told.stderr.startswith("evoproxy: The Evolution API can't be reached")
        first, second = json.loads(told.stdout)["servers"]
        assert (first["name"], first["error"], first["instances"]) == ("default", "evolution_unavailable", [])
        assert [second["error"], *(one["outcome"] for one in second["instances"])] == [None, "set"]
        shown = await install(evoproxy, **away)
        assert "WEBHOOK_GLOBAL_ENABLED=true" in shown.stdout


async def test_one_that_refuses_is_told_and_the_others_are_done(simulator: Simulator, evoproxy: Commands) -> None:
    for name in ("a", "b", "c"):
        simulator.create(name)
    simulator.warts.faults.append(Fault("webhook/set", "b", status=500))
    result = await install(evoproxy)
    assert (result.exit_code, "'b': failed: evolution_unknown" in result.stderr) == (REFUSED, True)
    assert [bool(simulator.memory[name].webhook) for name in ("a", "b", "c")] == [True, False, True]


@pytest.mark.parametrize(
    ("env", "told", "code"),
    [
        ({"EVOPROXY_WEBHOOK_SECRET": ""}, "EVOPROXY_WEBHOOK_SECRET: not set", USAGE),
        ({"EVOLUTION_API_BASE_URL": "", "GLOBAL_API_KEY": ""}, "EVOLUTION_API_BASE_URL: not set", USAGE),
        ({"EVOPROXY_HOST": "0.0.0.0"}, "--url", USAGE),
        ({"EVOLUTION_API_BASE_URL": "http://127.0.0.1:9"}, "", UNREACHABLE),
        ({"GLOBAL_API_KEY": "wrong"}, "refused the key", USAGE),
    ],
)
async def test_what_keeps_it_from_beginning(
    simulator: Simulator, evoproxy: Commands, env: dict[str, str], told: str, code: int
) -> None:
    result = await install(evoproxy, **env)
    assert (result.exit_code, result.stdout) == (code, "")
    assert told in result.stderr


async def test_a_url_that_is_none(evoproxy: Commands) -> None:
    for url in ("proxy.example", "http://user:pw@proxy.example"):
        result = await install(evoproxy, "--url", url)
        assert (result.exit_code, "--url: must" in result.stderr, "pw" in result.stderr) == (USAGE, True, False)
