"""Failed logins are slowed down, and nobody is kept out by the failures of others."""

from __future__ import annotations

from pathlib import Path

from pydantic import SecretStr
from redis.asyncio import Redis

from service.evolution.simulator import Simulator
from service.pool.tokens import Role
from tests.web.api import SUPERADMIN, Api
from tests.web.conftest import serving, settings_for
from tests.web.issuer import SECRET, signed
from tests.web.logins import call, log_in

MOST, IN_TOTAL = 10, 100


async def attempt(api: Api, text: str, address: str = "192.0.2.1") -> str:
    """The code of a refusal, ``""`` when let in."""
    headers = {"Authorization": f"Bearer {text}", "X-Forwarded-For": address}
    answer = await api.call("GET", "/session", role=None, headers=headers)
    return "" if answer.status == 200 else answer.code


async def test_whoever_guesses_is_not_heard_any_more_and_whoever_holds_a_secret_is(
    redis: Redis, redis_url: str, tmp_path: Path, sim: Simulator
) -> None:
    async with serving(settings_for(redis_url, tmp_path, sim, jwt_secret=SecretStr(SECRET))) as api:
        login = await log_in(api)
        assert [await attempt(api, f"guess {number}") for number in range(MOST)] == ["unauthorized"] * MOST
        assert await attempt(api, "guess") == "too_many_logins"
        assert 0 < int(api.answers[-1].headers["Retry-After"]) <= 60
        assert await attempt(api, SUPERADMIN) == "too_many_logins", "a token that people chose can be guessed"
        assert await attempt(api, api.tokens[Role.ADMIN]) == ""
        assert await attempt(api, signed()) == ""
        assert (await call(api, login, "GET", "/session")).status == 200
        assert await attempt(api, SUPERADMIN, "192.0.2.2") == ""
        forged = api.tokens[Role.ADMIN][:-1] + ("0" if api.tokens[Role.ADMIN][-1] != "0" else "1")
        assert await attempt(api, forged) == "too_many_logins"


async def test_a_long_token_that_people_chose_never_waits(api: Api) -> None:
    """Nobody guesses it: an old script that goes on failing behind the same address keeps nobody out."""
    long, short = "x" * 32, "x" * 31
    for number in range(MOST):
        await attempt(api, f"guess {number}")
    for text, code in ((short, "too_many_logins"), (long, "")):
        await api.pool.set_superadmin(text)
        assert await attempt(api, text) == code
    assert await attempt(api, "y" * 32) == "too_many_logins"


async def test_guessing_from_many_addresses_keeps_nobody_out(api: Api) -> None:
    for number in range(IN_TOTAL):
        assert await attempt(api, "guess", f"198.51.100.{number}") == "unauthorized"
    assert await attempt(api, "guess", "198.51.100.0") == "too_many_logins"
    assert await attempt(api, SUPERADMIN, "192.0.2.1") == ""
    assert await attempt(api, "guess", "192.0.2.1") == "unauthorized"
    assert await attempt(api, "guess", "192.0.2.1") == "too_many_logins"


async def test_neighbours_of_one_ipv6_network_are_one(api: Api) -> None:
    for number in range(MOST):
        assert await attempt(api, "guess", f"2001:db8::{number:x}") == "unauthorized"
    assert await attempt(api, "guess", "2001:db8::ffff") == "too_many_logins"
    assert await attempt(api, "guess", "2001:db8:1::1") == "unauthorized"


async def test_a_session_that_is_over_is_no_guess(api: Api) -> None:
    headers = {"Cookie": f"evoproxy_session={'a' * 43}", "X-Forwarded-For": "192.0.2.1"}
    for _ in range(MOST + 5):
        assert (await api.call("GET", "/stats", role=None, headers=headers)).code == "unauthorized"
    assert await attempt(api, SUPERADMIN) == ""


async def test_guesses_by_the_login_are_counted_too(api: Api) -> None:
    codes = []
    for number in range(MOST + 1):
        answer = await api.call("POST", "/session", {"token": f"guess {number}"}, role=None)
        codes.append(answer.code)
    assert codes == ["unauthorized"] * MOST + ["too_many_logins"]
    assert (await log_in(api)).me["role"] == "admin"


async def test_a_token_that_is_too_long(api: Api) -> None:
    assert await attempt(api, "x" * 7000) == "unauthorized"
