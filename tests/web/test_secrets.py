"""Known secrets are planted, a whole story is played, and everything that comes out anywhere is searched for them."""

from __future__ import annotations

import base64
import html
import io
import json
import logging
import socket
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AsyncExitStack, closing
from pathlib import Path
from urllib.parse import quote, quote_plus, urlsplit

import pytest
from aiohttp import ClientTimeout
from pydantic import SecretStr
from redis.asyncio import Redis

from service import log
from service.evolution.simulator import Fault, Paces, Simulator
from service.main import mask_secrets
from service.pool.tokens import Role
from service.pool.vault import Vault
from service.settings import Settings
from service.web import routes
from service.web.context import MIRROR, SETTINGS
from service.web.routing import API
from tests.commands import Commands, clean
from tests.helpers import wait_until
from tests.lua.invariants import dump
from tests.web.api import PASSWORD, SUPERADMIN, Answer, Api, lines, proxy
from tests.web.conftest import serving, settings_for
from tests.web.logins import log_in

ESCAPED, REJECTED = "Pl4nt/é+:word", "R3jected&Word"
EVOLUTION_KEY, WEBHOOK = "planted-evolution/key", "planted-webhook-secret-0123456789"
ENCRYPTION, JWT = "a planted key of the operator", "a planted secret of the application's JWTs"
STORE = "planted-st0re/word"
PLANTED = {PASSWORD, ESCAPED, REJECTED, EVOLUTION_KEY, WEBHOOK, ENCRYPTION, JWT, STORE, SUPERADMIN}
TEXT = {"Content-Type": "text/plain"}


def forms(secret: str) -> set[str]:
    """How a secret may be spelled on its way out."""
    basic = {base64.b64encode(text.encode()).decode().rstrip("=") for text in (secret, f"user:{secret}")}
    dumped = {json.dumps(secret, ensure_ascii=ascii)[1:-1] for ascii in (True, False)}
    encoded = {quote(secret), quote(secret, safe=""), quote_plus(secret), html.escape(secret), repr(secret)[1:-1]}
    return {secret} | basic | dumped | encoded


class Said:
    """What came out: where, the text, and which secrets whoever got it had asked for."""

    def __init__(self) -> None:
        self.texts: list[tuple[str, str, set[str]]] = []

    def add(self, where: str, text: object, allowed: Iterable[str] = ()) -> None:
        self.texts.append((where, str(text), set(allowed)))

    def add_all(self, answers: Iterable[Answer], allowed: Mapping[int, set[str]]) -> None:
        """The headers and texts of answers; ``allowed`` by the answer's ``id``."""
        for answer in answers:
            asked_for = allowed.get(id(answer), set())
            self.add("an answer", f"{dict(answer.headers)} {answer.text}", asked_for)
            assert all(any(form in self.texts[-1][1] for form in forms(secret)) for secret in asked_for)

    def leaks(self, secrets: Iterable[str]) -> list[str]:
        spelled = {form.lower(): secret for secret in secrets for form in forms(secret)}
        return [
            f"{secret!r} as {form!r} in {where}: {text[max(0, text.lower().find(form) - 80) :][:200]}"
            for where, text, allowed in self.texts
            for form, secret in spelled.items()
            if secret not in allowed and form in text.lower()
        ]


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """Everything that the service logs, in both formats."""
    stream = io.StringIO()
    handlers = [logging.StreamHandler(stream), logging.StreamHandler(stream)]
    handlers[0].setFormatter(log.JsonFormatter())
    handlers[1].setFormatter(log.ConsoleFormatter())
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.DEBUG)
    for handler in handlers:
        root.addHandler(handler)
    yield stream
    for handler in handlers:
        root.removeHandler(handler)
    root.setLevel(level)


def planted(redis_url: str, folder: Path, sim: Simulator, **values: object) -> Settings:
    """Settings that hold each secret; a Redis without passwords takes any."""
    url = urlsplit(redis_url)
    with_password = url._replace(netloc=f"default:{quote(STORE, safe='')}@{url.netloc}").geturl()
    settings = settings_for(
        with_password,
        folder,
        sim,
        webhook_secret=WEBHOOK,
        encryption_key=ENCRYPTION,
        jwt_secret=JWT,
        **values,
    )
    mask_secrets(settings)
    return settings


async def _protected(api: Api) -> bool:
    answer = await api.call("GET", "/instances/one")
    return answer.status == 200 and answer.body["applied"] == "yes"


async def _ask_everything(api: Api, proxy_id: str, password: str) -> dict[int, set[str]]:
    """Each route with the thing that is there; answers which answers may hold what."""
    for route in routes.ALL:
        if route.secret or route.method == "DELETE" or route.path in ("/stats/stream", "/proxies/import"):
            continue
        path = route.path.replace(":[^/]+", "").format(id=proxy_id, instance="one", name="a")
        await api.call(route.method, path, {} if route.body else None, role=Role.SUPERADMIN)
    bulk = {"action": "addLabels", "ids": [proxy_id, "none"], "labels": ["x"]}
    assert (await api.call("POST", "/proxies/bulk", bulk)).status == 202
    patch = f"/proxies/{proxy_id}"
    for body in ({"password": f"{password}\0"}, {"password": [password]}, {"group": f"{password}\n"}):
        await api.call("PATCH", patch, body)
    await api.call("PATCH", patch, data=f'{{"password": "{password}'.encode())
    for secret in (f"wrong-{SUPERADMIN}", REJECTED, f"evp_the-admin_{REJECTED}", f"a.{base64.b64encode(b'{}')!r}.c"):
        await api.call("GET", "/stats", role=None, headers={"Authorization": f"Bearer {secret}"})
        await api.call("POST", "/session", {"token": secret}, role=None)
    reveal = await api.call("POST", f"{patch}/reveal", role=Role.SUPERADMIN)
    export = await api.call("GET", "/export?secrets=true", role=Role.SUPERADMIN)
    made = await api.call("POST", "/tokens", {"name": "new", "role": "viewer"}, role=Role.SUPERADMIN)
    wish = {"server": "a", "instance": "new", "proxyId": proxy(3).id}
    reserved = await api.call("POST", "/reservations", wish)
    assert (reveal.status, export.status, made.status, reserved.status) == (200, 200, 201, 201)
    return {
        id(reveal): {reveal.body["password"]},
        id(export): {PASSWORD, ESCAPED},
        id(made): {made.body["token"]},
        id(reserved): {PASSWORD},
    }


async def _fetch_pages(api: Api, said: Said) -> None:
    """All that is served beside the API, live figures among it."""
    headers = {"Authorization": f"Bearer {api.tokens[Role.VIEWER]}"}
    for resource in api.client.app.router.resources():
        path = resource.canonical
        if "{" in path or path.startswith(API):
            continue
        async with api.client.get(path, headers=headers) as answer:
            assert answer.status in (200, 405), path
            said.add(path, await answer.text())
    stream = api.client.get("/api/v1/stats/stream", headers=headers, timeout=ClientTimeout(30))
    async with stream as answer:
        text = b""
        while b"event: stats" not in text or not text.endswith(b"\n\n"):
            text += await answer.content.readany()
        said.add("the live figures", text.decode())


async def _run_commands(said: Said, settings: Settings, sim: Simulator, folder: Path) -> None:
    assert settings.redis_url is not None
    env = {
        "REDIS_URL": settings.redis_url.get_secret_value(),
        "EVOPROXY_SERVERS": json.dumps([{"name": "a", "baseUrl": sim.url, "apiKey": EVOLUTION_KEY}]),
        "EVOPROXY_DATA_DIR": str(settings.data_dir),
        "EVOPROXY_ENCRYPTION_KEY": ENCRYPTION,
    }
    bad = folder / "bad.txt"
    bad.write_text(f"x:y:z:{REJECTED}\nhttp://u:{REJECTED}@:80\n{REJECTED}\n")
    reading = (
        "stats",
        "proxies",
        "instances",
        "check",
        "events",
        "ledger --instance one",
        "plan",
        "token list",
        "export",
    )
    for words in (*reading, f"populate {bad} --dry-run", "assign none", "release none"):
        for form in ((), ("--json",)):
            result = await Commands(env).beside(*words.split(), *form)
            assert result.exit_code in (0, 1, 2), (words, result)
            said.add(f"evoproxy {words}", result.stdout + result.stderr)


async def test_a_whole_story_tells_no_secret(
    redis: Redis,
    redis_url: str,
    tmp_path: Path,
    written: io.StringIO,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clean(monkeypatch, tmp_path)
    said = Said()
    async with Simulator(paces=Paces.fast(), api_key=EVOLUTION_KEY) as sim:
        settings = planted(redis_url, tmp_path, sim)
        async with serving(settings) as api:
            await api.read_once()
            file = lines(proxy(number) for number in range(1, 7))
            file += f"http://user:{quote(ESCAPED, safe='')}@192.0.2.8:8080\n".encode()
            file += f"x:y:z:{REJECTED}\nhttp://u:{REJECTED}@:80\n{REJECTED}\n[{REJECTED}\n".encode()
            imported = await api.call("POST", "/proxies/import", data=file, headers=TEXT)
            assert (imported.body["added"], imported.body["rejectedCount"] >= 3) == (7, True)
            await api.call("POST", "/proxies/import", data=f'[{{"host": "{REJECTED}'.encode(), headers=TEXT)
            sim.create("one", state="open")
            sim.create("two", state="open", row=proxy(9))
            await wait_until(lambda: _protected(api), what="one has its proxy")
            login = await log_in(api, Role.SUPERADMIN)
            opened = api.answers[-1]
            sim.warts.faults += [Fault("proxy/set", status=500, times=1), Fault("proxy/set", cut="after", times=1)]
            sim.warts.invalid_next = 1
            held = await api.get("/instances/one")
            allowed = await _ask_everything(api, held["proxyId"], PASSWORD)
            me = await api.call("GET", "/session", role=None, headers=login.headers)
            allowed |= {id(opened): {login.secret, login.me["csrf"]}, id(me): {login.me["csrf"]}}
            sim.api_key = "another"
            for segment in (WEBHOOK, REJECTED):
                body = {"event": "connection.update", "instance": "one", "apikey": REJECTED}
                async with api.client.post(f"/webhooks/evolution/a/{segment}", json=body) as answer:
                    said.add("a webhook's answer", await answer.text())
            await api.call("POST", "/instances/one/proxy/rotate")
            sim.api_key = EVOLUTION_KEY
            await _fetch_pages(api, said)
            await _run_commands(said, settings, sim, tmp_path)
            mirror = api.client.app[MIRROR]
            await wait_until(lambda: mirror.lag == 0, what="SQL holds all")
            said.add("Redis", await dump(redis, api.pool.keys.named("")))
            for shown in (settings, settings.model_dump(), proxy(), api.pool.vault, api.controller, login.me["actor"]):
                said.add(f"repr of {type(shown).__name__}", f"{shown!r} {shown}")
            said.add("repr of a token", await api.pool.tokens())
            said.add("repr of a session", await api.pool.sessions_by(await api.pool.sessions()))
            said.add("repr of a spec", await api.pool.spec(held["proxyId"]))
            said.add_all(api.answers, allowed)
            secrets = PLANTED | {login.secret, login.me["csrf"], *api.tokens.values()}
            secrets |= {text for texts in allowed.values() for text in texts if text.startswith("evp_")}
    with closing(sqlite3.connect(tmp_path / "evoproxy.db")) as database:
        said.add("SQL", "\n".join(database.iterdump()))
    said.add("the log", written.getvalue())
    assert "GET /api/v1/proxies" in written.getvalue()
    assert "INSERT INTO" in said.texts[-2][1]
    assert said.leaks(secrets) == []


async def test_nor_does_one_in_which_all_around_is_down(
    redis: Redis, redis_url: str, tmp_path: Path, written: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    url = SecretStr(f"postgresql://ana:{quote(STORE, safe='')}@127.0.0.1:{port}/none")
    said = Said()
    async with AsyncExitStack() as stack:
        sim = await stack.enter_async_context(Simulator(paces=Paces.fast(), api_key=EVOLUTION_KEY))
        api = await stack.enter_async_context(serving(planted(redis_url, tmp_path, sim, database_url=url)))
        await api.read_once()
        await api.call("POST", "/proxies/import", data=lines([proxy()]), headers=TEXT)
        sim.create("one")
        await sim.stop()
        answer = await api.call("POST", "/instances/one/proxy")
        assert answer.status in (502, 504)
        for path in ("/events", "/ledger?instance=one", "/stats/history", "/proxies?q=x"):
            assert (await api.call("GET", path)).code == "store_unavailable"
        assert (await api.call("POST", "/snapshots")).status == 503

        async def broken() -> None:
            raise RuntimeError(f"{redis_url} {api.client.app[SETTINGS]!r}")

        monkeypatch.setattr(api.pool, "stats", broken)
        assert (await api.call("GET", "/stats")).code == "internal"
        async with api.client.get("/readyz") as ready:
            said.add("/readyz", await ready.text())
        said.add_all(api.answers, {})
    said.add("the log", written.getvalue())
    assert "a request failed" in written.getvalue()
    assert said.leaks(PLANTED) == []


@pytest.mark.parametrize("spelled", sorted(forms(ESCAPED)))
def test_each_spelling_would_be_found(spelled: str) -> None:
    said = Said()
    said.add("a page", f"<p>{spelled}</p>")
    assert said.leaks({ESCAPED})


async def test_a_key_in_the_data_hides_the_password_from_redis(
    redis: Redis, redis_url: str, tmp_path: Path, sim: Simulator
) -> None:
    settings = settings_for(redis_url, tmp_path, sim, encryption_key="a key of the operator")
    async with serving(settings) as api:
        [proxy_id] = await api.add()
        assert PASSWORD not in str(await redis.hgetall(api.pool.keys.proxy(proxy_id)))
        answer = await api.call("POST", f"/proxies/{proxy_id}/reveal", role=Role.SUPERADMIN)
        assert answer.body["password"] == PASSWORD
        api.pool.vault = Vault(["a key that came from nowhere"])
        answer = await api.call("POST", f"/proxies/{proxy_id}/reveal", role=Role.SUPERADMIN)
        assert (answer.status, answer.code) == (500, "wrong_encryption_key")
        answer = await api.call("PATCH", f"/proxies/{proxy_id}", {"password": "another"})
        assert (answer.status, answer.code) == (500, "wrong_encryption_key")
