"""The README says what the code does: settings, commands, exit codes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.main import get_command

from service.cli import app, command
from service.settings import describe

PROJECT = Path(__file__).parents[2]
README = (PROJECT / "README.md").read_text(encoding="utf-8")
README_PT = (PROJECT / "README.pt-BR.md").read_text(encoding="utf-8")


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


def test_both_languages_tell_of_the_same() -> None:
    """Commands with their options, exit codes, settings with their defaults, and the examples."""

    def facts(text: str) -> tuple[list[str], list[str], list[list[str]]]:
        rows = re.findall(r"^\| (`[^|]+` \| [^|]+|\d+) \|", text, re.MULTILINE)
        settings = [row for row in rows if re.match(r"`[A-Z]", row) or row.isdecimal()]
        commands = re.findall(r"^\| (`evoproxy .*)", text, re.MULTILINE)
        examples = [line for line in text.splitlines() if line.startswith("$ ")]
        return (
            settings,
            [line.partition("#")[0].strip() for line in examples],
            [re.findall(r"`([^`]+)`", row) for row in commands],
        )

    settings, examples, commands = facts(README_PT)
    assert (settings, examples) == facts(README)[:2]
    named = {row[0]: set(row) for row in facts(README)[2]}
    assert {row[0]: set(row) for row in commands} == named


def test_both_have_the_same_sections() -> None:
    def sections(text: str) -> list[int]:
        return [len(marks) for marks in re.findall(r"^(#+) ", text, re.MULTILINE)]

    assert sections(README_PT) == sections(README)
