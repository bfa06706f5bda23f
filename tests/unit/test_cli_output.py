"""How results are shown: to people in colours, to programs without."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Mapping
from typing import Any

import pytest

from service.cli import output

COLUMNS = {"name": "name", "status": "status", "level": "level"}
ROWS: list[Mapping[str, Any]] = [
    {"name": "free", "status": "free", "level": "error"},
    {"name": "\x1b[31mred\x07", "status": "quarantined", "level": None},
    {"name": "new", "status": "of another release"},
]
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output, "on_terminal", lambda: True)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)


def listed() -> None:
    async def items() -> AsyncGenerator[Mapping[str, Any], None]:
        for row in ROWS:
            yield row

    asyncio.run(output.listed(items(), COLUMNS, as_json=False))


@pytest.mark.usefixtures("terminal")
def test_words_that_one_looks_for_have_colours(capsys: pytest.CaptureFixture[str]) -> None:
    listed()
    shown = capsys.readouterr().out
    assert "\x1b[32mfree" in shown
    assert "\x1b[1;31merror" in shown
    assert "\x1b[33mquarantined" in shown
    assert "\x1b[1mname" in shown, "the header"
    assert "free  \x1b" in _COLOUR.sub("", shown) or shown.count("\x1b[32m") == 1, "a name is no status"
    assert "\\x1b[31mred\\x07" in shown, "what comes from outside colours nothing"


@pytest.mark.usefixtures("terminal")
def test_a_narrow_terminal_breaks_no_cell(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    listed()
    assert _COLOUR.sub("", capsys.readouterr().out).splitlines() == [
        "name             status              level",
        "free             free                error",
        "\\x1b[31mred\\x07  quarantined         –",
        "new              of another release  –",
    ]


@pytest.mark.usefixtures("terminal")
def test_no_color_is_respected(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    listed()
    output.figures({"unprotected": 3, "status": "free"})
    assert not re.search(r"\x1b\[[0-9;]*3\d", capsys.readouterr().out)


@pytest.mark.usefixtures("terminal")
def test_figures_that_call_for_a_human_are_red(capsys: pytest.CaptureFixture[str]) -> None:
    output.figures({"unprotected": 3, "stuck": 0, "servers": [{"name": "a", "unprotected": 2, "x": []}], "used": 5})
    lines = capsys.readouterr().out.splitlines()
    assert [_COLOUR.sub("", line).split() for line in lines] == [
        ["unprotected", "3"],
        ["stuck", "0"],
        ["servers.a.name", "a"],
        ["servers.a.unprotected", "2"],
        ["servers.a.x", "–"],
        ["used", "5"],
    ]
    assert ["\x1b[31m" in line for line in lines] == [True, False, False, True, False, False]


def test_a_pipe_gets_plain_columns_whatever_the_terminal_is(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    listed()
    output.figures({"unprotected": 3, "used": 5})
    assert capsys.readouterr().out == (
        "free\tfree\terror\n"
        "\\x1b[31mred\\x07\tquarantined\t–\n"
        "new\tof another release\t–\n"
        "unprotected  3\n"
        "used         5\n"
    )
