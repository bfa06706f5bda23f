"""Events that come in: who is let in, what is answered, and what the log tells of it."""

from __future__ import annotations

import asyncio
import gzip
import io
import logging
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any

import jwt
import orjson
import pytest
from redis.asyncio import Redis
from yarl import URL

from service import log
from service.evolution.simulator import Paces, Retries, Simulator
from service.main import mask_secrets
from service.pool.models import Applied
from service.web.routes.webhooks import Refusals
from tests.helpers import wait_until
from tests.web.api import Answer, Api
from tests.web.conftest import serving, settings_for

SECRET = "hush-hush,this-is-a-secret-" + "long-enough" * 4
EVENT = {"event": "connection.update", "instance": "x", "data": {"instance": "x", "state": "open"}}


@pytest.fixture
async def api(redis: Redis, redis_url: str, tmp_path: Path, sim: Simulator) -> AsyncIterator[Api]:
    """One server, ``a``, that was read once and is not polled again for a minute."""
    async with serving(settings_for(redis_url, tmp_path, sim, webhook_secret=SECRET, poll_interval=60)) as api:
        await api.read_once()
        yield api


async def post(
    api: Api, path: str, body: Any = EVENT, *, headers: Mapping[str, str] | None = None, raw: bytes | None = None
) -> Answer:
    """``path`` is below /webhooks/evolution and sent as it is."""
    url = URL(str(api.client.make_url("/")).rstrip("/") + "/webhooks/evolution" + path, encoded=True)
    data = io.BytesIO(orjson.dumps(body) if raw is None else raw)
    sent = {"Content-Type": "application/json", **(headers or {})}
    async with api.client.session.post(url, data=data, headers=sent) as response:
        return Answer(response.status, response.headers, await response.text())


async def pieces(data: bytes) -> AsyncIterator[bytes]:
    """A body whose length is not announced."""
    for start in range(0, len(data), 65536):
        yield data[start : start + 65536]


def received(api: Api) -> int:
    return api.controller.hints["a"].received


def token(**changes: Any) -> str:
    claims = {"iat": int(time.time()), "exp": int(time.time()) + 600, "app": "evolution", "action": "webhook"}
    key, algorithm = changes.pop("key", SECRET), changes.pop("algorithm", "HS256")
    claims = {name: value for name, value in {**claims, **changes}.items() if value is not None}
    return "Bearer " + jwt.encode(claims, key, algorithm=algorithm)


PATHS = ["/a/{}", "/a/{}/", "/a/{}/connection-update", "/a/{}//connection-update"]
OTHERS = ["/a", "/a/", "/a/connection-update", "/a/other/connection-update"]


@pytest.mark.parametrize("path", PATHS)
async def test_the_secret_in_the_path_lets_in(api: Api, path: str) -> None:
    for spelled in (SECRET, "".join(f"%{ord(letter):02x}" for letter in SECRET)):
        answer = await post(api, path.format(spelled))
        assert (answer.status, answer.text) == (200, "{}")
    assert received(api) == 2


@pytest.mark.parametrize("path", OTHERS)
async def test_without_it_a_bearer_token_does(api: Api, path: str) -> None:
    now = int(time.time())
    good = [f"Bearer {SECRET}", f"bearer {SECRET}", token(), token(exp=now - 30), token(iat=now + 500)]
    for header in good:
        assert (await post(api, path, headers={"Authorization": header})).status == 200, header
    bad = [
        *("", "Bearer", "Bearer x", f"Basic {SECRET}", f"Bearer {SECRET}x", "Bearer a.b.c", "Bearer \u00e9"),
        *(token(exp=now - 90), token(exp=None), token(key="x" * 40), token(algorithm="HS512")),
        token(key="", algorithm="none"),
    ]
    for header in bad:
        answer = await post(api, path, headers={"Authorization": header} if header else None)
        assert (answer.status, answer.code) == (401, "unauthorized"), header
    assert received(api) == len(good)


async def test_a_short_secret_signs_too(redis: Redis, redis_url: str, tmp_path: Path, sim: Simulator) -> None:
    async with serving(settings_for(redis_url, tmp_path, sim, webhook_secret="short")) as api:
        with pytest.warns(jwt.InsecureKeyLengthWarning):
            signed = token(key="short")
        assert (await post(api, "/a", headers={"Authorization": signed})).status == 200


@pytest.mark.parametrize("server", ["a", "b", "..", "a%2Fb"])
async def test_401_comes_before_404_of_a_server(api: Api, server: str) -> None:
    assert (await post(api, f"/{server}/wrong")).status == 401
    answer = await post(api, f"/{server}/{SECRET}")
    assert answer.status == 200 if server == "a" else answer.status in (401, 404)
    assert server != "b" or answer.code == "not_configured"


@pytest.mark.parametrize(
    "spelled", ["/%77ebhooks/evolution/a/x", "/webhooks/%65volution/a/x", "/webhooks/evolution/%61/x"]
)
async def test_no_spelling_of_the_path_gets_around_the_secret(api: Api, spelled: str) -> None:
    url = URL(str(api.client.make_url("/")).rstrip("/") + spelled, encoded=True)
    async with api.client.session.post(url, json=EVENT) as answer:
        assert answer.status == 401


async def test_an_api_token_is_no_webhook_secret_nor_the_reverse(api: Api) -> None:
    for text in api.tokens.values():
        assert (await post(api, "/a", headers={"Authorization": f"Bearer {text}"})).status == 401
    assert (await api.call("GET", "/stats", role=None, headers={"Authorization": f"Bearer {SECRET}"})).status == 401


async def test_without_the_setting_everything_is_refused(
    redis: Redis, redis_url: str, tmp_path: Path, sim: Simulator
) -> None:
    async with serving(settings_for(redis_url, tmp_path, sim)) as api:
        for path in ("/a", "/a/", "/a//x", "/a/None", "/nowhere"):
            answer = await post(api, path, headers={"Authorization": "Bearer "})
            assert (answer.status, answer.code) == (401, "webhooks_off")
            assert "EVOPROXY_WEBHOOK_SECRET" in answer.body["detail"]


async def test_only_posts_are_taken(api: Api) -> None:
    url = api.client.make_url(f"/webhooks/evolution/a/{SECRET}")
    async with api.client.session.get(url) as answer:
        assert answer.status == 405


@pytest.mark.parametrize(
    "raw",
    [
        *(b"", b"{", b"null", b"[]", b"5", b"{}", b'"x"', b"\xff\xfe", b"[" * 100_000),
        *(b'{"event": "connection.update"}', b'{"event": 5, "instance": "x"}', b'{"event": "x", "instance": null}'),
        *(b'{"event": "connection.update", "instance": ""}', b'{"event": "x", "instance": {"instanceName": "x"}}'),
        b'{"event": "connection.update", "instance": "' + b"x" * 256 + b'"}',
    ],
)
async def test_what_is_malformed_is_400_and_never_comes_again(api: Api, raw: bytes) -> None:
    answer = await post(api, f"/a/{SECRET}", raw=raw)
    assert (answer.status, answer.code) == (400, "malformed")
    assert received(api) == 0


@pytest.mark.parametrize("event", ["messages.upsert", "MESSAGES_UPSERT", "", "?", "qrcode.updated"])
async def test_other_events_are_taken_and_ignored(api: Api, sim: Simulator, event: str) -> None:
    sim.calls.counts.clear()
    anything: list[Any] = [None, [], {"state": 5}, "text"]
    for data in anything:
        assert (await post(api, f"/a/{SECRET}", {"event": event, "instance": "x", "data": data})).status == 200
    hints = api.controller.hints["a"]
    await hints.follow()
    assert (hints.received, hints.ignored) == (4, 4)
    assert sim.calls.counts["instance/fetchInstances"] == 0


async def test_a_megabyte_passes_and_three_do_not(api: Api) -> None:
    body = {**EVENT, "data": {"qrcode": {"base64": "x" * (1 << 20)}}}
    assert (await post(api, f"/a/{SECRET}", body)).status == 200
    body["data"] = {"qrcode": {"base64": "x" * (3 << 20)}}
    answer = await post(api, f"/a/{SECRET}", body)
    assert (answer.status, answer.code) == (400, "malformed")
    async with api.client.post(f"/webhooks/evolution/a/{SECRET}", data=pieces(orjson.dumps(body))) as chunked:
        assert (chunked.status, (await chunked.json())["reason"]) == (400, "the event is over 2 MB")


async def test_what_is_compressed_is_400_and_never_unpacked(api: Api) -> None:
    for raw in (b"this is no gzip", gzip.compress(orjson.dumps(EVENT))):
        answer = await post(api, f"/a/{SECRET}", raw=raw, headers={"Content-Encoding": "gzip"})
        assert (answer.status, answer.code) == (400, "malformed")


async def test_a_token_of_any_bytes_is_401(api: Api) -> None:
    host, port = api.client.server.host, api.client.server.port
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(b"POST /webhooks/evolution/a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n")
    writer.write(b"Authorization: Bearer \xff\xfe\r\nContent-Length: 0\r\n\r\n")
    answer = await reader.read()
    writer.close()
    assert answer.startswith(b"HTTP/1.1 401 ")


async def test_it_is_answered_while_redis_and_evolution_are_not(api: Api, sim: Simulator) -> None:
    """Nobody is asked before the answer."""

    async def never(*args: Any, **values: Any) -> Any:
        raise AssertionError("asked")

    control = api.controller.servers["a"]
    await api.controller.hints["a"].loop.stop()
    api.pool.reading = never  # type: ignore[method-assign]
    control.context.client.fetch_instance = never  # type: ignore[method-assign]
    try:
        assert (await post(api, f"/a/{SECRET}")).status == 200
    finally:
        del api.pool.reading, control.context.client.fetch_instance


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """All that is logged, down to the requests of webhooks."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    root.handlers = []
    monkeypatch.setattr(log, "_secrets", set())
    stream = io.StringIO()
    log.configure("json", level=logging.DEBUG, stream=stream)
    yield stream
    logging.captureWarnings(False)
    root.handlers, root.level = handlers, level


async def test_no_log_and_no_answer_holds_the_secret(api: Api, written: io.StringIO) -> None:
    mask_secrets(settings_for("redis://x", Path(), webhook_secret=SECRET))
    spelled = "".join(f"%{ord(letter):02x}" for letter in SECRET)
    said = ""
    for path in (f"/a/{SECRET}", f"/a/{spelled}/x", f"/a/x/{SECRET}", f"/b/{SECRET}", f"/a/{spelled[:-3]}"):
        for raw in (orjson.dumps(EVENT), b"{", b""):
            said += (await post(api, path, raw=raw)).text
    said += (await post(api, "/a", headers={"Authorization": token()})).text
    await api.call("POST", f"/../webhooks/evolution/a/{SECRET}", {})
    text = written.getvalue()
    assert text.count('"message":"POST /webhooks/evolution"') == 16
    for kept in (SECRET, spelled, spelled[:-3], SECRET.replace(",", "%2C")):
        assert kept not in text + said


async def test_webhooks_do_not_fill_the_log(api: Api, written: io.StringIO) -> None:
    logging.getLogger().setLevel(logging.INFO)
    for _ in range(50):
        await post(api, f"/a/{SECRET}")
        await post(api, "/a/wrong")
    lines = [orjson.loads(line) for line in written.getvalue().splitlines()]
    about = [line["message"] for line in lines if "webhook" in line["message"]]
    assert about == ["webhook events were refused: wrong secret"]


def test_refusals_are_told_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    now = [0.0]
    refusals = Refusals(now=lambda: now[0])
    for second in range(130):
        now[0] = second
        refusals.refused("192.0.2.1")
    assert [record.__dict__["events"] for record in caplog.records] == [1, 60, 60]


@pytest.mark.alone
async def test_a_new_open_instance_has_its_proxy_within_a_second(redis: Redis, redis_url: str, tmp_path: Path) -> None:
    """With the real paces, told by the server's own webhook; the next poll is a minute away. The best of four."""
    async with Simulator(paces=Paces(), retries=Retries(first=0.05, attempts=1)) as sim:
        settings = settings_for(redis_url, tmp_path, sim, webhook_secret=SECRET, poll_interval=60)
        async with serving(settings) as api:
            await api.read_once()
            ids = await api.add(5)
            sim.webhook_url = str(api.client.make_url(f"/webhooks/evolution/a/{SECRET}"))
            sim.create("created")
            await wait_until(lambda: received(api) >= 1, what="the creation is told")
            for name in (paired := ("paired", "second", "third")):
                sim.create(name, state="connecting")
            took = []
            for name in ("created", *paired):
                sim.open(name)
                await sim.until(lambda name=name: sim.memory[name].state == "open")  # type: ignore[misc]
                opened = time.monotonic()
                await wait_until(lambda name=name: sim.memory[name].row, what="the proxy is set")  # type: ignore[misc]
                took.append(time.monotonic() - opened)
            assert min(took) < 1

            async def applied() -> bool:
                leases = await api.pool.leases_of("a")
                return [lease.applied for lease in leases.values()] == [Applied.YES] * 4

            await wait_until(applied, what="all go out through their proxy")
            assert {exit.id for exit in sim.exits().values() if exit} <= set(ids)
            server = (await api.get("/servers"))["items"][0]
            assert server["webhooks"]["received"] >= 6
            assert server["webhooks"]["lastAt"] is not None


async def test_a_flood_is_answered_and_costs_few_calls(api: Api, sim: Simulator) -> None:
    sim.create("flapping", state="close")
    sim.calls.counts.clear()
    event = {"event": "connection.update", "instance": "flapping", "data": {"state": "connecting"}}
    for _ in range(400):
        assert (await post(api, f"/a/{SECRET}", event)).status == 200
    assert received(api) == 400
    assert 1 <= sim.calls.counts["instance/fetchInstances"] <= 8
