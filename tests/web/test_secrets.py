"""No answer, log line, event or problem ever holds a password, a key or a token that was not asked for."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from service import log
from service.evolution.simulator import Fault, Simulator
from service.main import mask_secrets
from service.pool.tokens import Role
from service.pool.vault import Vault
from service.web import routes
from tests.helpers import wait_until
from tests.web.api import PASSWORD, SUPERADMIN, Api, lines, proxy
from tests.web.conftest import serving, settings_for

REVEALING = {"/proxies/{id}/reveal", "/reservations"}


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


async def test_a_planted_password_shows_up_nowhere(
    redis: Redis, redis_url: str, tmp_path: Path, sim: Simulator, written: io.StringIO
) -> None:
    settings = settings_for(redis_url, tmp_path, sim)
    mask_secrets(settings)
    async with serving(settings) as api:
        await api.read_once()
        headers = {"Content-Type": "text/plain"}
        await api.call("POST", "/proxies/import", data=lines([proxy(1), proxy(2), proxy(3)]), headers=headers)
        await api.call("POST", "/proxies/import", data=f"x:y:z:{PASSWORD}\n".encode(), headers=headers)
        sim.create("one", state="open")
        sim.create("two", state="open", row=proxy(9))
        await wait_until(lambda: _protected(api), what="one has its proxy")
        sim.warts.faults.append(Fault("proxy/set", status=500, times=1))
        sim.warts.invalid_next = 1
        held = await api.get("/instances/one")
        for route in routes.ALL:
            if route.path in REVEALING or "stream" in route.path or route.method == "DELETE":
                continue
            path = route.path.replace(":[^/]+", "").format(id=held["proxyId"], instance="one", name="a")
            await api.call(route.method, path, {} if route.method in ("POST", "PATCH") else None, role=Role.SUPERADMIN)
        await api.call("PATCH", f"/proxies/{held['proxyId']}", {"password": f"{PASSWORD}\x00"})
        await api.call("PATCH", f"/proxies/{held['proxyId']}", {"password": [PASSWORD]})
        await api.call("PATCH", f"/proxies/{held['proxyId']}", data=f'{{"password": "{PASSWORD}'.encode())
        await api.call("GET", "/stats", role=None, headers={"Authorization": f"Bearer wrong-{SUPERADMIN}"})
        revealed = await api.call("POST", f"/proxies/{held['proxyId']}/reveal", role=Role.SUPERADMIN)
        assert revealed.body["password"] == PASSWORD
        said = "".join(answer.text for answer in api.answers if answer is not revealed)
        events = str(await api.pool.redis.xrange(api.pool.keys.named("events")))
        secrets = [PASSWORD, "Pl4nted%26Pass", SUPERADMIN, sim.api_key, *api.tokens.values()]
    text = written.getvalue()
    assert "GET /api/v1/proxies" in text
    for secret in secrets:
        assert secret not in said
        assert secret not in events
        assert secret not in text


async def _protected(api: Api) -> bool:
    answer = await api.call("GET", "/instances/one")
    return answer.status == 200 and answer.body["applied"] == "yes"


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
