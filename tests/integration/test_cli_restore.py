"""``evoproxy migrate``, ``snapshot`` and ``restore``, on a real Redis and an SQLite file in the data dir."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from alembic import command

from service.cli.command import DONE, REFUSED, UNREACHABLE, USAGE
from tests.commands import Commands, clean

pytestmark = pytest.mark.redis

LINES = b"http://ana:secret@192.0.2.1:8000\nsocks5://bob:secret@192.0.2.2:8000\nhttp://192.0.2.3:80\n"
META = "evoproxy:{default}:meta"


@pytest.fixture
def evoproxy(store: Any, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Commands:
    clean(monkeypatch, tmp_path)
    (tmp_path / "data").mkdir()
    return Commands({"REDIS_URL": redis_url})


@pytest.fixture
def mirrored(evoproxy: Commands) -> Commands:
    """Three proxies are in the pool and in the table."""
    evoproxy("populate", "-", stdin=LINES)
    evoproxy("snapshot")
    return evoproxy


def export(evoproxy: Commands) -> list[str]:
    return sorted(evoproxy("export", "--secrets").stdout.splitlines())


def test_migrate_makes_the_tables_and_says_their_version(evoproxy: Commands, tmp_path: Path) -> None:
    [told] = evoproxy("migrate", "--json").documents
    assert evoproxy("migrate").stdout == f"tables are at version {told['version']}\n"
    with sqlite3.connect(tmp_path / "data" / "evoproxy.db") as database:
        assert database.execute("SELECT count(*) FROM proxies_tables").fetchone() == (0,)


def test_a_database_without_its_folder_or_driver_is_named(evoproxy: Commands) -> None:
    result = evoproxy("migrate", DATABASE_URL="sqlite:////nowhere/x.db")
    assert (result.exit_code, result.stderr) == (USAGE, "evoproxy: DATABASE_URL: /nowhere is no folder\n")
    assert evoproxy("restore", DATABASE_URL="sqlite:////nowhere/x.db").exit_code != DONE


def test_a_snapshot_compares_and_writes_the_figures(evoproxy: Commands, tmp_path: Path) -> None:
    evoproxy("populate", "-", stdin=LINES)
    evoproxy("migrate")
    [told] = evoproxy("snapshot", "--json").documents
    assert told == {"compared": 3, "absent": 0, "differing": 0, "surplus": 0}
    with sqlite3.connect(tmp_path / "data" / "evoproxy.db") as database:
        assert database.execute("SELECT total, mirror_lag FROM pool_stats").fetchall() == [(3, 0.0)]
        database.execute("DELETE FROM proxies_tables WHERE port = 80")
        database.commit()
    result = evoproxy("snapshot")
    assert result.stdout == "3 proxies compared; in the table 1 were missing, 0 different, 0 surplus\n"


def test_a_dry_run_migrates_nothing(evoproxy: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says what to do with tables of an older version; the restore itself brings them up to date."""
    with monkeypatch.context() as old:
        old.setattr(command, "upgrade", lambda config, _, upgrade=command.upgrade: upgrade(config, "1"))
        evoproxy("migrate")
    for dry_run in (evoproxy("restore", "--dry-run"), evoproxy("restore", "--dry-run", "--merge")):
        assert (dry_run.exit_code, dry_run.stdout) == (REFUSED, "")
        assert dry_run.stderr == (
            "evoproxy: The tables in SQL are not those of this version: run evoproxy migrate first\n"
        )
    refused = evoproxy("restore")
    assert evoproxy("restore", "--dry-run") == refused
    assert (refused.exit_code, "holds no proxy" in refused.stderr) == (REFUSED, True)


def test_an_emptied_pool_comes_back(mirrored: Commands, store: Any) -> None:
    before = export(mirrored)
    store.flushall()
    result = mirrored("snapshot")
    assert result.exit_code == REFUSED
    assert "Redis holds 0 proxies and the table 3: Redis was emptied; run evoproxy restore" in result.stderr
    [foretold] = mirrored("restore", "--dry-run", "--json").documents
    assert (foretold["dryRun"], foretold["restored"], store.exists("evoproxy:{default}:all")) == (True, 3, 0)
    [done] = mirrored("restore", "--json").documents
    assert done == foretold | {"dryRun": False}
    assert (done["from"], done["leases"], done["damaged"], done["asOf"][-1]) == ("sql", 0, 0, "Z")
    assert export(mirrored) == before
    assert mirrored("check", "--json").documents[-1]["broken"] == 0
    assert mirrored("snapshot", "--json").documents == [{"compared": 3, "absent": 0, "differing": 0, "surplus": 0}]


def test_people_are_told_what_does_not_come_back(mirrored: Commands, store: Any) -> None:
    store.flushall()
    result = mirrored("restore")
    assert (result.exit_code, result.stderr) == (DONE, "")
    assert "restored   3" in result.stdout
    assert "Tokens of the API are not restored" in result.stdout
    assert "secret" not in result.stdout


def test_a_pool_that_is_not_empty_is_refused_unless_merged(mirrored: Commands, store: Any) -> None:
    result = mirrored("restore")
    assert result.exit_code == REFUSED
    assert (
        result.stderr == "evoproxy: Redis holds proxies already; --merge restores only what is missing (proxies: 3)\n"
    )
    store.flushall()
    mirrored("populate", "-", stdin=b"http://ana:other@192.0.2.1:8000\n")
    [done] = mirrored("restore", "--merge", "--json").documents
    assert (done["restored"], done["known"]) == (2, 1)
    assert "http://ana:other@192.0.2.1:8000" in export(mirrored)


def test_a_damaged_row_is_named_and_the_rest_restored(mirrored: Commands, store: Any, tmp_path: Path) -> None:
    store.flushall()
    with sqlite3.connect(tmp_path / "data" / "evoproxy.db") as database:
        database.execute("UPDATE proxies_tables SET host = 'elsewhere' WHERE port = 80")
    result = mirrored("restore")
    assert result.exit_code == REFUSED
    assert "damaged row of proxies_tables, not restored: " in result.stdout
    assert len(export(mirrored)) == 2
    assert "restoring" not in store.hgetall(META)


def test_a_missing_key_stops_it_before_anything_changes(evoproxy: Commands, store: Any) -> None:
    keyed = Commands({**evoproxy.env, "EVOPROXY_ENCRYPTION_KEY": "a long enough passphrase"})
    keyed("populate", "-", stdin=LINES)
    keyed("snapshot")
    store.flushall()
    result = evoproxy("restore")
    assert result.exit_code == USAGE
    assert result.stderr.startswith("evoproxy: EVOPROXY_ENCRYPTION_KEY does not open the stored passwords")
    assert "restoring" not in store.hgetall(META)
    assert keyed("restore", "--json").documents[0]["restored"] == 3


def test_an_export_gives_its_proxies_back(evoproxy: Commands, store: Any, tmp_path: Path) -> None:
    evoproxy("populate", "-", stdin=LINES)
    file = tmp_path / "pool.csv"
    evoproxy("export", "--secrets", "--format", "csv", "-o", file)
    before = export(evoproxy)
    refused = evoproxy("restore", "--from", file)
    assert (refused.exit_code, "--merge" in refused.stderr) == (REFUSED, True)
    store.flushall()
    assert evoproxy("restore", "--from", file, "--dry-run", "--json").documents[0]["added"] == 3
    assert store.exists("evoproxy:{default}:all") == 0
    assert evoproxy("restore", "--from", file, "--json").documents[0]["added"] == 3
    assert export(evoproxy) == before
    events = [event for _, event in store.xrange("evoproxy:{default}:events")]
    assert [event["source"] for event in events if event["type"] == "pool.restored"] == ["file"]


@pytest.mark.parametrize(("args", "code"), [(("--merge",), "--merge is for the table only"), ((), "no such file")])
def test_what_no_file_can_do(evoproxy: Commands, args: tuple[str, ...], code: str) -> None:
    result = evoproxy("restore", "--from", "nothing.csv", *args)
    assert (result.exit_code, code in result.stderr) == (USAGE, True)
    assert evoproxy("restore", "--from", "-").exit_code == USAGE


def test_a_file_without_a_proxy_changes_nothing(evoproxy: Commands, store: Any, tmp_path: Path) -> None:
    file = tmp_path / "empty.txt"
    file.write_text("this is no proxy\n")
    assert evoproxy("restore", "--from", file).exit_code == USAGE
    assert "restoring" not in store.hgetall(META)


def test_without_a_database_or_with_an_empty_one(evoproxy: Commands) -> None:
    assert evoproxy("restore").exit_code == UNREACHABLE
    evoproxy("migrate")
    result = evoproxy("restore")
    assert (result.exit_code, "holds no proxy of this pool" in result.stderr) == (REFUSED, True)
