"""The README says what the code does: settings, commands, exit codes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.main import get_command

from service.cli import app, command
from service.settings import describe

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


def test_settings_table_is_what_the_settings_describe() -> None:
    begin, end = README.index("<!-- settings:"), README.index("<!-- /settings -->")
    shown = [line for line in README[begin:end].splitlines() if line.startswith("| `")]
    assert shown == [f"| `{row.name}` | {row.default} | {row.meaning} |" for row in describe()]


def test_every_command_is_in_the_table() -> None:
    commands = get_command(app).commands  # type: ignore[attr-defined]  # click's Group, whose package typer hides
    told = set(re.findall(r"^\| `evoproxy ([a-z-]+)", README, re.MULTILINE))
    assert told == set(commands)


@pytest.mark.parametrize("code", [command.DONE, command.REFUSED, command.USAGE, command.UNREACHABLE])
def test_every_exit_code_is_told(code: int) -> None:
    assert re.search(rf"^\| {code} \| \w", README, re.MULTILINE)


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (Path(__file__).parents[2] / target).exists(), target
