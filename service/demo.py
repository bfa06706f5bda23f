"""The demo: the real service on a real Redis, beside a simulated Evolution API whose instances come and go."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from pydantic import SecretStr

from service import main
from service.background import Loop
from service.control.intake import import_proxies
from service.embedded import embedded
from service.errors import SettingsError
from service.evolution.simulator import OBSERVED_SERVICE_TIMES, Paces, Simulator, Story
from service.pool.pool import Pool, open_pool
from service.settings import ServerSettings, Settings

PROXIES = 4000
NETWORKS = {"sao-paulo": "192.0.2", "rio": "198.51.100", "recife": "203.0.113"}
"""By group: the networks that are kept for documentation (RFC 5737), so that the sample proxies are nobody's."""

_CHAPTER_EVERY = 3.0
_HOSTS = 250


@dataclass(frozen=True, slots=True)
class Demo:
    """A demo that plays: ``url`` and ``token`` are for its users, ``pool`` and ``simulator`` for who watches it."""

    url: str
    token: str
    pool: Pool
    simulator: Simulator


@asynccontextmanager
async def play(settings: Settings, *, data_dir: Path | None = None, paces: Paces | None = None) -> AsyncIterator[Demo]:
    """A filled pool, a simulated server and the service between them; on leaving all of it is gone within 8 seconds.

    Of ``settings`` only address, port, token, language and log format count: the demo never talks to a real server.
    A ``data_dir`` is kept. ``paces`` are the simulated server's, those of a real one unless given.

    Raises :class:`SettingsError` when ``data_dir`` is not empty or the address can't be listened on, and what
    :func:`service.embedded.embedded` raises.
    """
    async with AsyncExitStack() as stack:
        folder = (
            _empty(data_dir) if data_dir else Path(stack.enter_context(TemporaryDirectory(prefix="evoproxy-demo-")))
        )
        redis_url = await stack.enter_async_context(embedded(folder))
        pool = await stack.enter_async_context(open_pool(redis_url, "default"))
        for group, network in NETWORKS.items():
            await import_proxies(pool, _lines(network), actor="auto", group=group)
        simulator = await stack.enter_async_context(Simulator(paces=paces or Paces(service=OBSERVED_SERVICE_TIMES)))
        story = Story(simulator)
        story.begin()
        own = _settings(settings, folder, redis_url, simulator)
        url = await stack.enter_async_context(main.running(own))
        assert own.superadmin_token is not None
        token = own.superadmin_token.get_secret_value()
        async with _told(story):
            yield Demo(url, token, pool, simulator)


def _empty(data_dir: Path) -> Path:
    """A pool that is in use would be filled with sample proxies."""
    if data_dir.exists() and not (data_dir.is_dir() and not any(data_dir.iterdir())):
        raise SettingsError(problems=[f"--data-dir: {data_dir} is not an empty directory; the demo needs its own"])
    return data_dir


async def _lines(network: str) -> AsyncIterator[bytes]:
    """A third of the proxies as a vendor would send them; each fifth address speaks socks5."""
    share = -(-PROXIES // len(NETWORKS))
    first = list(NETWORKS.values()).index(network) * share
    for number in range(share)[: PROXIES - first]:
        port, host = divmod(number, _HOSTS)
        scheme = "socks5" if host % 5 == 4 else "http"
        yield f"{scheme}://demo:sample-{number}@{network}.{host + 1}:{8000 + port}\n".encode()


def _settings(settings: Settings, data_dir: Path, redis_url: str, simulator: Simulator) -> Settings:
    """Everything is quicker than in earnest, so that there is something to see."""
    return Settings(
        servers=(ServerSettings(name="demo", base_url=simulator.url, api_key=SecretStr(simulator.api_key)),),
        data_dir=data_dir,
        redis_url=SecretStr(redis_url),
        host=settings.host,
        port=settings.port,
        superadmin_token=settings.superadmin_token or SecretStr(secrets.token_urlsafe(16)),
        locale=settings.locale,
        log_format=settings.log_format,
        poll_interval=2,
        release_grace=10,
        cooldown=20,
        ban_rest=120,
        orphan_rest=60,
        set_settle=60,
        restart_rate=10,
        restart_burst=10,
    )


@asynccontextmanager
async def _told(story: Story) -> AsyncIterator[None]:
    async def chapter() -> None:
        story.step()

    loop = Loop("story", _CHAPTER_EVERY, chapter)
    loop.start()
    try:
        yield
    finally:
        await loop.stop()
