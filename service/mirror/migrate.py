"""Brings the tables up to date, whoever else tries the same at that moment."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, inspect, text
from sqlalchemy.ext.asyncio import AsyncEngine

from service.errors import RefusedError, SettingsError
from service.mirror.database import DatabaseError, explained
from service.mirror.schema import metadata

VERSION_TABLE = "evoproxy_version"
_LOCK = "evoproxy_migrate"
_LOCK_NUMBER = 0x65766F70726F7879
_LOCK_LIMIT = 60


async def migrate(engine: AsyncEngine) -> str:
    """Makes or updates the tables; answers their version. Doing it again, or twice at the same time, changes nothing.

    Raises :class:`StoreUnavailableError` when the database is out of reach, and :class:`SettingsError` when it is
    unfit: tables of a newer version or of somebody else, a right that is missing.
    """
    try:
        with explained():
            async with engine.execution_options(writes=True).begin() as connection:
                return await connection.run_sync(_upgrade)
    except TypeError:  # how both drivers refuse what they do not know of a URL's query
        raise SettingsError(problems=["DATABASE_URL: the driver does not know an option after the ?"]) from None
    except DatabaseError as error:
        reason = error.params["reason"]
        raise SettingsError(problems=[f"DATABASE_URL: the database refuses evoproxy's tables: {reason}"]) from error


async def require_current(engine: AsyncEngine) -> None:
    """For who only reads: raises :class:`RefusedError` (outdated_tables) where :func:`migrate` would change something,
    :class:`StoreUnavailableError` and :class:`DatabaseError`."""
    with explained():
        async with engine.connect() as connection:
            found = await connection.run_sync(_version)
    if found != ScriptDirectory.from_config(_config()).get_current_head():
        raise RefusedError("outdated_tables")


def _version(connection: Connection) -> str | None:
    return MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE}).get_current_revision()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


def _upgrade(connection: Connection) -> str:
    config = _config()
    config.attributes["connection"] = connection
    with _alone(connection):
        _refuse_strangers(connection)
        try:
            command.upgrade(config, "head")
        except CommandError:
            problem = "DATABASE_URL: its tables were made by a newer evoproxy; use that version, or another database"
            raise SettingsError(problems=[problem]) from None
    return str(ScriptDirectory.from_config(config).get_current_head())


@contextmanager
def _alone(connection: Connection) -> Iterator[None]:
    """One process at a time. SQLite's transaction is a lock already; MySQL commits with each CREATE."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _LOCK_NUMBER})
    if connection.dialect.name != "mysql":
        yield
        return
    connection.execute(text("SELECT GET_LOCK(:name, :seconds)"), {"name": _LOCK, "seconds": _LOCK_LIMIT})
    try:
        yield
    finally:
        connection.execute(text("SELECT RELEASE_LOCK(:name)"), {"name": _LOCK})


def _refuse_strangers(connection: Connection) -> None:
    """Raises :class:`SettingsError` when tables of our names are there that evoproxy did not make."""
    if _version(connection):
        return
    if taken := sorted(metadata.tables.keys() & set(inspect(connection).get_table_names())):
        problem = f"DATABASE_URL: the table {taken[0]} is there, but evoproxy did not make it; name another database"
        raise SettingsError(problems=[problem])
