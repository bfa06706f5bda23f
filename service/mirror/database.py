"""The database that DATABASE_URL names: its driver, its transactions, and what its failures mean."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from service.errors import EvoproxyError, SettingsError, StoreUnavailableError
from service.settings import Settings

logging.getLogger("aiosqlite").setLevel(logging.INFO)  # below, it tells each statement with its values: passwords

_DRIVERS = {"postgresql": "postgresql+asyncpg", "mysql": "mysql+asyncmy", "sqlite": "sqlite+aiosqlite"}
_CONNECT: dict[str, dict[str, Any]] = {
    "postgresql": {"timeout": 10, "command_timeout": 60},
    "mysql": {"connect_timeout": 10, "charset": "utf8mb4"},
    "sqlite": {"timeout": 10},
}
_ABSENT = ("53300", "57P01", "57P02", "57P03")
"""SQLSTATEs of a PostgreSQL that has no room, stops or starts: asyncpg's classes for them are no connection errors."""
_ABSENT_MYSQL = frozenset({1040, 1053, 1205, 1213, 2002, 2003, 2006, 2013})
_ABSENT_SQLITE = ("SQLITE_BUSY", "SQLITE_LOCKED")


class DatabaseError(EvoproxyError):
    """The database refuses what evoproxy asks of it: no right, no room, a table that somebody has changed.

    Params: ``store`` and ``reason``, the driver's name and number of the error; never its text, which may quote rows.
    """

    code = "database_refused"


def url_of(settings: Settings) -> str:
    """DATABASE_URL, else an SQLite file in the data dir."""
    if settings.database_url is not None:
        return settings.database_url.get_secret_value()
    file = URL.create("sqlite", database=str(settings.data_dir.absolute() / "evoproxy.db"))
    return file.render_as_string(hide_password=False)


@asynccontextmanager
async def open_database(url: str, *, create: bool = True) -> AsyncIterator[AsyncEngine]:
    """The database at ``url`` (``postgresql://``, ``mysql://``, ``sqlite:///path``); nothing is connected yet.

    Raises :class:`SettingsError` when the URL can't be used or its driver is not installed, and unless it is to
    ``create`` it :class:`StoreUnavailableError` when there is no such file.
    """
    engine = _engine(url, create)
    try:
        yield engine
    finally:
        await engine.dispose()


def _engine(url: str, create: bool) -> AsyncEngine:
    try:
        named = make_url(url)
        backend = named.get_backend_name()
        connect_args = _CONNECT[backend]
        if backend == "sqlite":
            _check_file(named.database, create)
        engine = create_async_engine(
            _translated(named).set(drivername=_DRIVERS[backend]),
            connect_args=connect_args,
            pool_pre_ping=True,
            hide_parameters=True,  # they are proxies with their passwords
        )
    except ModuleNotFoundError as error:
        raise SettingsError(problems=[f"DATABASE_URL: install evoproxy[{backend}] ({error.name} is missing)"]) from None
    except (ArgumentError, NoSuchModuleError, KeyError, ValueError):
        raise SettingsError(problems=["DATABASE_URL: can't be read as the URL of a database"]) from None
    if backend == "sqlite":
        event.listen(engine.sync_engine, "connect", _on_sqlite_connect)
        event.listen(engine.sync_engine, "begin", _on_sqlite_begin)
    return engine


def _check_file(path: str | None, create: bool) -> None:
    if path is None or path in ("", ":memory:") or path.startswith("file:"):
        raise SettingsError(problems=["DATABASE_URL: names no file; an SQLite database is written sqlite:///path"])
    if not create and not Path(path).is_file():
        raise StoreUnavailableError(store="sql", reason=f"{path}: no such file")
    if not (folder := Path(path).parent).is_dir():
        raise SettingsError(problems=[f"DATABASE_URL: {folder} is no folder"])


def _translated(url: URL) -> URL:
    """libpq's ``sslmode`` by asyncpg's name."""
    if url.get_backend_name() != "postgresql" or "sslmode" not in url.query:
        return url
    return url.difference_update_query(["sslmode"]).update_query_dict({"ssl": str(url.query["sslmode"])})


def _on_sqlite_connect(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # Python's own BEGIN spares SELECT and DDL; ours, below, spares nothing
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.close()


def _on_sqlite_begin(connection: Connection) -> None:
    """A transaction that writes takes the lock with its first statement, so that it waits for others, not fails."""
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def explained() -> Iterator[None]:
    """What the database raises inside becomes a :class:`StoreUnavailableError` (out of reach, does not answer) or a
    :class:`DatabaseError` (it refuses)."""
    try:
        yield
    except (DBAPIError, OSError, TimeoutError) as error:
        raised = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
        reason, absent = _reason(raised)
        if absent or (isinstance(error, DBAPIError) and error.connection_invalidated):
            raise StoreUnavailableError(store="sql", reason=reason) from None
        raise DatabaseError(store="sql", reason=reason) from None
    except SQLAlchemyError as error:
        raise DatabaseError(store="sql", reason=type(error).__name__) from None


def _reason(raised: BaseException) -> tuple[str, bool]:
    """The driver's name and number of an error, and whether the database is out of reach."""
    cause: Any = raised
    if not isinstance(raised, TimeoutError):  # whose cause is only the cancellation
        cause = raised.__cause__ or raised  # SQLAlchemy's adapters raise their own from the driver's
    name = type(cause).__name__
    if isinstance(cause, OSError | TimeoutError):
        return name, True
    if state := getattr(cause, "sqlstate", None):
        return f"{name} {state}", str(state).startswith("08") or state in _ABSENT
    if known := getattr(cause, "sqlite_errorname", None):
        return str(known), str(known).startswith(_ABSENT_SQLITE)
    number = cause.args[0] if cause.args and isinstance(cause.args[0], int) else None
    if number is not None:
        return f"{name} {number}", number in _ABSENT_MYSQL
    return name, name in ("InterfaceError", "ConnectionDoesNotExistError")
