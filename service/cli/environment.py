"""What the process is given: settings from the environment and ``.env``, who calls, and the stores that run."""

from __future__ import annotations

import getpass
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from service import settings as configuration
from service.embedded import find_running
from service.errors import InvalidInputError, SettingsError, StoreUnavailableError
from service.messages import Locale
from service.pool.pool import Pool, open_pool_of
from service.settings import Settings

DOTENV = Path(".env")


def settings() -> Settings:
    """The settings of the environment and of ``.env`` in the working directory.

    Raises :class:`~service.errors.SettingsError`.
    """
    try:
        return configuration.load(os.environ, DOTENV)
    except OSError as error:
        raise SettingsError(problems=[f"{DOTENV}: {error.strerror}"]) from None
    except UnicodeDecodeError:  # it would quote what the file holds
        raise SettingsError(problems=[f"{DOTENV}: is no UTF-8 text"]) from None


def locale() -> Locale:
    """The language of messages; the default's while the settings can't be read."""
    try:
        return settings().locale
    except SettingsError:
        return "pt-BR"


def require_servers(settings: Settings) -> None:
    """Raises :class:`~service.errors.SettingsError` when there is no server to talk to."""
    if not settings.servers:
        raise SettingsError(problems=["EVOLUTION_API_BASE_URL: not set, so there is no server to talk to"])


def refuse_unknown(server: str | None, settings: Settings) -> None:
    """Raises :class:`~service.errors.InvalidInputError` for a name that the settings do not hold."""
    names = [one.name for one in settings.servers]
    if server is not None and server not in names:
        raise InvalidInputError("no_such_server", server=server, servers=", ".join(names) or "–")


def actor() -> str:
    """``cli:<user>``, as the audit trail names whoever types; ``cli:uid-<n>`` for one without a name."""
    try:
        return f"cli:{getpass.getuser()}"
    except (KeyError, OSError):  # no such uid in the user database, as in many containers
        return f"cli:uid-{os.getuid()}"


@asynccontextmanager
async def running_pool(settings: Settings, *, passwords: bool = False) -> AsyncIterator[Pool]:
    """The pool at REDIS_URL, else in the embedded Redis that runs in the data dir.

    Raises :class:`~service.errors.StoreUnavailableError` when there is none. For a command that reads or writes
    ``passwords``, also :class:`~service.errors.SettingsError` when EVOPROXY_ENCRYPTION_KEY lacks a key of theirs.
    """
    url = settings.redis_url.get_secret_value() if settings.redis_url else await _running(settings.data_dir)
    async with open_pool_of(settings, url) as pool:
        if passwords:
            await pool.use_key(actor=actor())
        yield pool


async def _running(data_dir: Path) -> str:
    try:
        url = await find_running(data_dir)
    except OSError as error:
        raise SettingsError(problems=[f"EVOPROXY_DATA_DIR: {data_dir}: {error.strerror}"]) from None
    if url is None:
        raise StoreUnavailableError("no_running_redis", store="redis", data_dir=str(data_dir))
    return url
