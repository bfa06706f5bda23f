"""The tables: made once whoever asks, and never made in somebody else's place."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from operator import itemgetter
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, event, inspect, make_url, text
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.schema import Table

from service.errors import SettingsError, StoreUnavailableError
from service.mirror.compare import Comparer
from service.mirror.database import DatabaseError, explained, open_database
from service.mirror.migrate import VERSION_TABLE, migrate
from service.mirror.mirror import Mirror
from service.mirror.schema import EVENTS, POSITION, PROXIES, metadata
from tests.lua.stage import Stage
from tests.mirror.proxies import fill_proxies
from tests.mirror.scene import rows
from tests.mirror.servers import QUOTED, Server


@pytest.fixture
async def empty(database_url: str) -> AsyncIterator[AsyncEngine]:
    async with open_database(database_url) as engine:
        yield engine


async def test_the_steps_lead_to_the_schema(empty: AsyncEngine) -> None:
    await migrate(empty)

    def differences(connection: Connection) -> list[Any]:
        def ours(thing: object, name: str | None, kind: str, *_: object) -> bool:
            return not (kind == "table" and name == VERSION_TABLE)

        options = {"compare_type": True, "include_object": ours}
        return list(compare_metadata(MigrationContext.configure(connection, opts=options), metadata))

    async with empty.connect() as connection:
        assert await connection.run_sync(differences) == []


@pytest.mark.redis
async def test_tables_of_the_first_version_are_brought_up_to_date(
    stage: Stage, empty: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as old:
        old.setattr(command, "upgrade", lambda config, _, upgrade=command.upgrade: upgrade(config, "1"))
        await migrate(empty)
    await _execute(empty, f"INSERT INTO {POSITION.name} (pool, epoch, seq, batches) VALUES ('test', 0, 0, 0)")
    mirror = Mirror(stage.pool, empty)
    [proxy_id] = await stage.add()
    await mirror.catch_up()
    assert (await rows(empty, POSITION))[0]["compare_due_at"] is not None
    await _execute(empty, f"UPDATE {PROXIES.name} SET search_text = ''")
    found = await Comparer(mirror).compare_if_due()
    assert found is not None
    assert found.differences == 0
    assert (await rows(empty, PROXIES))[0]["search_text"].startswith(f"{proxy_id}\n10.0.0.1:8080\n")


async def test_an_index_is_changed_under_many_rows(empty: AsyncEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as old:
        old.setattr(command, "upgrade", lambda config, _, upgrade=command.upgrade: upgrade(config, "2"))
        await migrate(empty)
    filled = await fill_proxies(empty, 3_000)
    await migrate(empty)
    async with empty.connect() as connection:
        found = await connection.run_sync(lambda one: inspect(one).get_indexes(PROXIES.name))
    assert {str(one["name"]) for one in found} == {str(one.name) for one in PROXIES.indexes}
    live = [row for row in await rows(empty, PROXIES) if row["removed_at"] is None]
    assert sorted(live, key=itemgetter("id")) == sorted(filled, key=itemgetter("id"))


async def test_two_processes_that_start_together(database_url: str, empty: AsyncEngine) -> None:
    async with open_database(database_url) as other:
        versions = await asyncio.gather(migrate(empty), migrate(other), migrate(empty))
    assert len(set(versions)) == 1
    assert await migrate(empty) == versions[0]


async def test_tables_of_a_newer_version_are_left_alone(empty: AsyncEngine) -> None:
    await migrate(empty)
    await _execute(empty, f"UPDATE {VERSION_TABLE} SET version_num = '999'")
    with pytest.raises(SettingsError) as caught:
        await migrate(empty)
    assert "DATABASE_URL: its tables were made by a newer evoproxy" in str(caught.value)


@pytest.mark.parametrize("table", metadata.tables.values(), ids=str)
async def test_a_table_of_somebody_else_is_left_alone(empty: AsyncEngine, table: Table) -> None:
    await _execute(empty, f"CREATE TABLE {table.name} (id INTEGER)")
    with pytest.raises(SettingsError) as caught:
        await migrate(empty)
    assert f"DATABASE_URL: the table {table.name} is there" in str(caught.value)
    async with empty.connect() as connection:
        found = await connection.run_sync(lambda one: inspect(one).get_table_names())
    assert set(found) == {table.name}


@pytest.mark.redis
async def test_a_column_that_somebody_dropped_is_told(stage: Stage, empty: AsyncEngine) -> None:
    mirror = Mirror(stage.pool, empty)
    await mirror.catch_up()
    await _execute(empty, f"ALTER TABLE {EVENTS.name} DROP COLUMN reason")
    await stage.add()
    for _ in range(2):
        with pytest.raises(DatabaseError) as caught:
            await mirror.step()
        assert caught.value.params["reason"]
    assert (await rows(empty, POSITION))[0]["seq"] == 1
    assert (await stage.pool.stats()).events == 2


@pytest.mark.redis
async def test_a_full_disk_is_told_and_what_follows_is_caught_up(stage: Stage, tmp_path: Path) -> None:
    async with open_database(f"sqlite:///{tmp_path}/small.db") as engine:
        pages = 200

        def limit(connection: Any, _record: object) -> None:
            connection.cursor().execute(f"PRAGMA max_page_count={pages}")

        event.listen(engine.sync_engine, "checkout", lambda connection, record, _: limit(connection, record))
        mirror = Mirror(stage.pool, engine)
        await mirror.catch_up()
        pages = 1
        await stage.add(300)
        with pytest.raises(DatabaseError, match="SQLITE_FULL"):
            await mirror.catch_up()
        assert len(await rows(engine, EVENTS)) == 1
        pages = 100_000
        await mirror.catch_up()
        assert len(await rows(engine, EVENTS)) == 301


@pytest.mark.parametrize("path", ["/nonexistent/folder/x.db", "/dev/null/x.db", "", ":memory:", "file:x?mode=memory"])
async def test_a_file_that_cannot_be_made(path: str) -> None:
    with pytest.raises(SettingsError, match=r"DATABASE_URL: .* no f"):
        async with open_database(f"sqlite:///{path}"):
            pass


@pytest.mark.parametrize("scheme", ["postgresql", "mysql"])
async def test_an_option_that_the_driver_does_not_know(scheme: str) -> None:
    async with open_database(f"{scheme}://u:geheim@127.0.0.1:1/x?foo=bar") as engine:
        with pytest.raises(SettingsError, match=r"DATABASE_URL: the driver does not know an option") as caught:
            await migrate(engine)
    assert "geheim" not in str(caught.value)


@pytest.mark.parametrize("url", ["postgresql://u:geheim@h:port/x", "oracle://u:geheim@h/x", "x"])
async def test_a_url_that_cannot_be_read(url: str) -> None:
    with pytest.raises(SettingsError, match="DATABASE_URL") as caught:
        async with open_database(url) as engine:
            await migrate(engine)
    assert "geheim" not in str(caught.value)


@pytest.mark.parametrize("scheme", ["postgresql", "mysql"])
async def test_a_server_that_is_not_there(scheme: str) -> None:
    async with open_database(f"{scheme}://u:geheim@127.0.0.1:1/x") as engine:
        with pytest.raises(StoreUnavailableError) as caught:
            await migrate(engine)
    assert caught.value.params["store"] == "sql"
    assert "geheim" not in str(caught.value)


@pytest.fixture(
    params=[
        pytest.param("postgresql", marks=pytest.mark.postgresql),
        pytest.param("mariadb", marks=pytest.mark.mariadb),
    ]
)
def server(request: pytest.FixtureRequest) -> Server:
    found: Server = request.getfixturevalue(f"{request.param}_server")
    return found


async def test_a_wrong_password_and_an_unknown_database(server: Server) -> None:
    for url in (server.url(server.first).replace(QUOTED, "geheim"), server.url("not_there")):
        async with open_database(url) as engine:
            with pytest.raises(SettingsError, match="DATABASE_URL: the database refuses") as caught:
                await migrate(engine)
        assert "geheim" not in str(caught.value)


async def test_a_user_without_rights(server: Server) -> None:
    async with open_database(server.url(server.first)) as admin:
        poor = "'poor'@'127.0.0.1'" if server.first == "mysql" else "poor"
        made = "IDENTIFIED BY" if server.first == "mysql" else "PASSWORD"
        await _execute(admin, f"CREATE USER {poor} {made} 'geheim'")
    url = make_url(server.url(server.first)).set(username="poor", password="geheim")
    async with open_database(url.render_as_string(hide_password=False)) as engine:
        with pytest.raises(SettingsError, match="DATABASE_URL: the database refuses") as caught:
            await migrate(engine)
    assert "geheim" not in str(caught.value)
    async with open_database(server.url(server.first)) as admin:
        await _execute(admin, f"DROP USER {poor}")


async def test_a_missing_driver_names_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "asyncpg", None)
    with pytest.raises(SettingsError, match=r"DATABASE_URL: install evoproxy\[postgresql\]"):
        async with open_database("postgresql://u:p@h/x"):
            pass


async def test_sslmode_is_understood() -> None:
    async with open_database("postgresql://u:p@h/x?sslmode=require&application_name=a") as engine:
        assert dict(engine.url.query) == {"ssl": "require", "application_name": "a"}


async def _execute(engine: AsyncEngine, statement: str) -> None:
    with explained():
        async with engine.execution_options(writes=True).begin() as connection:
            await connection.execute(text(statement))
