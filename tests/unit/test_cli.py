"""Exit codes, messages and help: what needs no store."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from service.cli import environment, words
from service.cli.command import DONE, REFUSED, UNREACHABLE, USAGE, command, exit_code, lines
from service.control.intake import LARGEST
from service.errors import (
    EvolutionNotFoundError,
    EvolutionRejectedError,
    EvolutionUnauthorizedError,
    EvolutionUnavailableError,
    EvolutionUnknownError,
    EvoproxyError,
    InvalidInputError,
    RefusedError,
    SettingsError,
    StoreUnavailableError,
)
from service.pool.vault import VaultError
from service.settings import describe
from tests.commands import Commands, clean

ROOT = Path(__file__).parents[2]


@pytest.fixture
def evoproxy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Commands:
    clean(monkeypatch, tmp_path)
    return Commands()


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (SettingsError(problems=["A: wrong"]), USAGE),
        (InvalidInputError(field="name", reason="is empty"), USAGE),
        (VaultError(reason="wrong key"), USAGE),
        (EvolutionUnauthorizedError(server="default"), USAGE),
        (RefusedError("ambiguous_instance"), USAGE),
        (RefusedError("unknown_server"), USAGE),
        (RefusedError("no_proxy_available"), REFUSED),
        (RefusedError("no_lease"), REFUSED),
        (EvolutionRejectedError(server="default"), REFUSED),
        (EvolutionNotFoundError(server="default"), REFUSED),
        (StoreUnavailableError(store="redis"), UNREACHABLE),
        (EvolutionUnavailableError(server="default"), UNREACHABLE),
        (EvolutionUnknownError(server="default"), UNREACHABLE),
    ],
)
def test_exit_code(error: EvoproxyError, code: int) -> None:
    assert exit_code(error) == code


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (RefusedError("no_lease", instance="loja 1"), "A instância não tem proxy (instance: loja 1)"),
        (
            RefusedError("not_reconciled", details=("filial",)),
            "Aguardando a primeira leitura completa do servidor filial",
        ),
        (
            StoreUnavailableError(store="redis", reason="refused"),
            "O armazenamento redis não está acessível (reason: refused)",
        ),
        (InvalidInputError("no_file", file="x.txt"), "x.txt: o arquivo não existe"),
        (RefusedError("wrong_phase", details=()), "A operação não é possível nesta fase"),
        (RefusedError("unknown_server", details=("sul",)), "Servidor desconhecido: sul"),
        (RefusedError("stale", details=("p1", "17")), "O estado mudou; tente de novo (details: p1 17)"),
    ],
)
def test_an_error_is_one_line_that_names_the_thing(error: EvoproxyError, line: str) -> None:
    assert lines(error, "pt-BR") == [line]


@pytest.mark.parametrize("code", sorted(words.TEXTS))
def test_both_languages_fill_the_same_places(code: str) -> None:
    portuguese, english = (sorted(part for part in text.split("{")[1:]) for text in words.TEXTS[code])
    names = [sorted(piece.partition("}")[0] for piece in pieces) for pieces in (portuguese, english)]
    assert names[0] == names[1]


def test_help_of_serve_shows_every_setting(evoproxy: Commands) -> None:
    shown = evoproxy("serve", "--help").stdout
    for row in describe():
        entry = row.name if row.default == "–" else f"{row.name}  [{row.default}]"
        assert f"  {entry}\n" in shown
    assert "  EVOPROXY_COOLDOWN  [0]\n      seconds a released proxy rests before it is given again\n" in shown


def test_each_wrong_setting_is_a_line(evoproxy: Commands) -> None:
    result = evoproxy("stats", EVOPROXY_POL_INTERVAL="3", EVOPROXY_PORT="http", EVOLUTION_API_BASE_URL="ftp://x")
    assert result.exit_code == USAGE
    named = [line.removeprefix("evoproxy: ").partition(":")[0] for line in result.stderr.splitlines()]
    assert named == ["EVOLUTION_API_BASE_URL", "EVOPROXY_PORT", "EVOPROXY_POL_INTERVAL"]
    assert "did you mean EVOPROXY_POLL_INTERVAL?" in result.stderr


def test_dotenv_is_read_and_the_environment_wins(evoproxy: Commands) -> None:
    Path(".env").write_text("EVOPROXY_LOCALE=pt-BR\nEVOPROXY_DATA_DIR=elsewhere\n")
    result = evoproxy("stats")
    assert result.exit_code == UNREACHABLE
    assert result.stderr == "evoproxy: No Redis runs in elsewhere: start evoproxy serve, or set REDIS_URL\n"


def test_a_dotenv_that_is_no_text_is_named(evoproxy: Commands) -> None:
    Path(".env").write_bytes(b"GLOBAL_API_KEY=\xff\xfe\x00")
    result = evoproxy("stats")
    assert (result.exit_code, result.stderr) == (USAGE, "evoproxy: .env: is no UTF-8 text\n")


def test_no_running_redis_is_told_in_the_locale(evoproxy: Commands) -> None:
    result = evoproxy("check", EVOPROXY_LOCALE="pt-BR")
    assert result.exit_code == UNREACHABLE
    assert result.stderr == "evoproxy: Nenhum Redis em execução em data: inicie o evoproxy serve ou defina REDIS_URL\n"


def test_an_unreachable_redis_is_named(evoproxy: Commands) -> None:
    result = evoproxy("check", REDIS_URL="unix:///nowhere/redis.sock")
    assert result.exit_code == UNREACHABLE
    assert result.stderr.startswith("evoproxy: The store redis can't be reached (reason: ")
    assert "/nowhere/redis.sock" in result.stderr
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize("url", ["redis://ana:zq/ss@store:6379", "redis://store:port"])
def test_a_redis_url_that_cannot_be_read_is_named_and_never_quoted(evoproxy: Commands, url: str) -> None:
    result = evoproxy("stats", REDIS_URL=url)
    assert result.exit_code == USAGE
    assert result.stderr.startswith("evoproxy: REDIS_URL: can't be read")
    assert "zq" not in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_commands_for_an_instance_need_a_server(evoproxy: Commands) -> None:
    result = evoproxy("assign", "loja-1")
    assert result.exit_code == USAGE
    assert result.stderr == "evoproxy: EVOLUTION_API_BASE_URL: not set, so there is no server to talk to\n"


def test_an_unknown_server_is_told_with_the_known_ones(evoproxy: Commands) -> None:
    servers = '[{"name": "sul", "baseUrl": "http://127.0.0.1:1", "apiKey": "k"}]'
    result = evoproxy("assign", "loja-1", "--server", "norte", EVOPROXY_SERVERS=servers)
    assert (result.exit_code, result.stderr) == (USAGE, "evoproxy: Unknown server norte; configured are: sul\n")


@pytest.mark.parametrize("shown", ["192.0.2.40:8000", "7806ec52", "7806EC52" * 3, ""])
@pytest.mark.parametrize("command", ["disable", "enable", "edit", "remove", "reveal", "assign loja --proxy"])
def test_a_proxy_is_named_by_its_whole_id(evoproxy: Commands, command: str, shown: str) -> None:
    result = evoproxy(*command.split(), shown)
    assert (result.exit_code, result.stdout) == (USAGE, "")
    assert "not the id of a proxy: it has 20 digits, and evoproxy proxies shows it" in result.stderr


@pytest.mark.parametrize("name", ["", ".", "..", "x" * 256, "\udcff"])
@pytest.mark.parametrize("command", ["assign", "rotate", "release", "repair", "ignore", "forget", "jobs"])
def test_what_can_be_no_name(evoproxy: Commands, command: str, name: str) -> None:
    result = evoproxy(command, name, "--url", "http://127.0.0.1:1", "--token", "t")
    assert (result.exit_code, result.stdout) == (USAGE, "")
    assert "a name has 1 to 255 characters, and is neither . nor .." in result.stderr


@pytest.mark.usefixtures("evoproxy")
def test_an_output_without_room_is_told_of(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    @command
    def writes(error: int) -> None:
        raise OSError(error, os.strerror(error))

    monkeypatch.setenv("EVOPROXY_LOCALE", "en")
    with pytest.raises(typer.Exit) as ended:
        writes(errno.ENOSPC)
    assert ended.value.exit_code == USAGE
    assert capsys.readouterr().err == "evoproxy: stdout: can't be written: No space left on device\n"
    with pytest.raises(BrokenPipeError):
        writes(errno.EPIPE)


def test_what_is_told_moves_no_cursor(evoproxy: Commands) -> None:
    result = evoproxy("populate", "a\x1b[31m\nb")
    assert (result.exit_code, result.stderr) == (USAGE, "evoproxy: a\\x1b[31m\\nb: no such file\n")


def test_files_that_can_hold_no_proxies(evoproxy: Commands, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with (tmp_path / "large.txt").open("wb") as large:
        large.truncate(LARGEST + 1)
    for file, told in {
        "missing.txt": "missing.txt: no such file",
        "folder": "folder: is a directory, not a file",
        "large.txt": "large.txt: larger than 128 MB; split it into smaller files",
    }.items():
        result = evoproxy("populate", file)
        assert (result.exit_code, result.stderr) == (USAGE, f"evoproxy: {told}\n")


def test_actor_of_one_without_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> str:
        raise KeyError("getpwuid(): uid not found")

    monkeypatch.setattr("getpass.getuser", nobody)
    assert environment.actor() == f"cli:uid-{os.getuid()}"


def test_wrong_usage_is_two(evoproxy: Commands) -> None:
    assert evoproxy("stats", "--nonsense").exit_code == USAGE
    assert evoproxy("populate", "x", "--mode", "replace").exit_code == USAGE
    assert evoproxy("--help").exit_code == DONE


@pytest.mark.parametrize(
    "program", [("-m", "service.cli", "stats"), (ROOT / "scripts/populate_proxies.py", "list.txt")]
)
def test_a_process_says_it_in_one_line_without_a_traceback(tmp_path: Path, program: tuple[str | Path, ...]) -> None:
    env = {**os.environ, "PYTHONPATH": str(ROOT), "EVOPROXY_POL": "1"}
    ended = subprocess.run(
        [sys.executable, *program], cwd=tmp_path, env=env, capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stdout) == (USAGE, "")
    assert ended.stderr == "evoproxy: EVOPROXY_POL: unknown setting; did you mean EVOPROXY_POOL?\n"


def test_help_loads_no_server_and_no_client() -> None:
    """It is shown at once, and completion asks for it at each key."""
    heavy = ("service.main", "service.mirror", "service.evolution.client", "sqlalchemy", "alembic", "aiohttp", "uvloop")
    code = f"import sys, service.cli; print([name for name in {heavy} if name in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert loaded.stdout == "[]\n"
