"""``populate``: a file of proxies into the pool."""

from __future__ import annotations

import asyncio
import os
import sys
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from io import BufferedReader
from pathlib import Path
from typing import Annotated, cast

import typer

from service.cli import output, words
from service.cli.asking import asking
from service.cli.backend import Backend, Document, asked
from service.control.import_report import Verdict
from service.control.intake import LARGEST, Mode
from service.errors import InvalidInputError
from service.importing import render
from service.messages import Locale
from service.models import Protocol, ProxySpec
from service.web.requests import ImportQuery

SHOWN = 20
"""Refused lines, warnings, and in a dry run lines of each verdict, shown to people. JSON holds all that the report
kept."""

_COLUMNS = {"line": "line", "verdict": "verdict", "proxy": "proxy", "changed": "changed", "remarks": "remarks"}

_CHUNK = 1 << 18

File = Annotated[str, typer.Argument(metavar="FILE", help="Text lines, CSV or JSON; - for standard input.")]
How = Annotated[Mode, typer.Option("--mode", help="sync also takes out of use what FILE does not name.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would happen; change nothing.")]
Spoken = Annotated[Protocol, typer.Option(help="Protocol of the proxies whose line names none.")]
Group = Annotated[str, typer.Option(help="Group of the proxies whose line names none.")]


@asking
async def populate(
    backend: Backend,
    file: File,
    mode: How = "add",
    dry_run: DryRun = False,
    protocol: Spoken = Protocol.HTTP,
    group: Group = "",
    as_json: output.Json = False,
) -> None:
    """Import proxies from FILE. A bad line never costs a good one; the same file again changes nothing."""
    query = asked(ImportQuery, backend.locale, dryRun=dry_run, mode=mode, protocol=protocol, group=group)
    with opened(file) as source, output.progress(file) as tell:
        try:
            report = await backend.populate(chunks(source, file), query, tell)
        except InvalidInputError as error:
            if error.params.get("field") == "file":  # "no text", "no proxy": of this file
                raise InvalidInputError(**error.params | {"field": file, "detail": None}) from None
            raise
    if as_json:
        output.document(report)
    else:
        await show(report, backend.locale)
        if dry_run:
            typer.echo(words.text("dry_run", backend.locale))
    if not accepted(report):
        raise InvalidInputError("no_proxy_in_file", file=file)


def opened(file: str) -> BufferedReader:
    """Raises :class:`InvalidInputError` for what can't be read or is too large, before anything is imported."""
    if file == "-":
        return cast(BufferedReader, sys.stdin.buffer)
    try:
        source = Path(file).open("rb")  # noqa: SIM115 - the caller closes it
    except FileNotFoundError:
        raise InvalidInputError("no_file", file=file) from None
    except IsADirectoryError:
        raise InvalidInputError("is_directory", file=file) from None
    except OSError as error:
        raise InvalidInputError("unreadable_file", file=file, reason=error.strerror) from None
    if os.fstat(source.fileno()).st_size > LARGEST:
        source.close()
        raise InvalidInputError("large_file", file=file, limit=LARGEST >> 20)
    return source


async def chunks(source: BufferedReader, file: str) -> AsyncIterator[bytes]:
    """What ``source`` holds, as it comes; raises :class:`InvalidInputError`."""
    size = 0
    try:
        while True:
            await _readable(source)
            if not (chunk := source.read1(_CHUNK)):
                return
            size += len(chunk)
            if size > LARGEST:
                raise InvalidInputError("large_file", file=file, limit=LARGEST >> 20)
            yield chunk
    except OSError as error:
        raise InvalidInputError("unreadable_file", file=file, reason=error.strerror) from None


async def _readable(source: BufferedReader) -> None:
    """Returns when a read does not wait, as one of a regular file never does."""
    ready = asyncio.Event()
    try:
        number = source.fileno()
        asyncio.get_running_loop().add_reader(number, ready.set)
    except OSError:  # what can't be waited for
        return
    try:
        await ready.wait()
    finally:
        asyncio.get_running_loop().remove_reader(number)


def accepted(report: Document) -> int:
    """Lines that gave a proxy."""
    return sum(report[name] for name in ("added", "updated", "unchanged"))


async def show(report: Document, locale: Locale) -> None:
    """The report for people: of a dry run line by line, else with what calls for a look."""
    counts = {name: report[name] for name in ("added", "updated", "unchanged", "disabled", "drained")}
    output.figures({**counts, "rejected": report["rejectedCount"], "warnings": report["warningsCount"]})
    if report["dryRun"]:
        await _show_lines(report, locale)
        return
    _tell("rejected", report["rejected"], report["rejectedCount"], locale)
    _tell("warned", report["warnings"], report["warningsCount"], locale)


async def _show_lines(report: Document, locale: Locale) -> None:
    shown = list(_first(report["lines"]))

    async def rows() -> AsyncGenerator[Document, None]:
        for line in shown:
            reasons = "; ".join(remark["reason"] for remark in line["remarks"])
            yield {**line, "proxy": _proxy(line), "remarks": reasons}

    await output.listed(rows(), _COLUMNS, as_json=False)
    if more := sum(report["verdicts"].values()) - len(shown):
        typer.echo(words.text("more_lines", locale, count=more))


def _first(lines: Sequence[Document]) -> Iterator[Document]:
    """The first :data:`SHOWN` of each verdict and of those with a warning."""
    seen: Counter[str] = Counter()
    for line in lines:
        verdict = line["verdict"]
        kinds = {verdict, Verdict.WARNED} if line["remarks"] and verdict != Verdict.REFUSED else {verdict}
        seen.update(kinds)
        if min(seen[kind] for kind in kinds) <= SHOWN:
            yield line


def _proxy(line: Document) -> str:
    if line["host"] is None:
        return ""
    return render(ProxySpec(Protocol(line["protocol"]), line["host"], line["port"]))


def _tell(code: str, remarks: Sequence[Document], count: int, locale: Locale) -> None:
    for remark in remarks[:SHOWN]:
        typer.echo(words.text(code, locale, line=remark["line"], reason=remark["reason"]))
    if count > SHOWN:
        typer.echo(words.text(f"more_{code}", locale, count=count - SHOWN))
