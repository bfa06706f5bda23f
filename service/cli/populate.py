"""``populate``: a file of proxies into the pool."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from service import messages
from service.cli import environment, output, words
from service.cli.command import command
from service.control.intake import LARGEST, ImportReport, Mode, import_proxies
from service.errors import InvalidInputError
from service.importing import Rejected, Warned
from service.messages import Locale
from service.models import Protocol
from service.web.models import ImportOut

SHOWN = 20
"""Refused lines, and warnings, shown to people. JSON holds all that the report kept."""

_CHUNK = 1 << 18

File = Annotated[str, typer.Argument(metavar="FILE", help="Text lines, CSV or JSON; - for standard input.")]
How = Annotated[Mode, typer.Option("--mode", help="sync also takes out of use what FILE does not name.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would happen; change nothing.")]
Spoken = Annotated[Protocol, typer.Option(help="Protocol of the proxies whose line names none.")]
Group = Annotated[str, typer.Option(help="Group of the proxies whose line names none.")]


@command
async def populate(
    file: File,
    mode: How = "add",
    dry_run: DryRun = False,
    protocol: Spoken = Protocol.HTTP,
    group: Group = "",
    as_json: output.Json = False,
) -> None:
    """Import proxies from FILE. A bad line never costs a good one; the same file again changes nothing."""
    settings = environment.settings()
    with opened(file) as source, output.progress(file) as tell:
        async with environment.running_pool(settings, passwords=True) as pool:
            try:
                report = await import_proxies(
                    pool,
                    chunks(source, file),
                    actor=environment.actor(),
                    mode=mode,
                    dry_run=dry_run,
                    default_protocol=protocol,
                    group=group,
                    on_progress=lambda so_far: tell(so_far.accepted),
                )
            except InvalidInputError as error:
                if error.params.get("field") == "file":  # "no text", "no proxy": of this file
                    raise InvalidInputError(**error.params | {"field": file}) from None
                raise
    if as_json:
        output.document(ImportOut(**asdict(report), dry_run=dry_run).model_dump(by_alias=True))
    else:
        show(report, settings.locale)
        if dry_run:
            typer.echo(words.text("dry_run", settings.locale))
    if not report.accepted:
        raise InvalidInputError("no_proxy_in_file", file=file)


def opened(file: str) -> BinaryIO:
    """Raises :class:`InvalidInputError` for what can't be read or is too large, before anything is imported."""
    if file == "-":
        return sys.stdin.buffer
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


async def chunks(source: BinaryIO, file: str) -> AsyncIterator[bytes]:
    """What ``source`` holds; raises :class:`InvalidInputError`.

    Read in the loop's own thread: nothing else runs in it, and a thread that waits for input can't be ended."""
    size = 0
    try:
        while chunk := source.read(_CHUNK):
            size += len(chunk)
            if size > LARGEST:
                raise InvalidInputError("large_file", file=file, limit=LARGEST >> 20)
            yield chunk
    except OSError as error:
        raise InvalidInputError("unreadable_file", file=file, reason=error.strerror) from None


def show(report: ImportReport, locale: Locale) -> None:
    """The report for people."""
    counts = {name: getattr(report, name) for name in ("added", "updated", "unchanged", "disabled", "drained")}
    output.figures({**counts, "rejected": report.rejected_count, "warnings": report.warnings_count})
    _tell("rejected", report.rejected, report.rejected_count, locale)
    _tell("warned", report.warnings, report.warnings_count, locale)


def _tell(code: str, remarks: Sequence[Rejected | Warned], count: int, locale: Locale) -> None:
    for remark in remarks[:SHOWN]:
        reason = messages.remark(remark.code, locale, remark.reason)
        typer.echo(words.text(code, locale, line=remark.line, reason=reason))
    if count > SHOWN:
        typer.echo(words.text(f"more_{code}", locale, count=count - SHOWN))
