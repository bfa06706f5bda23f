"""Which evoproxy is asked, with whose token; and what the program itself can say: version, completion."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from service import __version__
from service.cli import asking
from service.cli.command import DONE, UNREACHABLE, USAGE
from tests.commands import Commands, clean
from tests.helpers import require

ROOT = Path(__file__).parents[2]
DEAD = "http://127.0.0.1:1"


@pytest.fixture
def evoproxy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Commands:
    clean(monkeypatch, tmp_path)
    return Commands()


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (("--token", "x"), "--token is for use with --url only"),
        (("--url", DEAD), "--url needs a token: --token @FILE, or type it on a terminal"),
        (("--url", DEAD, "--token", ""), "that can be no token: empty, or with characters that none has"),
        (("--url", DEAD, "--token", "a\nb"), "that can be no token: empty, or with characters that none has"),
        (("--url", DEAD, "--token", "ção"), "that can be no token: empty, or with characters that none has"),
        (("--url", DEAD, "--token", "@blank"), "that can be no token: empty, or with characters that none has"),
        (("--url", DEAD, "--token", "@none"), "none: can't be read: No such file or directory"),
        (("--url", DEAD, "--token", "@."), ".: can't be read: Is a directory"),
        (("--url", "evoproxy:8080", "--token", "x"), "must begin with http:// or https://"),
        (("--url", "http://ana:geheim@x", "--token", "x"), "must not carry a user or password"),
    ],
)
def test_wrong_usage(evoproxy: Commands, args: tuple[str, ...], told: str) -> None:
    Path("blank").write_text(" \n")
    result = evoproxy("stats", *args)
    assert (result.exit_code, result.stdout) == (USAGE, "")
    assert told in result.stderr
    assert "geheim" not in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_settings_of_a_service_are_not_needed_for_another(evoproxy: Commands) -> None:
    """Only the language is taken from them, where they can be read."""
    result = evoproxy("stats", "--url", DEAD, "--token", "x", EVOPROXY_POL="1", EVOPROXY_LOCALE="pt-BR")
    assert result.exit_code == UNREACHABLE
    assert result.stderr.startswith(f"evoproxy: O evoproxy em {DEAD} não está acessível")


@pytest.mark.parametrize(
    ("url", "warned"),
    [
        ("http://evoproxy.invalid:1", True),
        ("https://evoproxy.invalid:1", False),
        ("http://127.0.0.2:1", False),
        ("http://[::1]:1", False),
    ],
)
def test_a_token_in_clear_is_warned_of(evoproxy: Commands, url: str, warned: bool) -> None:
    result = evoproxy("stats", "--url", url, "--token", "the-token")
    assert result.exit_code == UNREACHABLE
    assert (f"warning: the token goes to {url} in clear; use https" in result.stderr) == warned
    assert "the-token" not in result.stderr


@pytest.mark.parametrize(("host", "loopback"), [("localhost", True), ("::1", True), ("10.0.0.1", False), ("x", False)])
def test_loopback(host: str, loopback: bool) -> None:
    assert asking._loopback(host) == loopback


@pytest.mark.parametrize("command", ["check", "plan", "restore", "migrate", "rotate-key", "serve"])
def test_what_needs_the_stores_takes_no_url(evoproxy: Commands, command: str) -> None:
    result = evoproxy(command, "--url", DEAD)
    assert (result.exit_code, "--url" in result.stderr) == (USAGE, True)


def test_the_version(evoproxy: Commands) -> None:
    result = evoproxy("--version")
    assert (result.exit_code, result.stdout) == (DONE, f"evoproxy {__version__}\n")


@pytest.fixture
def program(tmp_path: Path) -> dict[str, str]:
    """An environment in which ``evoproxy`` is on PATH, and HOME an empty folder."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (tmp_path / "home").mkdir()
    file = folder / "evoproxy"
    file.write_text(f"#!{sys.executable}\nfrom service.cli import main\nmain()\n")
    file.chmod(0o755)
    path = f"{folder}:{os.environ['PATH']}"
    return {**os.environ, "HOME": str(tmp_path / "home"), "PYTHONPATH": str(ROOT), "PATH": path}


def told(*command: str, env: dict[str, str]) -> str:
    return subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout


def test_bash_completes_commands(tmp_path: Path, program: dict[str, str]) -> None:
    """With the script that is shown; nothing is written."""
    require("bash", shutil.which("bash"))
    unasked = {"_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    script = tmp_path / "completion.bash"
    script.write_text(told("evoproxy", "--show-completion", "bash", env=program | unasked))
    typed = 'COMP_WORDS=(evoproxy sta); COMP_CWORD=1; _evoproxy_completion evoproxy; echo "${COMPREPLY[@]}"'
    assert told("bash", "-c", f"source {script}; {typed}", env=program).split() == ["stats"]
    assert list((tmp_path / "home").iterdir()) == []


def test_zsh_is_offered_what_can_follow(program: dict[str, str]) -> None:
    typed = {"_EVOPROXY_COMPLETE": "complete_zsh", "_TYPER_COMPLETE_ARGS": "evoproxy token re"}
    offered = told("evoproxy", env=program | typed)
    assert "revoke" in offered
    assert "create" not in offered
