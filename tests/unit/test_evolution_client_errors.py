"""Each way in which a call to the Evolution API can fail, and that none of them tells a secret."""

from __future__ import annotations

import asyncio
import gzip
import logging
import socket
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable

import aiohttp
import pytest
from pydantic import SecretStr

from service.errors import (
    EvolutionError,
    EvolutionNotFoundError,
    EvolutionRejectedError,
    EvolutionUnauthorizedError,
    EvolutionUnavailableError,
    EvolutionUnknownError,
)
from service.evolution import transport
from service.evolution.client import EvolutionClient, Limits
from service.evolution.transport import Transport
from service.evolution.verdict import Request
from service.models import Protocol, ProxySpec
from tests.unit.evolution_server import (
    CUT,
    HOOK,
    HOOK_HEADERS,
    HOOK_SECRETS,
    KEY,
    SECRETS,
    SILENCE,
    SPEC,
    RawServer,
    evolution_error,
    http,
    json,
    raw_server,
)

pytestmark = pytest.mark.virtual

Call = Callable[[EvolutionClient], Awaitable[object]]
READS: dict[str, Call] = {
    "fetch_instances": lambda client: client.fetch_instances(),
    "fetch_instance": lambda client: client.fetch_instance("bw1"),
    "connection_state": lambda client: client.connection_state("bw1"),
    "find_proxy": lambda client: client.find_proxy("bw1"),
    "find_webhook": lambda client: client.find_webhook("bw1"),
}
CHANGES: dict[str, Call] = {
    "set_proxy": lambda client: client.set_proxy("bw1", SPEC),
    "clear_proxy": lambda client: client.clear_proxy("bw1"),
    "restart": lambda client: client.restart("bw1"),
    "set_webhook": lambda client: client.set_webhook("bw1", HOOK, ["LOGOUT_INSTANCE"], HOOK_HEADERS),
}
CALLS = READS | CHANGES
ALL_SECRETS = '"' + " ".join(SECRETS) + '"'


@pytest.fixture
async def server() -> AsyncIterator[RawServer]:
    async with raw_server() as server:
        yield server


@pytest.fixture(autouse=True)
def no_secret_in_logs(caplog: pytest.LogCaptureFixture) -> object:
    caplog.set_level(logging.DEBUG)
    yield
    assert not any(secret in caplog.text for secret in SECRETS)


async def failure(server: RawServer, call: str, limits: Limits | None = None) -> EvolutionError:
    """The error of this call, after checking that it tells where it happened and no secret."""
    async with server.client(limits=limits) as client:
        with pytest.raises(EvolutionError) as caught:
            await CALLS[call](client)
    error = caught.value
    assert (error.params["server"], error.params["call"]) == ("default", call)
    assert error.__cause__ is None
    assert error.__context__ is None
    told = repr(error) + str(error) + "".join(traceback.format_exception(error))
    assert not any(secret in told for secret in SECRETS)
    return error


@pytest.mark.parametrize("call", CALLS)
async def test_401_is_unauthorized(server: RawServer, call: str) -> None:
    server.reply = evolution_error(401, "Unauthorized", "Unauthorized")
    error = await failure(server, call)
    assert type(error) is EvolutionUnauthorizedError
    assert error.params["status"] == 401


@pytest.mark.parametrize("call", [call for call in CALLS if call != "fetch_instances"])
@pytest.mark.parametrize("message", ['The "bw1" instance does not exist', 'Instance "bw1" not found'])
async def test_404_naming_the_instance_is_not_found(server: RawServer, call: str, message: str) -> None:
    server.reply = evolution_error(404, [message], "Not Found")
    assert type(await failure(server, call)) is EvolutionNotFoundError


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    "reply",
    [
        evolution_error(404, ["Cannot GET /proxy/find/bw1"], "Not Found"),
        evolution_error(404, ['The "other" instance does not exist'], "Not Found"),
        http(404, b'<html>"bw1" Not Found</html>', "Content-Type: text/html"),
        json(404, {"message": 'The "bw1" instance does not exist'}),
        http(404, b""),
    ],
)
async def test_any_other_404_proves_nothing(server: RawServer, call: str, reply: bytes) -> None:
    server.reply = reply
    error = await failure(server, call)
    assert type(error) is EvolutionUnavailableError
    assert error.params["status"] == 404


@pytest.mark.parametrize(
    ("status", "message", "reason"),
    [
        (400, ["Invalid proxy"], "Invalid proxy"),
        (400, [["port is not of a type(s) string", "and\n more"]], "port is not of a type(s) string; and more"),
        (403, "Forbidden", "Forbidden"),
        (422, [], ""),
        (422, [[["too deep"]], {"a": 1}, None], ""),
        (400, "y" * 195 + SPEC.password, "y" * 195 + "***"),
        (400, "y" * 300, "y" * 200),
    ],
)
async def test_an_explicit_refusal_of_a_set(server: RawServer, status: int, message: object, reason: str) -> None:
    server.reply = evolution_error(status, message)
    error = await failure(server, "set_proxy")
    assert type(error) is EvolutionRejectedError
    assert (error.params["status"], error.params["reason"]) == (status, reason)


async def test_a_refusal_that_echoes_what_was_sent_is_masked(server: RawServer) -> None:
    server.reply = evolution_error(400, [f"bad {secret} here" for secret in SECRETS])
    error = await failure(server, "set_proxy")
    assert error.params["reason"] == "; ".join(["bad *** here"] * len(SECRETS))
    server.reply = evolution_error(400, [f"bad {secret} here" for secret in HOOK_SECRETS])
    error = await failure(server, "set_webhook")
    assert error.params["reason"] == "; ".join(["bad *** here"] * len(HOOK_SECRETS))


@pytest.mark.parametrize(
    ("username", "message", "reason"),
    [
        ("pass", "bad password", "bad ***"),
        ("proxy", "no proxy", "no ***"),
        ("proxy", "Invalid proxy", "Invalid proxy"),  # a gap in the word that all know would tell the secret
    ],
)
async def test_masking_leaves_no_rest(server: RawServer, username: str, message: str, reason: str) -> None:
    server.reply = evolution_error(400, [message])
    async with server.client() as client:
        with pytest.raises(EvolutionRejectedError) as caught:
            await client.set_proxy("bw1", ProxySpec(Protocol.HTTP, "h", 1, username, "password"))
    assert caught.value.params["reason"] == reason


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    "reply",
    [
        evolution_error(400, f"Unexpected token in {ALL_SECRETS}", "Internal Server Error"),
        http(400, b"<html>Bad Request</html>"),
        http(403, b"<html>blocked</html>"),
        evolution_error(429, "slow down"),
        evolution_error(413, "request entity too large"),
        http(301, b"", "Location: http://127.0.0.1:1/elsewhere"),
        http(307, b"", "Location: /instance/fetchInstances"),
    ],
)
async def test_refusals_that_say_nothing_about_the_proxy(server: RawServer, call: str, reply: bytes) -> None:
    server.reply = reply
    assert type(await failure(server, call)) is EvolutionUnavailableError
    assert len(server.requests) == 1


@pytest.mark.parametrize("call", READS)
async def test_a_read_can_not_be_rejected(server: RawServer, call: str) -> None:
    server.reply = evolution_error(400, ["Invalid integration"])
    assert type(await failure(server, call)) is EvolutionUnavailableError


BROKEN = {
    "500": evolution_error(500, f"Can't reach database server {ALL_SECRETS}"),
    "502": http(502, b"<html>Bad Gateway</html>"),
    "408": http(408, b""),
    "no JSON": http(200, f'{{"password": {ALL_SECRETS}'.encode()),
    "empty": http(200, b""),
    "204": http(204, b""),
    "another shape": json(200, {"secret": ALL_SECRETS}),
    "a text": json(201, ALL_SECRETS),
    "half an answer": http(200, b"[]").replace(b"Content-Length: 2", b"Content-Length: 20") + CUT,
    "no HTTP": b"+PONG\r\n\r\n",
    "bad gzip": http(200, b"no gzip at all", "Content-Encoding: gzip"),
    "cut": CUT,
    "silence": SILENCE,
}


@pytest.mark.parametrize("reply", BROKEN)
@pytest.mark.parametrize("call", CALLS)
async def test_no_usable_answer(server: RawServer, call: str, reply: str) -> None:
    server.reply = BROKEN[reply]
    expected = EvolutionUnavailableError if call in READS else EvolutionUnknownError
    assert type(await failure(server, call)) is expected
    if call in CHANGES:
        assert len(server.requests) == 1  # aiohttp may send a read anew, a change never


@pytest.mark.parametrize("call", CALLS)
async def test_no_connection_means_not_carried_out(server: RawServer, call: str) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        server.url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        error = await failure(server, call)
    assert type(error) is EvolutionUnavailableError
    assert error.params["reason"] == "no connection"


async def test_a_name_that_does_not_resolve_means_not_carried_out(server: RawServer) -> None:
    server.url = "http://evolution.invalid"
    assert type(await failure(server, "set_proxy")) is EvolutionUnavailableError


async def test_waiting_for_a_connection_means_not_carried_out(server: RawServer) -> None:
    """A set that never got a connection of its own was never sent."""
    server.reply = SILENCE
    limits = Limits(set_proxy=1.5, restart=1.5, connect=0.2)
    async with EvolutionClient.open("default", server.url, SecretStr(KEY), connections=1, limits=limits) as client:
        first = asyncio.create_task(client.restart("bw1"))
        await server.received.wait()
        with pytest.raises(EvolutionUnavailableError):
            await client.set_proxy("bw1", SPEC)
        with pytest.raises(EvolutionUnknownError):
            await first
    assert len(server.requests) == 1


@pytest.mark.parametrize("call", CALLS)
async def test_each_call_has_its_own_limit(server: RawServer, call: str) -> None:
    server.reply = SILENCE
    patient = dict.fromkeys(Limits.__slots__, 50.0)
    shared = {"fetch_instance": "fetch_instances", "clear_proxy": "set_proxy"}
    own = shared.get(call, "webhook" if call.endswith("webhook") else call)
    started = asyncio.get_running_loop().time()
    error = await failure(server, call, Limits(**(patient | {own: 0.2})))
    assert error.params["reason"] == "no answer in time"
    assert asyncio.get_running_loop().time() - started == pytest.approx(0.2)


def test_default_limits() -> None:
    assert Limits() == Limits(10, 5, 5, 30, 10, 5, 5)


async def test_a_cancelled_call_is_told_and_passed_on(server: RawServer) -> None:
    server.reply = SILENCE
    told: list[str] = []
    async with server.client(on_call=lambda _, outcome, __: told.append(outcome)) as client:
        task = asyncio.create_task(client.set_proxy("bw1", SPEC))
        await server.received.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert told == ["cancelled"]


@pytest.mark.parametrize(("method", "kind"), [("GET", EvolutionUnavailableError), ("POST", EvolutionUnknownError)])
async def test_an_answer_too_large_is_left(server: RawServer, method: str, kind: type[EvolutionError]) -> None:
    async with transport.open_session(1) as session:
        sender = Transport(server.url, SecretStr(KEY), session, 1, None)
        request = Request("default", "any", method, "/", limit=5, max_bytes=1000)
        server.reply = json(200, "x" * 998)
        assert await sender.send(request, str) == "x" * 998
        for reply in (json(200, "x" * 999), http(200, gzip.compress(b"x" * 1001), "Content-Encoding: gzip")):
            server.reply = reply
            with pytest.raises(kind, match="too large"):
                await sender.send(request, str)


async def test_a_session_of_the_caller_is_used_and_left_open(server: RawServer) -> None:
    server.reply = http(500, b"{}")
    async with aiohttp.ClientSession(raise_for_status=True) as session:
        client = EvolutionClient("default", server.url, SecretStr(KEY), session)
        with pytest.raises(EvolutionUnavailableError) as caught:
            await client.fetch_instances()
        assert caught.value.params["status"] == 500
        assert not session.closed
