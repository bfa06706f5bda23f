"""Each call of the Evolution client: what goes over the wire, and what comes back when all is well."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator
from urllib.parse import quote, unquote

import orjson
import pytest
from pydantic import SecretStr

from service.errors import EvolutionUnavailableError, InvalidInputError
from service.evolution.client import EvolutionClient
from service.evolution.models import RestartAnswer, Row, Webhook
from service.models import Protocol, ProxySpec
from tests.unit.evolution_server import (
    HOOK,
    HOOK_HEADERS,
    KEY,
    SPEC,
    RawServer,
    evolution_error,
    http,
    json,
    raw_server,
)

pytestmark = pytest.mark.virtual

NAMES = ["bw1", "a b", "a/b", "a?b", "a#b", "a%2Fb", "a+b&c", "🙂", "日本語", "it's", "a\\b", " lead", 'q"q', "x" * 255]
"""Names that EVOLUTION.md, 9 found to be legal."""

ELEMENT = {"id": "i-1", "name": "bw1", "connectionStatus": "open", "integration": "WHATSAPP-BAILEYS", "Proxy": None}


@pytest.fixture
async def server() -> AsyncIterator[RawServer]:
    async with raw_server() as server:
        yield server


async def test_list_is_asked_for_once_with_key_and_gzip(server: RawServer) -> None:
    body = gzip.compress(orjson.dumps([{**ELEMENT, "id": str(n), "name": f"n{n}"} for n in range(4000)]))
    server.reply = http(200, body, "Content-Encoding: gzip")
    async with server.client() as client:
        found = await client.fetch_instances()
    assert len(found) == 4000
    assert (found[7].server, found[7].id, found[7].name, found[7].state) == ("default", "7", "n7", "open")
    assert server.request_line == "GET /instance/fetchInstances HTTP/1.1"
    assert server.headers["apikey"] == KEY
    assert server.headers["accept-encoding"] == "gzip"
    assert len(server.requests) == 1


@pytest.mark.parametrize("name", NAMES)
async def test_names_travel_percent_encoded_in_path_and_filter(server: RawServer, name: str) -> None:
    async with server.client("/prefix/") as client:
        server.reply = json(200, {"instance": {"instanceName": name, "state": "open"}})
        assert await client.connection_state(name) == "open"
        assert server.request_line == f"GET /prefix/instance/connectionState/{quote(name, safe='')} HTTP/1.1"
        server.reply = json(200, [{**ELEMENT, "name": name}])
        found = await client.fetch_instance(name)
        assert found is not None
        assert found.name == name
        expected = f"GET /prefix/instance/fetchInstances?instanceName={quote(name, safe='')} HTTP/1.1"
        assert server.request_line == expected


@pytest.mark.parametrize("name", [".", ".."])
async def test_dots_reach_the_server_as_a_name(server: RawServer, name: str) -> None:
    server.reply = json(200, None)
    async with server.client("/prefix") as client:
        assert await client.find_proxy(name) is None
    path = server.request_line.split()[1]
    assert path == f"/prefix/proxy/find/{'%2E' * len(name)}"
    assert unquote(path.rsplit("/", 1)[1]) == name


async def test_an_empty_name_is_never_sent(server: RawServer) -> None:
    async with server.client() as client:
        for call in (client.fetch_instance, client.connection_state, client.find_proxy, client.restart):
            with pytest.raises(InvalidInputError):
                await call("")
        with pytest.raises(InvalidInputError):
            await client.find_proxy("\ud800")
    assert server.requests == []


async def test_fetch_instance_of_a_deleted_row_is_none(server: RawServer) -> None:
    async with server.client() as client:
        assert await client.fetch_instance("bw1") is None


async def test_fetch_instance_takes_no_other_instance(server: RawServer) -> None:
    async with server.client() as client:
        for answer in ([{**ELEMENT, "name": "BW1"}], [ELEMENT, {**ELEMENT, "id": "i-2", "name": "b"}]):
            server.reply = json(200, answer)
            with pytest.raises(EvolutionUnavailableError):
                await client.fetch_instance("bw1")


@pytest.mark.parametrize(
    ("told", "state"),
    [({"state": "open"}, "open"), ({"state": "close"}, "close"), ({"state": "refused"}, "unknown"), ({}, None)],
)
async def test_connection_state(server: RawServer, told: dict[str, str], state: str | None) -> None:
    server.reply = json(200, {"instance": {"instanceName": "bw1", **told}})
    async with server.client() as client:
        assert await client.connection_state("bw1") == state


async def test_a_state_of_another_instance_is_no_answer(server: RawServer) -> None:
    server.reply = json(200, {"instance": {"instanceName": "BW1", "state": "open"}})
    async with server.client() as client:
        with pytest.raises(EvolutionUnavailableError):
            await client.connection_state("bw1")


async def test_find_proxy_tells_the_row_and_its_owner(server: RawServer) -> None:
    fields = {"host": "1.2.3.4", "port": "1080", "protocol": "socks", "username": "u", "password": "p"}
    server.reply = json(200, {"id": "c1", "enabled": True, **fields, "createdAt": "...", "instanceId": "i-1"})
    async with server.client() as client:
        assert await client.find_proxy("bw1") == Row(True, "socks", "1.2.3.4", "1080", "u", "p", "i-1")
    assert server.request_line == "GET /proxy/find/bw1 HTTP/1.1"


async def test_set_sends_all_fields_as_text_with_encoded_credentials(server: RawServer) -> None:
    server.reply = json(201, {"proxy": {"instanceName": "bw1", "proxy": {"enabled": True}}})
    async with server.client() as client:
        await client.set_proxy("bw1", SPEC)
    assert server.request_line == "POST /proxy/set/bw1 HTTP/1.1"
    assert server.headers["content-type"] == "application/json"
    assert server.body == (
        b'{"enabled":true,"host":"proxy.example","port":"8080","protocol":"http",'
        b'"username":"us%20er","password":"p%40ss%2Fw%25rd"}'
    )


async def test_set_sends_empty_texts_for_no_credentials_and_brackets_for_ipv6(server: RawServer) -> None:
    server.reply = json(201, {"proxy": {}})
    async with server.client() as client:
        await client.set_proxy("bw1", ProxySpec(Protocol.SOCKS5, "2001:db8::1", 1080))
    sent = {"host": "[2001:db8::1]", "port": "1080", "protocol": "socks", "username": "", "password": ""}
    assert orjson.loads(server.body) == {"enabled": True, **sent}


@pytest.mark.parametrize(("protocol", "sent"), [(Protocol.SOCKS5, "a+%40-_."), (Protocol.HTTP, "a%2B%40-_.")])
async def test_a_plus_stays_plain_for_socks(server: RawServer, protocol: Protocol, sent: str) -> None:
    server.reply = json(201, {"proxy": {}})
    async with server.client() as client:
        await client.set_proxy("bw1", ProxySpec(protocol, "h", 1, "u", "a+@-_."))
    assert orjson.loads(server.body)["password"] == sent


@pytest.mark.parametrize("password", ["x" * 101, "@" * 34, "a\ud800"])
async def test_what_evolution_would_not_save_is_not_sent(server: RawServer, password: str) -> None:
    async with server.client() as client:
        with pytest.raises(InvalidInputError) as caught:
            await client.set_proxy("bw1", ProxySpec(Protocol.HTTP, "h", 1, "u", password))
    assert caught.value.params["field"] == "password"
    assert password not in repr(caught.value)
    assert server.requests == []


async def test_clear_sends_the_three_texts_that_evolution_insists_on(server: RawServer) -> None:
    server.reply = json(201, {"proxy": {"instanceName": "bw1", "proxy": {"enabled": False}}})
    async with server.client() as client:
        await client.clear_proxy("bw1")
    assert server.request_line == "POST /proxy/set/bw1 HTTP/1.1"
    sent = orjson.loads(server.body)
    assert sent.pop("enabled") is False
    assert set(sent) == {"host", "port", "protocol"}
    assert all(isinstance(text, str) and text for text in sent.values())


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        ({"instance": {"instanceName": "bw1", "state": "open"}}, RestartAnswer.ACCEPTED),
        ({"pairingCode": None, "code": "2@..", "base64": "data:image/png;base64,..", "count": 1}, RestartAnswer.QR),
        ({"count": 0}, RestartAnswer.QR),
        ({"error": True, "message": "[object Object]"}, RestartAnswer.REFUSED),
    ],
)
async def test_restart(server: RawServer, body: object, answer: RestartAnswer) -> None:
    server.reply = json(200, body)
    async with server.client() as client:
        assert await client.restart("bw1") is answer
    assert server.request_line == "POST /instance/restart/bw1 HTTP/1.1"
    assert server.body == b""


async def test_set_webhook_names_url_events_and_headers(server: RawServer) -> None:
    server.reply = json(201, {"url": HOOK, "enabled": True, "events": []})
    async with server.client() as client:
        await client.set_webhook("b/1", HOOK, {"STATUS_INSTANCE", "LOGOUT_INSTANCE"}, HOOK_HEADERS)
        assert server.request_line == "POST /webhook/set/b%2F1 HTTP/1.1"
        sent = {"enabled": True, "byEvents": False, "base64": False, "url": HOOK, "headers": HOOK_HEADERS}
        assert orjson.loads(server.body) == {"webhook": {**sent, "events": ["LOGOUT_INSTANCE", "STATUS_INSTANCE"]}}
        await client.set_webhook("bw1", HOOK, [])
    assert orjson.loads(server.body) == {"webhook": {**sent, "headers": {}, "events": []}}


@pytest.mark.parametrize(
    ("told", "webhook"),
    [
        (None, None),
        ({"url": HOOK, "enabled": True, "events": ["A", "B"]}, Webhook(HOOK, True, frozenset({"A", "B"}))),
        ({"id": "c1", "url": "", "enabled": False, "events": [], "headers": {"a": "b"}}, Webhook("", False)),
        ({"url": HOOK, "enabled": True, "events": None}, Webhook(HOOK)),
    ],
)
async def test_find_webhook(server: RawServer, told: object, webhook: Webhook | None) -> None:
    server.reply = json(200, told)
    async with server.client() as client:
        assert await client.find_webhook("bw1") == webhook
    assert server.request_line == "GET /webhook/find/bw1 HTTP/1.1"
    assert HOOK not in repr(webhook)


@pytest.mark.parametrize("events", ["LOGOUT_INSTANCE", [1], {}])
async def test_a_webhook_with_unreadable_events_is_no_answer(server: RawServer, events: object) -> None:
    server.reply = json(200, {"url": HOOK, "enabled": True, "events": events})
    async with server.client() as client:
        with pytest.raises(EvolutionUnavailableError):
            await client.find_webhook("bw1")


async def test_each_call_is_told_with_its_outcome(server: RawServer) -> None:
    calls: list[tuple[str, str, float]] = []
    async with server.client(on_call=lambda *call: calls.append(call)) as client:
        await client.fetch_instances()
        server.reply = evolution_error(400, ["Invalid proxy"])
        with pytest.raises(Exception, match="evolution_rejected"):
            await client.set_proxy("bw1", SPEC)
    assert [call[:2] for call in calls] == [("fetch_instances", "ok"), ("set_proxy", "evolution_rejected")]
    assert all(seconds > 0 for *_, seconds in calls)


@pytest.mark.parametrize(
    ("url", "key", "field"),
    [("http://user:s3cret@h", KEY, "baseUrl"), ("h:8080", KEY, "baseUrl"), ("http://h", "a\nb", "apiKey")],
)
async def test_unusable_address_or_key(url: str, key: str, field: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        async with EvolutionClient.open("default", url, SecretStr(key)):
            pass
    assert caught.value.params["field"] == field
    assert "s3cret" not in repr(caught.value)


def test_there_is_no_way_to_call_connect() -> None:
    assert not any("connect" in name and name != "connection_state" for name in dir(EvolutionClient))
