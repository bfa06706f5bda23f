"""Commands with ``--url`` and ``--token``: the same on a running evoproxy as on its stores."""

from __future__ import annotations

import asyncio
import json
import os
import select
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from service.cli.command import DONE, REFUSED, UNREACHABLE, USAGE
from service.evolution.simulator import OFF, Simulator
from service.pool.tokens import Role
from service.web.context import JOBS
from tests.commands import Commands, Result, clean
from tests.helpers import wait_until
from tests.web.api import Api, proxy

pytestmark = pytest.mark.redis

LINES = "192.0.2.1:8000:ana:p:w%41\nno proxy at all\nsocks5://bob:secret@192.0.2.2:8000\nhttps://192.0.2.3:8000\n"
PROJECT = Path(__file__).parents[2]


class Both:
    """One command line on the stores (``local``) and on the service (``remote``)."""

    def __init__(self, api: Api, redis_url: str, sim: Simulator, folder: Path) -> None:
        servers = json.dumps([{"name": "a", "baseUrl": sim.url, "apiKey": sim.api_key}])
        self.url = str(api.client.make_url("/"))
        self.tokens: dict[Role, Path] = {}
        for role, token in api.tokens.items():
            self.tokens[role] = folder / f"{role}.token"
            self.tokens[role].write_text(token + "\n")
        env = {"REDIS_URL": redis_url, "EVOPROXY_SERVERS": servers, "EVOPROXY_DATA_DIR": str(folder)}
        self._local, self._remote = Commands(env), Commands()

    async def local(self, *args: str | Path) -> Result:
        return await self._local.beside(*args)

    async def remote(self, *args: str | Path, role: Role = Role.SUPERADMIN, **env: str) -> Result:
        return await self._remote.beside(*args, "--url", self.url, "--token", f"@{self.tokens[role]}", **env)

    async def agree(self, *args: str | Path) -> None:
        """Both say the same, once their clocks agree on what has rested."""

        async def agreed() -> bool:
            return await self.local(*args) == await self.remote(*args)

        await wait_until(agreed, deadline=20, what=f"{args} say the same")

    async def same(self, *args: str | Path) -> list[dict[str, Any]]:
        """What both say in JSON; in columns they agree too."""
        await self.agree(*args)
        await self.agree(*args, "--json")
        return (await self.remote(*args, "--json")).documents


@pytest.fixture
async def both(
    api: Api,
    redis_url: str,
    sim: Simulator,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Both:
    clean(monkeypatch, tmp_path)
    (tmp_path / "proxies.txt").write_text(LINES)
    return Both(api, redis_url, sim, tmp_path)


async def test_importing_and_listing(both: Both, api: Api) -> None:
    there = await both.remote("populate", "proxies.txt", "--group", "sul")
    assert (there.exit_code, there.stderr) == (DONE, "")
    assert "\nline 2 rejected: " in there.stdout
    assert await both.local("populate", "proxies.txt", "--dry-run") == await both.remote(
        "populate", "proxies.txt", "--dry-run"
    )
    assert [one["rejectedCount"] for one in await both.same("populate", "proxies.txt")] == [1]
    assert {one["host"] for one in await both.same("proxies")} == {"192.0.2.1", "192.0.2.2", "192.0.2.3"}
    assert len(await both.same("proxies", "--protocol", "socks5", "--group", "sul")) == 1
    assert await both.same("proxies", "--status", "used") == []


async def test_a_list_of_many_pages_comes_whole(both: Both, api: Api) -> None:
    many = "".join(f"192.0.{number // 250}.{number % 250}:80\n" for number in range(1201))
    Path("many.txt").write_text(many)
    [report] = (await both.remote("populate", "many.txt", "--json")).documents
    assert report["added"] == 1201
    assert len(await both.same("proxies")) == 1201


async def test_the_figures(both: Both) -> None:
    [here], [there] = [(await one("stats", "--json")).documents for one in (both.local, both.remote)]
    assert here.keys() < there.keys()
    assert {"mirrorLag", "lastPollAt"} <= there.keys() - here.keys()
    steady = here.keys() - {"at", "servers", "events"}
    assert {name: here[name] for name in steady} == {name: there[name] for name in steady}
    assert "unprotected" in (await both.remote("stats")).stdout


async def test_the_life_of_a_lease(both: Both, api: Api, sim: Simulator) -> None:
    name = "Padaria São João/1 %2F"
    await both.remote("populate", "proxies.txt")
    await both.remote("pause")
    sim.create(name, state="close")
    [given] = (await both.remote("assign", name, "--json", role=Role.ADMIN)).documents
    assert (given["assignedInstanceName"], given["actor"]) == (name, "token:the-admin")
    [same] = (await both.remote("assign", name, "--json")).documents
    assert same["id"] == given["id"]
    shown = await both.remote("assign", name)
    assert "why " in shown.stdout
    assert shown.stdout == (await both.local("assign", name)).stdout

    [other] = (await both.remote("rotate", name, "--json")).documents
    assert other["id"] != given["id"]
    [one] = [one for one in await both.same("instances", "--server", "a") if one["name"] == name]
    assert one["proxyId"] == other["id"]
    assert await both.same("instances", "--only", "external") == []

    forced = await both.remote("release", name, "--force")
    assert (forced.exit_code, forced.stdout) == (DONE, f"{name}: its proxy was given back\n")
    nothing = await both.remote("release", name)
    assert (nothing.exit_code, nothing.stderr) == (
        REFUSED,
        f"evoproxy: The instance holds no proxy (instance: {name})\n",
    )
    assert nothing == await both.local("release", name)


async def test_proxies_out_of_use_and_back(both: Both, api: Api) -> None:
    [proxy_id] = await api.add(1)
    for one, status in (
        (both.remote, "disabled"),
        (both.local, "free"),
        (both.local, "disabled"),
        (both.remote, "free"),
    ):
        [proxy] = (await one("disable" if status == "disabled" else "enable", proxy_id, "--json")).documents
        assert (proxy["id"], proxy["status"]) == (proxy_id, status)
    unknown = await both.remote("disable", "0" * 20)
    assert (unknown.exit_code, "Unknown proxy" in unknown.stderr) == (REFUSED, True)
    assert unknown == await both.local("disable", "0" * 20)


async def test_a_proxy_is_edited_revealed_and_removed(both: Both, api: Api) -> None:
    for proxy_id, one in zip(await api.add(2), (both.remote, both.local), strict=True):
        options = ("--group", "sul", "--label", "a", "--label", "b", "--expires", "2099-01-31T12:00:00Z")
        [edited] = (await one("edit", proxy_id, *options, "--json")).documents
        assert (edited["group"], edited["labels"]) == ("sul", ["a", "b"])
        assert edited["expiresAt"] == "2099-01-31T12:00:00.000Z"
        [cleared] = (await one("edit", proxy_id, "--label", "", "--expires", "never", "--json")).documents
        assert (cleared["group"], cleared["labels"], cleared["expiresAt"]) == ("sul", [], None)
        nothing = await one("edit", proxy_id)
        assert (nothing.exit_code, "--expires" in nothing.stderr) == (USAGE, True)
        assert (await one("reveal", proxy_id)).stdout == f"{await api.pool.reveal(proxy_id, actor='auto')}\n"
        assert (await one("remove", proxy_id)).stdout == f"proxy {proxy_id} removed\n"
        assert (await one("remove", proxy_id)).exit_code == REFUSED
    assert await both.same("proxies") == []


async def test_jobs(both: Both, api: Api) -> None:
    ids = await api.add(2)
    await api.client.app[JOBS].stop(5)
    for one in (both.remote, both.local):
        begun = await api.call("POST", "/proxies/bulk", {"action": "disable", "ids": ids})
        job_id = begun.body["jobId"]
        assert job_id in [job["id"] for job in (await one("jobs", "--json")).documents]
        [cancelled] = (await one("jobs", job_id, "--cancel", "--json")).documents
        assert cancelled["state"] == "cancelled"
        again = await one("jobs", job_id, "--cancel")
        assert (again.exit_code, len(again.stderr.splitlines())) == (REFUSED, 1)
    await both.same("jobs")
    assert (await both.remote("jobs", "--cancel")).exit_code == USAGE


async def test_a_forced_disable_moves_the_holder(both: Both, api: Api, sim: Simulator) -> None:
    await api.add(4)
    for number, one in enumerate((both.remote, both.local)):
        sim.create(f"shop {number}", state="close")
        [held] = (await one("assign", f"shop {number}", "--json")).documents
        [proxy] = (await one("disable", held["id"], "--force", "--json")).documents
        assert (proxy["id"], proxy["isActive"]) == (held["id"], False)
        [now] = (await one("assign", f"shop {number}", "--json")).documents
        assert now["id"] != held["id"]


async def drift_of(both: Both, name: str, kind: str) -> dict[str, Any]:
    """What the service tells of it, past what it was before, as soon as it does; the stores say the same."""
    found: list[dict[str, Any]] = []

    async def there() -> bool:
        told = (await both.remote("drift", "--kind", kind, "--json")).documents
        found[:] = [one for one in told if one["instanceName"] == name]
        return bool(found)

    await wait_until(there, what=f"{kind} of {name}")
    await both.agree("drift")
    return found[0]


async def test_drift_is_repaired_by_hand(both: Both, api: Api, sim: Simulator) -> None:
    await api.add(2)
    for number, one in enumerate((both.remote, both.local)):
        sim.create(f"shop {number}", state="close", row=proxy(90 + number))
        drift = await drift_of(both, f"shop {number}", "external")
        assert (drift["kind"], drift["server"], drift["remedy"]) == ("external", "a", "assign")
        for wanted, found in (("external", [drift["id"]]), ("stuck", [])):
            told = (await one("drift", "--kind", wanted, "--server", "a", "--json")).documents
            assert [each["id"] for each in told] == found
        repaired = await one("repair", drift["id"])
        assert (repaired.exit_code, repaired.stdout) == (DONE, "repaired, or what repairs it has begun\n")

        async def over() -> bool:
            return [(await each("drift")).stdout for each in (both.remote, both.local)] == ["", ""]

        await wait_until(over, what="nothing differs any more")
        again = await one("repair", drift["id"])
        assert (again.exit_code, len(again.stderr.splitlines())) == (REFUSED, 1)


async def test_drift_that_repairs_itself_says_how(both: Both, api: Api, sim: Simulator) -> None:
    await api.add(1)
    sim.create("shop", state="open")

    async def applied() -> bool:
        return [one["applied"] for one in (await both.remote("instances", "--json")).documents] == ["yes"]

    await wait_until(applied, what="it is served")
    await both.remote("pause")

    async def noticed() -> bool:
        sim.set_row_by_hand("shop", OFF)  # once more, should a look from before the pause have set the proxy again
        return bool((await both.remote("drift", "--kind", "row_missing", "--json")).documents)

    await wait_until(noticed, what="the row is missed")
    drift = await drift_of(both, "shop", "row_missing")
    for one in (both.remote, both.local):
        told = await one("repair", drift["id"])
        assert told.stdout == "repairs itself: set the proxy again; waits for the end of the pause\n"
        [document] = (await one("repair", drift["id"], "--json")).documents
        assert (document["id"], document["drift"]["kind"]) == (drift["id"], "row_missing")


async def test_the_servers(both: Both, api: Api) -> None:
    [here], [there] = [(await one("servers", "--json")).documents for one in (both.local, both.remote)]
    assert here.keys() < there.keys()
    assert {"drift", "error", "lastPollAt"} <= there.keys() - here.keys()
    assert (here["name"], here["read"], here["ignored"]) == ("a", True, False)
    for one, other in ((both.remote, both.local), (both.local, both.remote)):
        for options, ignored in ((), True), (("--off",), False):
            assert (await one("ignore", "a", *options, "--json")).documents == [{"name": "a", "ignored": ignored}]
            assert (await other("servers", "--json")).documents[0]["ignored"] == ignored
        await api.pool.redis.sadd(api.pool.keys.named("former"), "old")
        assert [server["configured"] for server in (await other("servers", "--json")).documents] == [True, False]
        gone = await one("forget", "old")
        assert (gone.exit_code, gone.stdout) == (DONE, "old forgotten: 0 leases ended, 0 instances\n")
    for args, code in ((("forget", "a"), REFUSED), (("forget", "old"), USAGE)):
        refused = await both.remote(*args)
        assert (refused.exit_code, len(refused.stderr.splitlines())) == (code, 1)
        assert refused == await both.local(*args)
    for unknown in (("ignore", "zz"), ("drift", "--server", "zz")):
        assert [(await one(*unknown)).exit_code for one in (both.remote, both.local)] == [USAGE, USAGE]


async def test_pause_and_brake(both: Both, api: Api) -> None:
    for one, other in ((both.remote, both.local), (both.local, both.remote)):
        assert (await one("pause")).exit_code == DONE
        assert (await other("stats", "--json")).documents[0]["paused"]
        assert (await one("resume", "--json")).documents == [{"paused": False}]
        await api.pool.brake("a", "set", engaged=True, reason="by_hand")
        assert (await other("stats", "--json")).documents[0]["brake"]["engaged"]
        [brake] = (await one("brake", "release", "--server", "a", "--half", "set", "--json")).documents
        assert brake == {"engaged": False, "reason": None, "since": None, "servers": []}
    assert await both.local("brake", "release") == await both.remote("brake", "release")


@pytest.mark.parametrize("form", ["lines", "csv", "json", "ndjson"])
async def test_export_is_the_same_document(both: Both, form: str) -> None:
    await both.remote("populate", "proxies.txt")
    for options in ((), ("--secrets",), ("--status", "used")):
        args = ("export", "--format", form, *options)
        await both.agree(*args)
        there = await both.remote(*args)
        assert ("secret" in there.stdout) == ("--secrets" in options)
        told = [await one(*args, "-o", "out") for one in (both.local, both.remote)]
        assert told[0].stdout == told[1].stdout == f"{0 if '--status' in options else 3} proxies exported to out\n"
        assert Path("out").read_text() == there.stdout


async def test_the_audit(both: Both, api: Api) -> None:
    await api.add(3)
    await both.remote("snapshot")

    async def mirrored() -> bool:
        return len((await both.remote("events", "--type", "proxy.added", "--json")).documents) == 3

    await wait_until(mirrored, deadline=20, what="the events are in SQL")
    assert len(await both.same("events", "--type", "proxy.", "--limit", "2")) == 2
    assert await both.same("ledger", "--instance", "nobody") == []
    [compared] = await both.same("snapshot")
    assert (compared["compared"], compared["differing"]) == (3, 0)
    for args in (("events", "--type", "lease"), ("ledger",), ("events", "--from", "yesterday")):
        wrong = await both.remote(*args)
        assert wrong.exit_code == USAGE
        assert wrong == await both.local(*args)


async def test_tokens(both: Both) -> None:
    for one in (both.remote, both.local):
        [made] = (await one("token", "create", "panel", "--role", "admin", "--rate-limit", "60", "--json")).documents
        assert (made["name"], made["role"], made["rateLimit"]) == ("panel", "admin", 60)
        assert made["token"].startswith("evp_panel_")
        listed = (await one("token", "list", "--json")).documents
        assert "panel" in [token["name"] for token in listed]
        assert {token["token"] for token in listed} == {None}
        twice = await one("token", "create", "panel")
        assert (twice.exit_code, len(twice.stderr.splitlines())) == (REFUSED, 1)
        assert (await one("token", "revoke", "panel", "--json")).documents == [{"name": "panel", "revoked": True}]
        assert (await one("token", "revoke", "panel")).exit_code == REFUSED


async def test_a_refusal_in_the_readers_words(both: Both, sim: Simulator) -> None:
    sim.create("loja", state="close")
    portuguese = await both.remote("assign", "loja", EVOPROXY_LOCALE="pt-BR")
    assert portuguese.exit_code == REFUSED
    assert portuguese.stderr == "evoproxy: Nenhum proxy não utilizado disponível (instance: loja)\n"
    assert await both.local("assign", "loja") == await both.remote("assign", "loja")
    assert (await both.remote("instances", "--server", "zz")).exit_code == USAGE


async def test_who_may_not(both: Both) -> None:
    forbidden = await both.remote("pause", role=Role.VIEWER)
    assert (forbidden.exit_code, forbidden.stderr) == (USAGE, "evoproxy: Requires the role admin\n")
    for args in (("export",), ("token", "list"), ("token", "create", "x"), ("events",)):
        assert (await both.remote(*args, role=Role.VIEWER)).exit_code == USAGE
    both.tokens[Role.VIEWER].write_text("evp_the-viewer_" + "0" * 64)
    wrong = await both.remote("stats", role=Role.VIEWER)
    assert (wrong.exit_code, wrong.stderr) == (USAGE, "evoproxy: The token is missing or invalid\n")


async def test_a_file_that_ends_badly_is_told_of(both: Both, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.cli.populate.LARGEST", 4096)
    monkeypatch.setattr("service.cli.populate._CHUNK", 1024)
    monkeypatch.setattr("service.cli.populate.os.fstat", lambda _: type("Stat", (), {"st_size": 1}))  # it grows later
    Path("list.txt").write_bytes(b"192.0.2.1:80\n" + b"# comment\n" * 1000)
    grown = await both.remote("populate", "list.txt")
    assert (grown.exit_code, grown.stderr) == (
        USAGE,
        "evoproxy: list.txt: larger than 0 MB; split it into smaller files\n",
    )
    Path("odd.bin").write_bytes(b"\x7fELF\x00\x01" * 100)
    here, there = await both.local("populate", "odd.bin"), await both.remote("populate", "odd.bin")
    assert here == there
    assert (there.exit_code, there.stderr.startswith("evoproxy: odd.bin: ")) == (USAGE, True)


async def test_the_address_of_the_api_itself(both: Both) -> None:
    both.url += "api/v1/"
    assert (await both.remote("stats")).exit_code == DONE


# What answers at the address is no evoproxy.


@asynccontextmanager
async def answering(answer: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    async with TestServer(app) as server:
        yield str(server.make_url("/"))


@pytest.fixture
def evoproxy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Commands:
    clean(monkeypatch, tmp_path)
    (tmp_path / "proxies.txt").write_text(LINES)
    return Commands()


HTML = "text/html"
PROBLEM = "application/problem+json"


@pytest.mark.parametrize(
    ("status", "media_type", "body", "code", "told"),
    [
        (200, HTML, "<h1>hello</h1>", USAGE, "does not answer as an evoproxy does (200 text/html)"),
        (200, "application/json", "[1]", USAGE, "does not answer as an evoproxy does (200 application/json)"),
        (200, "application/json", "{cut", USAGE, "does not answer as an evoproxy does (200 application/json)"),
        (301, HTML, "", USAGE, "does not answer as an evoproxy does (301 text/html)"),
        (403, HTML, "<h1>Forbidden</h1>", USAGE, "does not answer as an evoproxy does (403 text/html)"),
        (404, "application/json", "{}", USAGE, "does not answer as an evoproxy does (404 application/json)"),
        (502, HTML, "<h1>Bad Gateway</h1>", UNREACHABLE, "can't be reached: 502 text/html"),
        (500, PROBLEM, '{"code": "internal", "detail": "Oh no", "status": 500}', UNREACHABLE, "evoproxy: Oh no"),
        (409, PROBLEM, '{"code": "quite_new", "detail": "Not so", "proxy": "x"}', REFUSED, "Not so (proxy: x)"),
        (429, PROBLEM, '{"code": "slow", "detail": "Too much"}', REFUSED, "evoproxy: Too much; try again in 17 s"),
        (429, HTML, "<h1>Wait</h1>", UNREACHABLE, "can't be reached: 429 text/html"),
        (422, PROBLEM, '{"code": "unknown_server", "detail": ""}', USAGE, "does not answer as an evoproxy does (422 "),
        (422, PROBLEM, '{"code": ["x"], "detail": {}}', USAGE, "does not answer as an evoproxy does (422 "),
        (422, PROBLEM, '{"title": "no code"}', USAGE, "does not answer as an evoproxy does (422 "),
    ],
)
async def test_something_else_answers(
    evoproxy: Commands, status: int, media_type: str, body: str, code: int, told: str
) -> None:
    async def answer(request: web.Request) -> web.Response:
        headers = {301: {"Location": "http://elsewhere.example/"}, 429: {"Retry-After": "17"}}.get(status)
        return web.Response(status=status, text=body, content_type=media_type, headers=headers)

    async with answering(answer) as url:
        for args in (("stats",), ("proxies", "--json"), ("export",), ("populate", "proxies.txt"), ("assign", "loja")):
            if args == ("export",) and (status, media_type) == (200, "application/json"):
                continue  # a document like any other, but for the header
            result = await evoproxy.beside(*args, "--url", url, "--token", "the-token")
            assert (result.exit_code, result.stdout) == (code, "")
            assert told in result.stderr
            assert len(result.stderr.splitlines()) == 1
            assert "the-token" not in result.stderr


@pytest.mark.parametrize(
    "args",
    ["pause", "proxies", "token create x", "snapshot", "repair x", "forget x", "release x", "populate proxies.txt"],
)
async def test_an_answer_about_something_else(evoproxy: Commands, args: str) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.json_response({"items": [1, None]})

    async with answering(answer) as url:
        result = await evoproxy.beside(*args.split(), "--url", url, "--token", "t")
    assert (result.exit_code, result.stdout, len(result.stderr.splitlines())) == (USAGE, "", 1)
    assert "does not answer as an evoproxy does (200 application/json)" in result.stderr


async def test_an_export_that_is_cut_is_no_export(evoproxy: Commands, tmp_path: Path) -> None:
    async def cut(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Disposition": "attachment"})
        await response.prepare(request)
        await response.write(b"http://192.0.2.1:80\n" * 100)
        assert request.transport is not None
        request.transport.abort()
        return response

    async with answering(cut) as url:
        result = await evoproxy.beside("export", "-o", "out.txt", "--url", url, "--token", "t")
    assert (result.exit_code, result.stdout) == (UNREACHABLE, "")
    assert [file.name for file in tmp_path.iterdir()] == ["proxies.txt"]


async def test_nobody_answers(evoproxy: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    dead = await evoproxy.beside("stats", "--url", "http://127.0.0.1:1", "--token", "t")
    assert dead.exit_code == UNREACHABLE
    assert dead.stderr.startswith("evoproxy: The evoproxy at http://127.0.0.1:1 can't be reached: Connect")

    asked = asyncio.Event()

    async def never(request: web.Request) -> web.Response:
        asked.set()
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr("service.cli.client.SILENCE", 0.2)
    async with answering(never) as url:
        silent = await evoproxy.beside("stats", "--url", url, "--token", "t")
    assert asked.is_set()
    assert (silent.exit_code, silent.stderr.endswith("can't be reached: timeout\n")) == (UNREACHABLE, True)


async def test_what_is_sent(evoproxy: Commands) -> None:
    heard: list[web.Request] = []

    async def answer(request: web.Request) -> web.Response:
        heard.append(request)
        return web.json_response({"items": [], "nextCursor": None, "total": 0})

    async with answering(answer) as url:
        args = ("proxies", "--group", "a&b=ç", "--url", url + "behind/", "--token", " t0 ")
        assert (await evoproxy.beside(*args, EVOPROXY_LOCALE="pt-BR")).exit_code == DONE
    [request] = heard
    assert request.path == "/behind/api/v1/proxies"
    assert dict(request.query) == {"limit": "500", "group": "a&b=ç"}
    assert request.headers["Authorization"] == "Bearer t0"
    assert request.headers["Accept-Language"] == "pt-BR"


# As a process of its own.


@asynccontextmanager
async def running(*args: str, cwd: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    env = {**os.environ, "PYTHONPATH": str(PROJECT), "EVOPROXY_LOCALE": "en"}
    pipe = asyncio.subprocess.PIPE
    command = (sys.executable, "-m", "service.cli", *args)
    process = await asyncio.create_subprocess_exec(
        *command, cwd=cwd, env=env, stdin=pipe, stdout=pipe, stderr=pipe, preexec_fn=_hears_ctrl_c
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def _hears_ctrl_c() -> None:
    """Whoever runs the tests in the background may have SIGINT ignored, and children inherit that."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.parametrize("args", [("stats",), ("populate", "-")])
async def test_ctrl_c_leaves_quietly(tmp_path: Path, args: tuple[str, ...]) -> None:
    """While nobody answers, and while standard input is waited for."""
    asked = asyncio.Event()

    async def never(request: web.Request) -> web.Response:
        asked.set()
        await asyncio.Event().wait()
        raise AssertionError

    async with answering(never) as url, running(*args, "--url", url, "--token", "t", cwd=tmp_path) as process:
        async with asyncio.timeout(30):
            if args == ("populate", "-"):
                assert process.stdin is not None
                process.stdin.write(b"192.0.2.1:80\n")
            await asked.wait()
            process.send_signal(signal.SIGINT)
            stdout, stderr = await _output(process)
    assert (process.returncode, stdout, stderr) == (130, b"", b"")


async def _output(process: asyncio.subprocess.Process) -> tuple[bytes, bytes]:
    """Without closing its standard input, as ``communicate`` would."""
    assert process.stdout is not None
    assert process.stderr is not None
    told = await asyncio.gather(process.stdout.read(), process.stderr.read())
    await process.wait()
    return told[0], told[1]


async def test_a_token_that_is_typed_is_not_shown(tmp_path: Path) -> None:
    heard: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        heard.append(request.headers["Authorization"])
        return web.json_response({"total": 7})

    ours, theirs = os.openpty()
    env = {**os.environ, "PYTHONPATH": str(PROJECT), "EVOPROXY_LOCALE": "en", "NO_COLOR": "1"}
    async with answering(answer) as url:
        command = (sys.executable, "-m", "service.cli", "stats", "--url", url)
        process = await asyncio.create_subprocess_exec(
            *command, cwd=tmp_path, env=env, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
        )
        os.close(theirs)
        try:
            # The blank is written once what is typed is no longer shown, and no longer thrown away.
            shown = await asyncio.to_thread(_shown, ours, b": ")
            os.write(ours, b"typed-secret\n")
            shown += await asyncio.to_thread(_shown, ours, b"never")
        except BaseException:
            process.kill()
            raise
        async with asyncio.timeout(30):
            assert await process.wait() == DONE
    os.close(ours)
    assert heard == ["Bearer typed-secret"]
    assert b"typed-secret" not in shown
    assert b"  7" in shown


def _shown(terminal: int, until: bytes) -> bytes:
    """What appears there up to ``until``, else to the end or until nothing more comes for long."""
    shown = b""
    with suppress(OSError):  # the other end is closed
        while until not in shown and select.select([terminal], [], [], 30)[0]:
            shown += os.read(terminal, 1024)
    return shown
