"""``events`` and ``ledger``: what SQL holds, also while Redis is gone."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from service.cli.command import DONE, REFUSED, UNREACHABLE, USAGE
from service.mirror.database import open_database
from service.mirror.migrate import migrate
from tests.commands import Commands, clean
from tests.mirror.fill import event, fill_events, fill_ledger

EVENTS, TENANCIES = 1_200, 600


@pytest.fixture
def evoproxy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Commands:
    """No Redis anywhere; a database in the data dir."""
    clean(monkeypatch, tmp_path)
    (tmp_path / "data").mkdir()

    async def fill() -> None:
        async with open_database(f"sqlite:///{tmp_path}/data/evoproxy.db") as engine:
            await migrate(engine)
            await fill_events(engine, EVENTS)
            await fill_ledger(engine, TENANCIES)

    asyncio.run(fill())
    return Commands({"REDIS_URL": "redis://127.0.0.1:1"})


def test_events_newest_first_as_the_api_has_them(evoproxy: Commands) -> None:
    found = evoproxy("events", "--json", "--limit", "700").documents
    assert [one["id"] for one in found] == [event(number)["id"] for number in range(EVENTS - 1, EVENTS - 701, -1)]
    assert found[0]["instanceId"] == event(EVENTS - 1)["instance"]
    assert found[0]["at"].endswith("Z")
    assert len(evoproxy("events").stdout.splitlines()) == 100


@pytest.mark.parametrize(
    ("options", "row"),
    [
        (("--instance", "shop 7"), 1),
        (("--instance", "id-7"), 1),
        (("--proxy", f"{7:020x}"), 1),
        (("--actor", "cli:ana"), 999),
        (("--type", "token."), 999),
        (("--level", "error", "--from", "2033-05-18T03:33:20Z"), 999),
        (("--server", "s3", "--to", "2033-05-18T03:33:20.200Z"), 1),
    ],
)
def test_events_by_what_they_are(evoproxy: Commands, options: tuple[str, ...], row: int) -> None:
    [found] = evoproxy("events", "--json", *options).documents
    assert found["id"] == event(row)["id"]


def test_the_ledger_by_instance_and_by_proxy(evoproxy: Commands) -> None:
    by_proxy = evoproxy("ledger", "--json", "--proxy", f"{7:020x}").documents
    assert by_proxy == evoproxy("ledger", "--json", "--instance", "shop 7", "--server", "s3").documents
    assert [one["began"]["event"] for one in by_proxy] == ["lease.reserved"]
    [line] = evoproxy("ledger", "--instance", "id-7").stdout.splitlines()
    assert "event=lease.reserved" in line
    assert evoproxy("ledger", "--json", "--instance", "id-7", "--to", "2033-01-01T00:00:00Z").documents == []


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("ledger",), "name one with --instance or --proxy"),
        (("ledger", "--server", "a"), "name one with --instance or --proxy"),
        (("events", "--type", "lease"), "type: must be a type like lease.reserved"),
        (("events", "--level", "fatal"), "level: must be"),
        (("events", "--from", "yesterday"), "from: must be an RFC 3339 time"),
        (("events", "--from", "2026-02-01T00:00:00Z", "--to", "2026-01-01T00:00:00Z"), "to: the end must come after"),
        (("events", "--limit", "0"), "limit"),
        (("events", "--instance", ""), "instance: must not be empty"),
    ],
)
def test_wrong_usage(evoproxy: Commands, args: tuple[str, ...], says: str) -> None:
    result = evoproxy(*args)
    assert (result.exit_code, result.stdout) == (USAGE, "")
    assert says in result.stderr


def test_reasons_in_the_language_of_the_reader(evoproxy: Commands) -> None:
    assert "deve ser uma data RFC 3339" in evoproxy("events", "--from", "ontem", EVOPROXY_LOCALE="pt-BR").stderr


@pytest.mark.parametrize("command", [("events",), ("ledger", "--proxy", "x")])
@pytest.mark.parametrize("url", ["postgresql://ana:geheim@127.0.0.1:1/x", "sqlite:///{folder}/none.db"])
def test_a_database_that_is_not_there(evoproxy: Commands, tmp_path: Path, command: tuple[str, ...], url: str) -> None:
    result = evoproxy(*command, DATABASE_URL=url.format(folder=tmp_path))
    assert (result.exit_code, result.stdout) == (UNREACHABLE, "")
    assert "The store sql can't be reached" in result.stderr
    assert "geheim" not in result.stderr
    assert not (tmp_path / "none.db").exists()


def test_a_database_without_tables(evoproxy: Commands, tmp_path: Path) -> None:
    (tmp_path / "empty.db").touch()
    result = evoproxy("events", DATABASE_URL=f"sqlite:///{tmp_path}/empty.db")
    assert (result.exit_code, result.stdout) == (REFUSED, "")
    assert result.stderr == ("evoproxy: The tables in SQL are not those of this version: run evoproxy migrate first\n")


def test_nothing_found_is_no_error(evoproxy: Commands) -> None:
    result = evoproxy("events", "--instance", "nobody")
    assert (result.exit_code, result.stdout, result.stderr) == (DONE, "", "")
