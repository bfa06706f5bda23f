"""How results are shown: coloured tables on a terminal (rich heeds NO_COLOR), plain columns in a pipe, JSON on
demand."""

from __future__ import annotations

import re
import sys
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager
from typing import Annotated, Any

import orjson
import typer
from rich.cells import cell_len
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")

_STYLES: Mapping[str, Mapping[str, str]] = {
    "status": {
        "free": "green",
        "used": "cyan",
        "cooling": "blue",
        "quarantined": "yellow",
        "disabled": "bright_black",
    },
    "state": {"open": "green", "connecting": "yellow", "close": "red"},
    "phase": {"active": "green", "reserved": "yellow", "releasing": "yellow"},
    "applied": {"yes": "green", "no": "red", "unknown": "yellow"},
    "level": {"error": "bold red", "warning": "yellow", "debug": "bright_black"},
    "role": {"superadmin": "bold"},
    "verdict": {"new": "green", "changed": "cyan", "refused": "red", "warned": "yellow", "drained": "yellow"},
}
"""Colours of the words that one looks for, by the field that holds them. They are there for people only."""

_ALARMS = frozenset({"unprotected", "stuck", "engaged", "paused", "eventsLost", "unreadServers", "warnings"})
"""Figures that call for a human unless they are nothing."""

Json = Annotated[bool, typer.Option("--json", help="Print JSON: one document, or one line an item of a list.")]


def on_terminal() -> bool:
    """Whether somebody looks: decides on tables, colours and status lines."""
    return sys.stdout is not None and sys.stdout.isatty()  # None: closed by the shell


def plain(text: str) -> str:
    """``text`` on one line, control characters shown as what they are: names and reasons come from outside."""
    return _CONTROL.sub(lambda found: repr(found[0])[1:-1], text)


def document(value: Mapping[str, Any]) -> None:
    """One JSON document on one line."""
    typer.echo(orjson.dumps(value))


def figures(value: Mapping[str, Any]) -> None:
    """Names and values, one a line; what holds further mappings is spread, ``servers.default.leases``."""
    lines = dict(_spread(value))
    width = max(map(len, lines), default=0)
    if not on_terminal():
        for name, item in lines.items():
            typer.echo(f"{_cell(name):<{width}}  {_cell(item)}")
        return
    console = Console()
    for name, item in lines.items():
        figure = name.rpartition(".")[2]
        style = "red" if figure in _ALARMS and item else _style(figure, item)
        line = Text().append(f"{_cell(name):<{width}}", "bold").append("  ").append(_cell(item), style)
        console.print(line, soft_wrap=True)


async def listed(items: AsyncGenerator[Mapping[str, Any], None], columns: Mapping[str, str], *, as_json: bool) -> None:
    """A list as it comes: JSON lines with all that is known, or ``columns``, by title the name of what they show. Only
    the terminal's table waits for the end, because its widths do. ``items`` is closed, also when the reader goes."""
    async with aclosing(items):
        if as_json:
            async for item in items:
                typer.echo(orjson.dumps(item))
        elif on_terminal():
            table([item async for item in items], columns)
        else:
            async for item in items:
                typer.echo("\t".join(_cell(item.get(name)) for name in columns.values()))


def table(items: Sequence[Mapping[str, Any]], columns: Mapping[str, str]) -> None:
    """``columns`` of ``items`` as :func:`listed` has them on a terminal. What another release leaves out is a dash."""
    rows = [[(title, "bold") for title in columns]]
    for item in items:
        rows.append([(_cell(item.get(name)), _style(name, item.get(name))) for name in columns.values()])
    _aligned(rows)


def _aligned(rows: Sequence[Sequence[tuple[str, str]]]) -> None:
    """Cells with their styles, one row a line: what a terminal has no room for goes on in its next line, whole."""
    widths = [max(cell_len(text) for text, _ in column) for column in zip(*rows, strict=True)]
    console = Console()
    for row in rows:
        line = Text()
        for (text, style), width in zip(row, widths, strict=True):
            line.append(text, style).append(" " * (width - cell_len(text) + 2))
        line.rstrip()
        console.print(line, soft_wrap=True)


@contextmanager
def progress(what: str) -> Iterator[Callable[[int], None]]:
    """A line of progress on a terminal's stderr, nothing elsewhere; what it yields is told how much is done."""
    console = Console(stderr=True)
    words = TextColumn("{task.description} {task.completed}", markup=False)
    columns = (SpinnerColumn(), words, TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as shown:
        task = shown.add_task(what, total=None)
        yield lambda done: shown.update(task, completed=done)


def _spread(value: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for name, item in value.items():
        if isinstance(item, list) and item and isinstance(item[0], Mapping):
            item = {next(one[name] for name in ("name", "server", "id") if one.get(name)): one for one in item}
        if isinstance(item, Mapping) and any(isinstance(inner, Mapping | list) for inner in item.values()):
            yield from _spread(item, f"{above}{name}.")
        else:
            yield above + name, item


def _style(name: str, value: Any) -> str:
    return _STYLES.get(name, {}).get(value, "") if isinstance(value, str) else ""


def _cell(value: Any) -> str:
    """``value`` for people, on one line."""
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return " ".join(f"{name}={_cell(item)}" for name, item in value.items()) or "–"
    if isinstance(value, list | tuple):
        return ",".join(map(_cell, value)) or "–"
    return plain(str(value))
