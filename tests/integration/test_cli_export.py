"""``evoproxy export``: on standard output, and into a file that is whole or not there."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from service.cli.command import DONE, UNREACHABLE, USAGE
from service.errors import StoreUnavailableError
from service.web.export import Part
from tests.commands import Commands, clean

pytestmark = pytest.mark.redis

PROJECT = Path(__file__).parents[2]
LINES = b"http://ana:p%3Aw@192.0.2.1:8000\nsocks5://bob:secret@[2001:db8::2]:8000\nhttp://192.0.2.3:80\n"


@pytest.fixture
def evoproxy(store: Any, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Commands:
    clean(monkeypatch, tmp_path)
    commands = Commands({"REDIS_URL": redis_url})
    commands("populate", "-", stdin=LINES)
    return commands


def made(store: Any) -> list[dict[str, str]]:
    events = store.xrange("evoproxy:{default}:events")
    return [event for _, event in events if event["type"] == "export.made"]


def test_lines_are_what_populate_read(evoproxy: Commands, store: Any) -> None:
    result = evoproxy("export", "--secrets")
    assert (result.exit_code, result.stderr) == (DONE, "")
    assert sorted(result.stdout.encode().splitlines()) == sorted(LINES.splitlines())
    [event] = made(store)
    assert event["actor"].startswith("cli:")


def test_passwords_are_left_out_unless_asked_for(evoproxy: Commands, store: Any) -> None:
    for form in ("lines", "csv", "json", "ndjson"):
        result = evoproxy("export", "--format", form)
        assert result.exit_code == DONE
        assert "bob" in result.stdout
        assert "secret" not in result.stdout.replace("secrets", "")
    assert made(store) == []


def test_filters_and_forms(evoproxy: Commands) -> None:
    assert evoproxy("export", "--protocol", "socks5").stdout == "socks5://bob@[2001:db8::2]:8000\n"
    assert len(json.loads(evoproxy("export", "--json").stdout)) == 3
    assert evoproxy("export", "--status", "used").stdout == ""
    assert evoproxy("export", "--format", "csv", "--group", "sul").stdout.startswith("protocol,host,port,")
    assert evoproxy("export", "--format", "xml").exit_code == USAGE


def test_a_file_is_for_its_owner_and_told_of(evoproxy: Commands, tmp_path: Path) -> None:
    target = tmp_path / "out.csv"
    target.write_text("what was there before")
    target.chmod(0o666)
    result = evoproxy("export", "--secrets", "--format", "csv", "-o", target)
    assert (result.exit_code, result.stdout) == (DONE, f"3 proxies exported to {target}\n")
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert len(target.read_text().splitlines()) == 4
    [told] = evoproxy("export", "-o", target, "--json").documents
    assert told == {"file": str(target), "proxies": 3, "secrets": False}
    assert evoproxy("populate", target, "--json").documents[0]["unchanged"] == 3


@pytest.mark.parametrize("error", [StoreUnavailableError(store="redis"), KeyboardInterrupt(), OSError(28, "No space")])
def test_a_cut_export_is_no_export(
    evoproxy: Commands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    target = tmp_path / "out.txt"
    target.write_text("the last good one")

    async def cut(*args: object, **options: object) -> AsyncGenerator[Part, None]:
        yield Part(b"http://192.0.2.1:80\n" * 10_000, 10_000)
        [partial] = tmp_path.glob(".out.txt.*")
        assert stat.S_IMODE(partial.stat().st_mode) == 0o600
        raise error

    monkeypatch.setattr("service.cli.local.parts_of", cut)
    result = evoproxy("export", "-o", target)
    assert result.exit_code in (USAGE, UNREACHABLE, 130)
    assert result.exit_code != DONE
    assert target.read_text() == "the last good one"
    assert list(tmp_path.iterdir()) == [target]


def test_where_nothing_can_be_written(evoproxy: Commands, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for target, told in {
        "folder": "folder: is there already, and no regular file",
        "pipe": "pipe: is there already, and no regular file",
        "no/such/place": "no/such/place: can't be written: No such file or directory",
    }.items():
        result = evoproxy("export", "-o", target)
        assert (result.exit_code, result.stderr) == (USAGE, f"evoproxy: {told}\n")


def test_as_a_script_into_a_pipe_that_ends_early(evoproxy: Commands, redis_url: str) -> None:
    many = b"".join(b"192.0.2.%d:%d:user:pass\n" % (number % 250, 1000 + number) for number in range(1, 3000))
    evoproxy("populate", "-", stdin=many)
    env = {**os.environ, "PYTHONPATH": str(PROJECT), "REDIS_URL": redis_url}
    script = [sys.executable, str(PROJECT / "scripts/export_snapshot.py"), "--secrets"]
    whole = subprocess.run(script, env=env, capture_output=True, check=False)
    assert (whole.returncode, whole.stderr) == (0, b"")
    assert len(whole.stdout.splitlines()) == 3002
    with subprocess.Popen(script, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as cut:
        assert cut.stdout is not None
        assert cut.stderr is not None
        assert cut.stdout.readline()
        cut.stdout.close()
        assert b"Traceback" not in cut.stderr.read()
    assert cut.returncode not in (0, None)
