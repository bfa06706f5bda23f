"""Commands on a pool in a real Redis: importing, looking, checking, tokens."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from redis import Redis

from service.cli.command import DONE, REFUSED, UNREACHABLE, USAGE
from service.cli.populate import SHOWN
from tests.commands import Commands, clean

pytestmark = pytest.mark.redis

LINES = "192.0.2.1:8000:ana:p:w%41\nno proxy at all\nsocks5://bob:secret@192.0.2.2:8000\nhttps://192.0.2.3:8000\n"
ROOT = "evoproxy:{default}:"


@pytest.fixture
def evoproxy(store: Redis, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Commands:
    clean(monkeypatch, tmp_path)
    (tmp_path / "proxies.txt").write_text(LINES)
    return Commands({"REDIS_URL": redis_url})


def test_populate_tells_what_became_of_each_line(evoproxy: Commands) -> None:
    result = evoproxy("populate", "proxies.txt", "--group", "sul")
    assert (result.exit_code, result.stderr) == (DONE, "")
    told = dict(line.split(maxsplit=1) for line in result.stdout.splitlines()[:7])
    assert told == {
        "added": "3",
        "updated": "0",
        "unchanged": "0",
        "disabled": "1",
        "drained": "0",
        "rejected": "1",
        "warnings": told["warnings"],
    }
    assert "\nline 2 rejected: " in result.stdout

    again = evoproxy("populate", "proxies.txt", "--json").documents[0]
    assert (again["added"], again["unchanged"], again["rejectedCount"]) == (0, 3, 1)
    assert again["rejected"][0]["line"] == 2
    assert {proxy["group"] for proxy in evoproxy("proxies", "--json").documents} == {"sul"}


def test_populate_tells_it_in_the_language_of_the_reader(evoproxy: Commands) -> None:
    result = evoproxy("populate", "proxies.txt", EVOPROXY_LOCALE="pt-BR")
    assert "linha 2 recusada: nenhuma ordem conhecida de host" in result.stdout
    assert "linha 4, aviso: a Evolution API só usa http e socks5" in result.stdout
    exact = evoproxy("populate", "-", stdin=b"192.0.2.1:80:a\xc3\xa7:\x01\n192.0.2.2:80\n")
    assert "line 1 rejected: the password holds characters that can't be printed" in exact.stdout


def test_a_protocol_for_lines_that_name_none(evoproxy: Commands) -> None:
    evoproxy("populate", "-", "--protocol", "socks5", stdin=b"192.0.2.1:80\nhttp://192.0.2.2:80\n")
    found = {proxy["host"]: proxy["protocol"] for proxy in evoproxy("proxies", "--json").documents}
    assert found == {"192.0.2.1": "socks5", "192.0.2.2": "http"}


def test_a_sync_with_a_damaged_line_says_that_it_drained_nothing(evoproxy: Commands) -> None:
    evoproxy("populate", "-", stdin=b"192.0.2.7:80\n")
    result = evoproxy("populate", "proxies.txt", "--mode", "sync")
    assert "drained    0\n" in result.stdout
    assert "line 2, warning: a sync drains nothing while a line is rejected\n" in result.stdout


def test_instances_of_an_unknown_server(evoproxy: Commands) -> None:
    servers = '[{"name": "sul", "baseUrl": "http://127.0.0.1:1", "apiKey": "k"}]'
    assert evoproxy("instances", "--server", "sul", EVOPROXY_SERVERS=servers).exit_code == DONE
    result = evoproxy("instances", "--server", "zz", EVOPROXY_SERVERS=servers)
    assert (result.exit_code, result.stderr) == (USAGE, "evoproxy: Unknown server zz; configured are: sul\n")


def test_populate_reads_standard_input(evoproxy: Commands) -> None:
    result = evoproxy("populate", "-", stdin=LINES.encode())
    assert result.exit_code == DONE
    assert len(evoproxy("proxies", "--json").documents) == 3


def test_a_dry_run_tells_of_each_line_and_changes_nothing(evoproxy: Commands, store: Redis) -> None:
    result = evoproxy("populate", "proxies.txt", "--dry-run")
    assert [line.split("\t")[:3] for line in result.stdout.splitlines() if "\t" in line] == [
        ["1", "new", "http://192.0.2.1:8000"],
        ["2", "refused", "–"],
        ["3", "new", "socks5://192.0.2.2:8000"],
        ["4", "new", "https://192.0.2.3:8000"],
    ]
    assert "\tno known order of host" in result.stdout
    [document] = evoproxy("populate", "proxies.txt", "--dry-run", "--json").documents
    assert [one["verdict"] for one in document["lines"]] == ["new", "refused", "new", "new"]
    assert result.stdout.endswith("dry run: nothing was changed\n")
    assert "added      3\n" in result.stdout
    assert store.zcard(ROOT + "all") == 0


def test_of_a_long_dry_run_the_first_of_each_verdict_are_shown(evoproxy: Commands) -> None:
    good = "".join(f"192.0.2.{number}:80\n" for number in range(SHOWN + 3))
    source = good + "nonsense\n" * (SHOWN + 2) + "https://192.0.2.250:443\n"
    shown = evoproxy("populate", "-", "--dry-run", stdin=source.encode()).stdout
    verdicts = [line.split("\t")[1] for line in shown.splitlines() if "\t" in line]
    assert verdicts == ["new"] * SHOWN + ["refused"] * SHOWN + ["new"]
    assert "… and 5 more lines; --json has more of them\n" in shown


def test_sync_takes_out_of_use_what_the_file_no_longer_names(evoproxy: Commands) -> None:
    evoproxy("populate", "proxies.txt")
    report = evoproxy("populate", "-", "--mode", "sync", "--json", stdin=b"192.0.2.9:80\n").documents[0]
    assert (report["added"], report["drained"]) == (1, 2)
    assert [proxy["host"] for proxy in evoproxy("proxies", "--status", "free", "--json").documents] == ["192.0.2.9"]


def test_many_refusals_are_counted(evoproxy: Commands) -> None:
    result = evoproxy("populate", "-", stdin=b"192.0.2.1:80\n" + b"nonsense words\n" * (SHOWN + 3))
    assert result.stdout.count("rejected: ") == SHOWN
    assert "… and 3 more lines rejected\n" in result.stdout


@pytest.mark.parametrize(
    ("content", "told"), [(b"\x7fELF\x00\x01" * 100, "binary"), (b"", "holds no proxy"), (b"\x00" * 10_000, "binary")]
)
def test_what_is_no_list_of_proxies_is_refused_by_name(
    evoproxy: Commands, store: Redis, tmp_path: Path, content: bytes, told: str
) -> None:
    evoproxy("populate", "proxies.txt")
    (tmp_path / "odd.bin").write_bytes(content)
    for mode in ("add", "sync"):
        result = evoproxy("populate", "odd.bin", "--mode", mode)
        assert result.exit_code == USAGE
        assert result.stderr.startswith("evoproxy: odd.bin: ")
        assert len(result.stderr.splitlines()) == 1
        assert told in result.stderr or (mode == "sync" and "names no proxy" in result.stderr)
    assert store.zcard(ROOT + "free") == 2


def test_a_stream_that_never_ends_is_refused(evoproxy: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.cli.populate.LARGEST", 1 << 20)
    result = evoproxy("populate", "-", stdin=b"# comment\n" * (1 << 17))
    assert (result.exit_code, result.stderr) == (
        USAGE,
        "evoproxy: -: larger than 1 MB; split it into smaller files\n",
    )


def test_no_command_shows_a_password(evoproxy: Commands) -> None:
    shown = [
        evoproxy("populate", "proxies.txt"),
        evoproxy("populate", "proxies.txt", "--json"),
        evoproxy("proxies"),
        evoproxy("proxies", "--json"),
        evoproxy("stats", "--json"),
    ]
    for result in shown:
        assert result.exit_code == DONE
        assert "secret" not in result.stdout + result.stderr
        assert "p:w" not in result.stdout + result.stderr


def test_a_list_in_a_pipe_is_plain_columns(evoproxy: Commands) -> None:
    evoproxy("populate", "proxies.txt")
    rows = [line.split("\t") for line in evoproxy("proxies", "--protocol", "socks5").stdout.splitlines()]
    assert [row[1:] for row in rows] == [["socks5", "192.0.2.2", "8000", "–", "free", "–"]]


@pytest.mark.parametrize("closed", [False, True])
@pytest.mark.parametrize("form", ["", "--json"])
def test_a_reader_that_goes_is_no_error(evoproxy: Commands, tmp_path: Path, closed: bool, form: str) -> None:
    """What is written is more than a pipe holds, and a page."""
    evoproxy("populate", "-", stdin=b"".join(b"192.0.%d.%d:80\n" % divmod(number, 250) for number in range(3000)))
    end = ">&-" if closed else "| head -1"
    line = f"{shlex.quote(sys.executable)} -m service.cli proxies {form} {end}"
    env = {**os.environ, **evoproxy.env, "PYTHONPATH": str(Path(__file__).parents[2])}
    ended = subprocess.run(["sh", "-c", line], env=env, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (ended.returncode, len(ended.stdout.splitlines()), ended.stderr) == (DONE, 0 if closed else 1, "")


def test_a_list_on_a_terminal_is_a_table_that_cuts_nothing(evoproxy: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.cli.output.on_terminal", lambda: True)
    evoproxy("populate", "proxies.txt", "--group", "[bold]a-group-with-quite-a-long-name")
    (one,) = evoproxy("proxies", "--protocol", "socks5", "--json").documents
    table = evoproxy("proxies", "--protocol", "socks5").stdout
    assert table.split()[:4] == ["id", "protocol", "host", "port"]
    assert one["id"] in table
    assert "[bold]" in table
    assert "…" not in table


@pytest.mark.parametrize("terminal", [True, False])
def test_control_characters_in_a_name_do_not_reach_the_terminal(
    evoproxy: Commands, store: Redis, monkeypatch: pytest.MonkeyPatch, terminal: bool
) -> None:
    monkeypatch.setattr("service.cli.output.on_terminal", lambda: terminal)
    name = "\x07\x1b]0;mine\x07"
    store.zadd(ROOT + "instances", {f"default/{name}\nid": 0})
    store.hset(ROOT + "instance:default/id", mapping={"name": name, "state": "open"})
    shown = evoproxy("instances").stdout
    assert "mine" in shown
    assert "\x07" not in shown
    assert "\x1b]" not in shown
    assert evoproxy("instances", "--json").documents[0]["name"] == name


def test_stats_of_a_filled_pool(evoproxy: Commands) -> None:
    evoproxy("populate", "proxies.txt")
    figures = evoproxy("stats", "--json").documents[0]
    assert (figures["total"], figures["available"], figures["disabled"], figures["utilization"]) == (3, 2, 1, 0.0)
    assert "lastPollAt" not in figures
    lines = dict(line.split(maxsplit=1) for line in evoproxy("stats").stdout.splitlines())
    assert (lines["total"], lines["available"], lines["paused"]) == ("3", "2", "no")


def test_stats_shows_each_group_and_server_on_its_own_lines(evoproxy: Commands) -> None:
    evoproxy("populate", "-", "--group", "sul", stdin=b"192.0.2.1:80\n")
    result = evoproxy("stats", EVOLUTION_API_BASE_URL="http://127.0.0.1:1", GLOBAL_API_KEY="k")
    lines = dict(line.split(maxsplit=1) for line in result.stdout.splitlines())
    assert lines["groups.sul"].startswith("total=1 used=0 available=1 ")
    assert lines["servers.default.leases"] == "0"
    assert lines["unreadServers"] == "default"


def test_stats_on_a_terminal_shows_what_to_look_at_first(evoproxy: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.cli.output.on_terminal", lambda: True)
    evoproxy("populate", "-", "--group", "sul", stdin=b"192.0.2.1:80\n192.0.2.2:80\n")
    shown = evoproxy("stats", EVOLUTION_API_BASE_URL="http://127.0.0.1:1", GLOBAL_API_KEY="k").stdout
    first, groups, servers = shown.split("\n\n")
    told = dict(line.split(maxsplit=1) for line in first.splitlines())
    assert (told["total"], told["unprotected"], told["brake"], told["unreadServers"]) == ("2", "0", "–", "default")
    assert "epoch" not in told
    assert groups.splitlines()[1].split()[:4] == ["sul", "2", "0", "2"]
    assert servers.splitlines()[1].split()[:3] == ["default", "127.0.0.1:1", "yes"]


def test_check_of_a_whole_pool(evoproxy: Commands) -> None:
    evoproxy("populate", "proxies.txt")
    result = evoproxy("check")
    assert result.exit_code == DONE
    assert result.stdout.endswith(" 0 with a broken promise\n")
    (counts,) = evoproxy("check", "--json").documents
    assert counts["checked"] >= 3
    assert counts["broken"] == 0


def test_check_names_what_is_broken(evoproxy: Commands, store: Redis) -> None:
    evoproxy("populate", "proxies.txt")
    free = evoproxy("proxies", "--status", "free", "--json").documents[0]["id"]
    store.zadd(ROOT + "used", {free: 0})
    result = evoproxy("check", "--json")
    assert result.exit_code == REFUSED
    assert free in result.stdout
    assert json.loads(result.stdout.splitlines()[-1])["broken"] == len(result.stdout.splitlines()) - 1
    told = evoproxy("check")
    assert told.exit_code == REFUSED
    assert told.stdout.startswith(f"{free}\t")


def test_check_without_a_redis(evoproxy: Commands) -> None:
    assert evoproxy("check", REDIS_URL="redis://127.0.0.1:1/0").exit_code == UNREACHABLE


def test_a_token_is_shown_once_and_ends_when_revoked(evoproxy: Commands) -> None:
    made = evoproxy("token", "create", "panel", "--role", "admin")
    assert made.stdout.startswith("evp_panel_")
    secret = made.stdout.strip()
    assert secret not in made.stderr

    listed = evoproxy("token", "list", "--json")
    assert [(token["name"], token["role"]) for token in listed.documents] == [("panel", "admin")]
    assert secret not in listed.stdout

    assert evoproxy("token", "create", "panel").exit_code == REFUSED

    assert evoproxy("token", "revoke", "panel").exit_code == DONE
    assert evoproxy("token", "list").stdout == ""
    assert evoproxy("token", "revoke", "panel").exit_code == REFUSED
    assert evoproxy("token", "create", "no spaces").exit_code == USAGE
