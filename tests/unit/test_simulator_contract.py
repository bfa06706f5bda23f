"""The simulator answers as EVOLUTION.md, part A, says: status, body, order of checks, what is saved."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from yarl import URL

from service.evolution.simulator import OFF, Condition, Endpoint, Paces, ProxyRow, Simulator
from service.models import Protocol, ProxySpec

pytestmark = pytest.mark.virtual

GOOD: dict[str, Any] = {
    "enabled": True,
    "host": "192.0.2.1",
    "port": "8080",
    "protocol": "http",
    "username": "user",
    "password": "pass",
}
GONE = object()
ELEMENT = {
    *("id", "name", "connectionStatus", "ownerJid", "profileName", "profilePicUrl", "integration", "number"),
    *("businessId", "token", "clientName", "disconnectionReasonCode", "disconnectionObject", "disconnectionAt"),
    *("createdAt", "updatedAt", "Chatwoot", "Proxy", "Rabbitmq", "Nats", "Sqs", "Websocket", "Setting", "_count"),
}


def error(status: int, message: object, text: str) -> dict[str, Any]:
    return {"status": status, "error": text, "response": {"message": message}}


@pytest.fixture
async def sim() -> AsyncIterator[Simulator]:
    async with Simulator(paces=Paces.fast()) as simulator:
        simulator.create("evo1", state="open", token="token-1")
        simulator.create("b1", token="token-2", number="5511900000001")
        yield simulator


class Client:
    def __init__(self, sim: Simulator, session: aiohttp.ClientSession) -> None:
        self._sim = sim
        self._session = session

    async def __call__(
        self,
        call: str,
        json: Any = None,
        *,
        key: str | None = "",
        data: bytes | None = None,
        content_type: str = "",
    ) -> tuple[int, Any]:
        """``call`` is "METHOD /raw/path"; the key is the global one unless given, ``None`` sends none."""
        method, path = call.split(" ", 1)
        headers = {} if key is None else {"apikey": key or self._sim.api_key}
        if content_type:
            headers["content-type"] = content_type
        url = URL(self._sim.url + path, encoded=True)
        async with self._session.request(method, url, json=json, data=data, headers=headers) as answer:
            return answer.status, await answer.json()


@pytest.fixture
async def call(sim: Simulator) -> AsyncIterator[Client]:
    async with aiohttp.ClientSession() as session:
        yield Client(sim, session)


UNAUTHORIZED = error(401, "Unauthorized", "Unauthorized")


def not_found(message: str) -> dict[str, Any]:
    return error(404, [message], "Not Found")


@pytest.mark.parametrize(
    ("asked", "key", "expected"),
    [
        ("GET /nope", "", not_found("Cannot GET /nope")),
        ("PUT /instance/restart/evo1", "", not_found("Cannot PUT /instance/restart/evo1")),
        ("GET /instance/connectionState/a/b", "", not_found("Cannot GET /instance/connectionState/a/b")),
        ("GET /instance/connectionState/none", "", not_found('The "none" instance does not exist')),
        ("GET /instance/connectionState/none", "wrong", not_found('The "none" instance does not exist')),
        ("GET /instance/connectionState/evo1", "wrong", UNAUTHORIZED),
        ("GET /instance/connectionState/evo1", None, UNAUTHORIZED),
        ("GET /instance/connectionState/evo1", "token-2", UNAUTHORIZED),
        ("GET /instance/fetchInstances", "wrong", UNAUTHORIZED),
        ("GET /instance/fetchInstances", None, UNAUTHORIZED),
        ("GET /instance/fetchInstances?instanceName=b1", "token-1", UNAUTHORIZED),
        ("GET /instance/fetchInstances?instanceName=none", "", not_found('Instance "none" not found')),
        (
            "GET /instance/fetchInstances?instanceName=evo1&instanceName=b1",
            "",
            not_found('Instance "evo1,b1" not found'),
        ),
        ("GET /instance/fetchInstances?instanceId=no", "", not_found('Instance "no" not found')),
        ("POST /instance/create", "token-1", UNAUTHORIZED),
        ("DELETE /instance/logout/b1", "", error(400, ['The "b1" instance is not connected'], "Bad Request")),
        (
            "GET /proxy/find/%E0%A4%A",
            "",
            error(400, "Failed to decode param '%E0%A4%A'", "Internal Server Error"),
        ),
    ],
)
async def test_errors(call: Client, asked: str, key: str | None, expected: dict[str, Any]) -> None:
    assert await call(asked, key=key) == (expected["status"], expected)


async def test_malformed_json_comes_before_everything(call: Client) -> None:
    status, body = await call("POST /proxy/set/none", data=b"{", content_type="application/json")
    assert status == 400
    assert (body["status"], body["error"]) == (400, "Internal Server Error")
    assert isinstance(body["response"]["message"], str)


async def test_welcome_needs_no_key(call: Client) -> None:
    status, body = await call("GET /", key=None)
    assert (status, body["version"]) == (200, "2.3.7")


async def test_element_of_fetch_instances_is_complete(sim: Simulator, call: Client) -> None:
    sim.set_row_by_hand("evo1", ProxyRow(True, "192.0.2.1", "54041", "http", "user", "pass"))
    status, elements = await call("GET /instance/fetchInstances?instanceName=evo1")
    (one,) = elements
    assert status == 200
    assert set(one) == ELEMENT
    assert {key: one["Proxy"][key] for key in GOOD} == GOOD | {"port": "54041"}
    assert set(one["Proxy"]) == {*GOOD, "id", "createdAt", "updatedAt", "instanceId"}
    assert (one["connectionStatus"], one["token"], one["Proxy"]["instanceId"]) == ("open", "token-1", one["id"])


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", {"evo1", "b1"}),
        ("?instanceName=", {"evo1", "b1"}),
        ("?instanceName=b1", {"b1"}),
        ("?number=5511900000001", {"b1"}),
        ("?page=2", {"evo1", "b1"}),
    ],
)
async def test_filters(call: Client, query: str, names: set[str]) -> None:
    _, elements = await call(f"GET /instance/fetchInstances{query}")
    assert {one["name"] for one in elements} == names


async def test_a_token_sees_its_own_instance_only(call: Client) -> None:
    status, elements = await call("GET /instance/fetchInstances", key="token-2")
    assert (status, [one["name"] for one in elements]) == (200, ["b1"])
    assert (await call("GET /proxy/find/b1", key="token-2"))[0] == 200


async def test_rows_move_when_updated(sim: Simulator, call: Client) -> None:
    sim.set_row_by_hand("evo1", OFF)
    _, elements = await call("GET /instance/fetchInstances")
    assert [one["name"] for one in elements] == ["b1", "evo1"]


async def test_long_answers_are_gzipped_when_accepted(sim: Simulator) -> None:
    for accepted, encoding in (("gzip", "gzip"), ("identity", None)):
        headers = {"apikey": sim.api_key, "accept-encoding": accepted}
        async with (
            aiohttp.ClientSession(sim.url, headers=headers) as session,
            session.get("/instance/fetchInstances") as answer,
        ):
            assert (answer.headers.get("content-encoding"), len(await answer.json())) == (encoding, 2)


@pytest.mark.parametrize(
    ("change", "status", "message", "saved"),
    [
        ({}, 201, None, True),
        ({"username": "", "password": ""}, 201, None, True),
        ({"protocol": "SOCKS"}, 201, None, True),
        ({"protocol": "socks5"}, 201, None, True),
        ({"password": ""}, 201, None, True),
        ({"extra": 1}, 201, None, True),
        ({"password": "p@s:s+&= ä"}, 201, None, True),
        ({"password": "p%2Fss"}, 201, None, True),
        ({"username": GONE}, 201, None, False),
        ({"password": GONE}, 201, None, False),
        ({"password": "x" * 101}, 201, None, False),
        ({"username": None}, 400, [["username is not of a type(s) string"]], False),
        ({"port": 8080}, 400, [["port is not of a type(s) string"]], False),
        ({"enabled": "true"}, 400, [["enabled is not of a type(s) boolean"]], False),
        ({"host": GONE}, 400, [['instance requires property "host"']], False),
        ({"host": ""}, 400, [['The "host" cannot be empty']], False),
        *(
            (change, 400, ["Invalid proxy"], False)
            for change in (
                {"protocol": "https"},
                {"protocol": "socks4"},
                {"protocol": "socks5h"},
                {"protocol": "http:"},
                {"port": "99999"},
                {"port": " 53128"},
                {"host": "a b"},
                {"host": "http://a"},
                {"host": "2001:db8::1"},
                {"password": "p%ss"},
                {"password": "p/ss"},
                {"password": "p#ss"},
                {"password": "p?ss"},
                {"password": "p\\ss"},
            )
        ),
    ],
)
async def test_proxy_set(call: Client, change: dict[str, Any], status: int, message: object, saved: bool) -> None:
    body = {name: value for name, value in (GOOD | change).items() if value is not GONE}
    got, answer = await call("POST /proxy/set/evo1", body)
    assert got == status
    if status == 201:
        assert answer == {"proxy": {"instanceName": "evo1", "proxy": body}}
    else:
        assert answer == error(400, message, "Bad Request")
    _, found = await call("GET /proxy/find/evo1")
    if saved:
        assert {name: found[name] for name in GOOD} == {name: body[name] for name in GOOD}
    else:
        assert found is None


async def test_switching_off_makes_no_test_and_empties_the_row(sim: Simulator, call: Client) -> None:
    sim.warts.invalid_proxy = True
    off = {"enabled": False, "host": "x", "port": "1", "protocol": "http"}
    empty = dict.fromkeys(GOOD, "") | {"enabled": False}
    assert await call("POST /proxy/set/evo1", off) == (
        201,
        {"proxy": {"instanceName": "evo1", "proxy": empty}},
    )
    _, found = await call("GET /proxy/find/evo1")
    assert {name: found[name] for name in GOOD} == empty
    assert (await call("POST /proxy/set/evo1", {"enabled": False}))[0] == 400


async def test_find_keeps_the_id_of_the_row(call: Client) -> None:
    assert await call("GET /proxy/find/evo1") == (200, None)
    await call("POST /proxy/set/evo1", GOOD)
    _, first = await call("GET /proxy/find/evo1")
    await call("POST /proxy/set/evo1", GOOD | {"port": "1"})
    _, second = await call("GET /proxy/find/evo1")
    assert (first["id"], first["createdAt"], second["port"]) == (second["id"], second["createdAt"], "1")


@pytest.mark.parametrize(
    ("row", "endpoint"),
    [
        (
            ProxyRow(True, "A.EXAMPLE", "1080", "Socks", "us%40er", "p"),
            Endpoint(Protocol.SOCKS5, "a.example", 1080, "us@er"),
        ),
        (ProxyRow(True, "192.0.2.1", "80", "http", "user", ""), Endpoint(Protocol.HTTP, "192.0.2.1", 80)),
        (ProxyRow(True, "[2001:DB8::1]", "80", "http"), Endpoint(Protocol.HTTP, "2001:db8::1", 80)),
        (OFF, None),
    ],
)
async def test_rows_become_exits_with_decoded_usernames(
    sim: Simulator, row: ProxyRow, endpoint: Endpoint | None
) -> None:
    instance = sim.create("x", state="open", row=row)
    assert instance.socket is not None
    assert instance.socket.exit == endpoint


async def test_query_overrides_the_path(sim: Simulator, call: Client) -> None:
    await call("POST /proxy/set/evo1?instanceName=b1", GOOD, key="token-1")
    assert (sim.database["evo1"].row, sim.database["b1"].row is not None) == (None, True)


NAMES = ["a b", "a/b", "a?b", "a#b", "a%2Fb", "..", "'\\", " lead", "日本😀", "A", "a+b"]


@pytest.mark.parametrize("name", NAMES)
async def test_any_text_is_a_name(sim: Simulator, call: Client, name: str) -> None:
    encoded = "".join(f"%{byte:02X}" for byte in name.encode())
    assert (await call("POST /instance/create", {"instanceName": name, "integration": "EVOLUTION"}))[0] == 201
    assert await call(f"GET /instance/connectionState/{encoded}") == (
        200,
        {"instance": {"instanceName": name, "state": "open"}},
    )
    _, (one,) = await call(f"GET /instance/fetchInstances?instanceName={encoded}")
    assert one["name"] == name


@pytest.mark.parametrize("name", ["constructor", "__proto__", "toString"])
async def test_names_of_javascript_break(call: Client, name: str) -> None:
    assert (await call("POST /instance/create", {"instanceName": name, "integration": "EVOLUTION"}))[0] == 403
    assert await call(f"GET /instance/connectionState/{name}") == (200, {"instance": {"instanceName": name}})
    assert (await call(f"POST /proxy/set/{name}", GOOD))[0] == 500


PROXY = {"proxyHost": "192.0.2.1", "proxyPort": "8080", "proxyProtocol": "http"}
LOGIN = {"proxyUsername": "", "proxyPassword": ""}


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        ({"instanceName": "n", "integration": "WHATSAPP-BAILEYS"}, 201, None),
        ({"instanceName": "", "integration": "EVOLUTION"}, 201, None),
        ({"instanceName": "n"}, 400, ["Invalid integration"]),
        ({}, 403, ['This name "undefined" is already in use.']),
        ({"instanceName": "evo1", "integration": "EVOLUTION"}, 403, ['This name "evo1" is already in use.']),
        (
            {"instanceName": "n", "integration": "EVOLUTION", "webhook": {"url": "http://192.0.2.1"}},
            400,
            ["Cannot read properties of undefined (reading 'length')"],
        ),
        (
            {"instanceName": "n", "integration": "EVOLUTION", "proxyPort": 1},
            400,
            [["proxyPort is not of a type(s) string"]],
        ),
    ],
)
async def test_create(sim: Simulator, call: Client, body: dict[str, Any], status: int, message: object) -> None:
    got, answer = await call("POST /instance/create", body)
    assert got == status
    if status == 201:
        assert answer["instance"]["instanceId"] == sim.database[body["instanceName"]].id
        assert answer["hash"] == sim.database[body["instanceName"]].token
    else:
        assert answer["response"]["message"] == message
        assert "n" not in sim.database


@pytest.mark.parametrize(("login", "saved"), [(LOGIN, True), ({}, False)])
async def test_create_with_a_proxy(sim: Simulator, call: Client, login: dict[str, str], saved: bool) -> None:
    body = {"instanceName": "n", "integration": "WHATSAPP-BAILEYS", **PROXY, **login}
    assert (await call("POST /instance/create", body))[0] == 201
    assert (sim.database["n"].row is not None) is saved


async def test_create_with_a_bad_proxy_leaves_the_instance_for_a_moment(sim: Simulator, call: Client) -> None:
    sim.conditions[Endpoint(Protocol.HTTP, "192.0.2.1", 8080)] = Condition.DEAD
    body = {"instanceName": "n", "integration": "WHATSAPP-BAILEYS", **PROXY, **LOGIN}
    assert (await call("POST /instance/create", body))[1]["response"]["message"] == ["Invalid proxy"]
    assert (await call("POST /instance/create", body))[0] == 403
    await sim.until(lambda: "n" not in sim.database)
    assert "n" not in sim.memory


async def test_delete_is_asynchronous(sim: Simulator, call: Client) -> None:
    assert (await call("DELETE /instance/delete/evo1"))[1]["status"] == "SUCCESS"
    assert await call("GET /instance/connectionState/evo1") == (200, {"instance": {"instanceName": "evo1"}})
    await sim.until(lambda: "evo1" not in sim.database)
    assert (await call("DELETE /instance/delete/evo1"))[0] == 404
    assert sim.exits() == {}


@pytest.mark.parametrize("code", [401, 402, 403, 406])
async def test_final_close_keeps_row_and_reason(sim: Simulator, call: Client, code: int) -> None:
    sim.set_row_by_hand("evo1", ProxySpec(Protocol.HTTP, "192.0.2.1", 8080))
    sim.logout("evo1", code)
    _, (one,) = await call("GET /instance/fetchInstances?instanceName=evo1")
    assert (one["connectionStatus"], one["disconnectionReasonCode"]) == ("close", code)
    assert one["Proxy"]["enabled"] is True
    assert one["disconnectionObject"].startswith('{"error":')
    sim.open("evo1")
    _, (again,) = await call("GET /instance/fetchInstances?instanceName=evo1")
    assert (again["connectionStatus"], again["disconnectionReasonCode"]) == ("open", code)
    assert again["disconnectionAt"] == one["disconnectionAt"]


async def test_logout_by_the_api_is_final(sim: Simulator, call: Client) -> None:
    assert (await call("DELETE /instance/logout/evo1"))[1]["response"] == {"message": "Instance logged out"}
    assert (sim.database["evo1"].disconnection_code, sim.exits()) == (401, {})


async def test_a_body_that_is_not_called_json_counts_as_empty(call: Client) -> None:
    status, body = await call("POST /proxy/set/evo1", data=b'{"enabled":true}', content_type="text/plain")
    assert (status, body["response"]["message"][0][0]) == (400, 'instance requires property "enabled"')
