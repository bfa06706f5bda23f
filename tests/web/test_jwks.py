"""The keys of an application: read, rotated, out of reach."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from service.errors import StoreUnavailableError
from service.web.jwks import Jwks
from tests.helpers import wait_until
from tests.web.issuer import Published, ec_key, ed_key, jwk, rsa_key

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Time:
    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


@asynccontextmanager
async def reading(published: Published, now: Time) -> AsyncIterator[Jwks]:
    """Keys that were asked for once."""
    app = web.Application()
    app.router.add_get("/{path:.*}", published.serve)
    async with TestServer(app) as server:
        keys = Jwks(str(server.make_url("/jwks")), now=now)
        running = keys.running(app)
        await anext(running)
        await wait_until(lambda: keys.loop.last_success or keys.loop.failures, what="the first reading")
        yield keys
        await anext(running, None)


async def known(keys: Jwks, *kids: str) -> list[bool]:
    return [await keys.key(kid) is not None for kid in kids]


async def test_a_new_key_works_when_it_is_first_used_and_an_old_one_ends() -> None:
    published, now = Published([jwk(rsa_key(), kid="old")]), Time()
    async with reading(published, now) as keys:
        assert await known(keys, "old") == [True]
        assert published.asked == 1
        published.keys = [jwk(ec_key(), kid="new")]
        now.at += 30
        assert await known(keys, "new", "old") == [True, False]
        assert published.asked == 2


async def test_unknown_keys_do_not_hammer_the_url() -> None:
    published, now = Published([jwk(rsa_key(), kid="k")]), Time()
    async with reading(published, now) as keys:
        now.at += 29.9
        assert not any(await known(keys, *(str(number) for number in range(100))))
        assert published.asked == 1
        now.at += 0.1
        assert not any(await asyncio.gather(*(keys.key(str(number)) for number in range(100))))
        assert published.asked == 2


async def test_keys_last_for_a_day_while_the_url_is_down(caplog: pytest.LogCaptureFixture) -> None:
    published, now = Published([jwk(rsa_key(), kid="k")]), Time()
    async with reading(published, now) as keys:
        published.answer = status(503)
        now.at += 24 * 3600
        assert await known(keys, "k", "other") == [True, False]
        assert "the JWKS can't be read" in caplog.text
        now.at += 1
        with pytest.raises(StoreUnavailableError):
            await keys.key("k")
        published.answer = None
        now.at += 30
        assert await known(keys, "new") == [False]
        assert await known(keys, "k") == [True]


def status(code: int, **fields: object) -> Answer:
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(status=code, **fields)  # type: ignore[arg-type]

    return answer


async def endless(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    for _ in range(100):
        await response.write(b" " * 65536)
    return response


async def elsewhere(request: web.Request) -> web.StreamResponse:
    if request.path == "/elsewhere":
        return web.json_response({"keys": [jwk(rsa_key(), kid="k")]})
    raise web.HTTPFound("/elsewhere")


@pytest.mark.parametrize(
    "answer",
    [
        status(404),
        status(204),
        status(200, text="<html>"),
        status(200, text='{"keys": 5}'),
        status(200, text='{"keys": []}'),
        status(200, text='[{"kty": "RSA"}]'),
        status(200, text='{"keys": [5, null, {}, {"kty": "RSA"}, {"kty": "oct", "k": "AAAA", "kid": "k"}]}'),
        status(200, text="[" * 100_000),
        status(200, body=b"\xff\x00"),
        status(200, body=b"{}", headers={"Content-Encoding": "gzip"}),
        endless,
        elsewhere,
    ],
)
async def test_what_is_no_jwks_changes_nothing(answer: Answer) -> None:
    published, now = Published([jwk(ed_key(), kid="before")]), Time()
    async with reading(published, now) as keys:
        published.answer = answer
        now.at += 30
        assert await known(keys, "k", "before") == [False, True]
        assert published.asked >= 2


async def test_before_the_first_reading_nobody_can_tell() -> None:
    async with reading(Published(answer=status(500)), Time()) as keys:
        with pytest.raises(StoreUnavailableError):
            await keys.key("k")
        assert keys.loop.failures == 1


async def test_a_slow_url_holds_up_only_who_needs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, go = asyncio.Event(), asyncio.Event()

    async def slow(request: web.Request) -> web.StreamResponse:
        asked.set()
        await go.wait()
        return web.json_response({"keys": [jwk(ec_key(), kid="new")]})

    published, now = Published([jwk(rsa_key(), kid="k")]), Time()
    async with reading(published, now) as keys:
        published.answer = slow
        now.at += 30
        waiting = [asyncio.create_task(keys.key("new")) for _ in range(3)]
        await asked.wait()
        assert await known(keys, "k") == [True]
        go.set()
        assert all([await one for one in waiting])
        assert published.asked == 2


async def test_a_url_that_never_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.web.jwks._LIMIT", 0.2)
    never = asyncio.Event()

    async def hang(request: web.Request) -> web.StreamResponse:
        await never.wait()
        return web.Response()

    async with reading(Published(answer=hang), Time()) as keys:
        assert isinstance(keys.loop.last_error, StoreUnavailableError)
        never.set()
