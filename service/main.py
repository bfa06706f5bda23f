"""The composition root: the only file that sees all others."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from errno import EADDRNOTAVAIL
from pathlib import Path
from urllib.parse import unquote, urlsplit

import uvloop
from aiohttp import web
from pydantic import SecretStr

from service import __version__, log
from service.control.controller import Controller
from service.control.jobs import Jobs
from service.embedded import embedded
from service.errors import SettingsError
from service.evolution.client import EvolutionClient
from service.messages import Locale
from service.mirror.database import open_database, url_of
from service.mirror.mirroring import Mirroring
from service.mirror.questions import Questions
from service.models import bracketed
from service.pool.fitness import check_server
from service.pool.pool import Pool, open_pool_of
from service.pool.tokens import SUPERADMIN, token_text
from service.settings import Settings
from service.web.app import bare_app
from service.web.bodies import dumped
from service.web.broadcast import BROADCAST, Broadcast, Reading
from service.web.context import AUDIT, CONTROLLER, JOBS, MIRROR, POOL, SETTINGS
from service.web.figures import StatsOut, figures
from service.web.metrics import METRICS

logger = logging.getLogger(__name__)

REDIS_URL: web.AppKey[str] = web.AppKey("redis_url", str)
CLIENTS: web.AppKey[Mapping[str, EvolutionClient]] = web.AppKey("clients")

_REQUESTS_END = 1.0
_ACTS_END = 5.5
_BATCH_ENDS = 0.5
"""Seconds that requests, then a job's batch, then acts, then what is being mirrored may take to finish at a stop: with
what the stores need, 8 in all."""

_CONNECTIONS_BESIDE_SETS = 24


def create_app(settings: Settings) -> web.Application:
    """The whole service. Starting it raises :class:`SettingsError` or :class:`StoreUnavailableError`."""
    app = bare_app(settings)
    app.cleanup_ctx.extend((_redis, _pool, _mirror, _superadmin, _evolution, _controller, _jobs, _figures))
    return app


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[str]:
    """The service on its address, which is yielded as a URL; stopped within 8 seconds at the end.

    Raises as :func:`create_app`, and :class:`SettingsError` when the address can't be listened on.
    """
    mask_secrets(settings)
    # Whoever can't have the port must not have acted: the same settings may be serving already.
    sockets = await _listening(settings.host, settings.port)
    runner = web.AppRunner(create_app(settings), access_log=None, shutdown_timeout=_REQUESTS_END)
    try:
        await runner.setup()
        for one in sockets:
            await web.SockSite(runner, one).start()
        url = _url(settings.host, runner.addresses[0][1])
        names = ",".join(server.name for server in settings.servers)
        logger.info(
            "evoproxy serves",
            extra={"version": __version__, "address": url, "servers": names or "none", "mode": settings.mode},
        )
        yield url
    finally:
        await runner.cleanup()
        for one in sockets:
            one.close()


def serve(settings: Settings) -> None:
    """Serves until SIGTERM or SIGINT. Raises as :func:`running`."""
    uvloop.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with running(settings):
        # What is there by now stays: a full collection, which each look at a large server brings about, would look at
        # all that was imported, and nothing else runs for a tenth of a second.
        gc.collect()
        gc.freeze()
        await stop.wait()
        logger.info("stopping")
    logger.info("stopped")


def mask_secrets(settings: Settings) -> None:
    """Sees to it that no secret of the settings is ever in a log line."""
    for _, value in settings:
        for one in value if isinstance(value, tuple) else (value,):
            if isinstance(one, SecretStr):
                log.mask(one.get_secret_value())
    for url in (settings.redis_url, settings.database_url):
        if url is not None and (password := urlsplit(url.get_secret_value()).password):
            log.mask(password)
            log.mask(unquote(password))
    for server in settings.servers:
        log.mask(server.api_key.get_secret_value())


# The parts in the order of their start; they end the other way round.


async def _redis(app: web.Application) -> AsyncIterator[None]:
    settings = app[SETTINGS]
    if settings.redis_url is not None:
        app[REDIS_URL] = settings.redis_url.get_secret_value()
        yield
        return
    async with embedded(settings.data_dir) as app[REDIS_URL]:
        yield


async def _pool(app: web.Application) -> AsyncIterator[None]:
    async with open_pool_of(app[SETTINGS], app[REDIS_URL]) as pool:
        await check_server(pool)
        if await pool.use_key():
            logger.warning(
                "passwords may be in clear or under an older key; evoproxy rotate-key puts all under the first"
            )
        app[POOL] = pool
        yield


async def _mirror(app: web.Application) -> AsyncIterator[None]:
    settings = app[SETTINGS]
    if settings.database_url is None:
        _make_data_dir(settings.data_dir)
    async with open_database(url_of(settings)) as engine:
        mirror = app[MIRROR] = Mirroring(app[POOL], engine, snapshot_interval=settings.snapshot_interval)
        app[AUDIT] = Questions(engine)
        await mirror.start()
        try:
            yield
        finally:
            await mirror.stop(_BATCH_ENDS)


async def _superadmin(app: web.Application) -> AsyncIterator[None]:
    """The superadmin's token: that of the settings, else one made at the first start."""
    settings, pool = app[SETTINGS], app[POOL]
    if settings.superadmin_token is not None:
        await pool.set_superadmin(settings.superadmin_token.get_secret_value())
    elif all(token.name != SUPERADMIN for token in await pool.tokens()):
        await _make_superadmin(pool, settings.data_dir)
    yield


async def _evolution(app: web.Application) -> AsyncIterator[None]:
    settings = app[SETTINGS]
    if not settings.servers:
        logger.warning("no Evolution server is configured: set EVOLUTION_API_BASE_URL and GLOBAL_API_KEY")
    async with AsyncExitStack() as stack:
        clients: dict[str, EvolutionClient] = {}
        for server in settings.servers:
            client = EvolutionClient.open(
                server.name,
                server.base_url,
                server.api_key,
                connections=settings.sets_in_flight + _CONNECTIONS_BESIDE_SETS,
                on_call=app[METRICS].on_call(server.name),
            )
            clients[server.name] = await stack.enter_async_context(client)
        app[CLIENTS] = clients
        yield


async def _controller(app: web.Application) -> AsyncIterator[None]:
    controller = app[CONTROLLER] = Controller(app[POOL], app[CLIENTS], app[SETTINGS])
    await controller.start()
    try:
        yield
    finally:
        await controller.stop(_ACTS_END)


async def _jobs(app: web.Application) -> AsyncIterator[None]:
    jobs = app[JOBS] = Jobs(app[CONTROLLER])
    jobs.loop.start()
    try:
        yield
    finally:
        await jobs.stop(_BATCH_ENDS)


async def _figures(app: web.Application) -> AsyncIterator[None]:
    pool, mirror, controller = app[POOL], app[MIRROR], app[CONTROLLER]

    async def read() -> Reading:
        stats = await pool.stats()

        def say(locale: Locale) -> StatsOut:
            return figures(stats, controller, locale, mirror_lag=mirror.lag)

        essence = say("en").model_copy(update={"at": None, "mirror_lag": None})
        return dumped(essence), lambda locale: dumped(say(locale))

    broadcast = app[BROADCAST] = Broadcast(read)
    broadcast.loop.start()
    try:
        yield
    finally:
        await broadcast.loop.stop()


async def _make_superadmin(pool: Pool, data_dir: Path) -> None:
    """Hands the token over before it is valid, so that a crash between the two loses none.

    It is shown once on a terminal, else written where only the owner can read it.
    """
    text = token_text(SUPERADMIN)
    log.mask(text)
    file = None if sys.stderr.isatty() else data_dir / "superadmin.token"
    if file is None:
        print(f"\n  superadmin token (shown this once): {text}\n", file=sys.stderr)
    else:
        try:
            _write_private(file, text + "\n")
        except OSError as error:
            problem = f"EVOPROXY_DATA_DIR: {data_dir}: the token can't be written: {error.strerror}"
            raise SettingsError(problems=[problem]) from error
    if not await pool.make_superadmin(text):
        if file is not None:
            file.unlink(missing_ok=True)
        logger.warning("another evoproxy made the superadmin token just now; the one made here is void")
    elif file is not None:
        logger.warning("the superadmin token was made; read it and delete the file", extra={"file": str(file)})


def _make_data_dir(folder: Path) -> None:
    """Raises :class:`SettingsError`."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(problems=[f"EVOPROXY_DATA_DIR: {folder}: {error.strerror}"]) from None


def _write_private(file: Path, text: str) -> None:
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    file.unlink(missing_ok=True)
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as opened:
        opened.write(text)


async def _listening(host: str, port: int) -> list[socket.socket]:
    """Sockets on all addresses of ``host``. Raises :class:`SettingsError`."""
    sockets: list[socket.socket] = []
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        for family, address in dict.fromkeys((family, address) for family, *_, address in found):
            taken = sockets[0].getsockname()[1] if sockets else port  # port 0 is chosen once for all
            sockets.append(socket.create_server((address[0], taken, *address[2:]), family=family, backlog=128))
    except (OSError, UnicodeError) as error:
        for one in sockets:
            one.close()
        ours = isinstance(error, OSError) and not isinstance(error, socket.gaierror) and error.errno != EADDRNOTAVAIL
        name = "EVOPROXY_PORT" if ours else "EVOPROXY_HOST"
        reason = "is no host name"
        if isinstance(error, OSError):  # create_server tells the address once more
            reason = str(error.strerror).partition(" (while ")[0]
        raise SettingsError(problems=[f"{name}: {host}:{port} can't be listened on: {reason}"]) from error
    return sockets


def _url(host: str, port: int) -> str:
    return f"http://{bracketed(host)}:{port}"
