"""``export``: the pool as a document, on standard output or in a file."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, aclosing, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import IO, Annotated

import typer

from service.cli import output, words
from service.cli.asking import asking
from service.cli.backend import Backend, asked
from service.errors import InvalidInputError
from service.models import Protocol
from service.pool.models import Status
from service.web.export import Format
from service.web.requests import ExportQuery

Shape = Annotated[Format | None, typer.Option("--format", help="lines, unless you say so.", show_default=False)]
Secrets = Annotated[bool, typer.Option("--secrets", help="With passwords. The audit trail tells of it.")]
To = Annotated[str, typer.Option("--output", "-o", metavar="FILE", help="Written whole or not at all; for you only.")]
InStatus = Annotated[Status | None, typer.Option(help="Only those in this status.")]
Spoken = Annotated[Protocol | None, typer.Option(help="Only those of this protocol.")]
Group = Annotated[str | None, typer.Option(help="Only those of this group.")]


@asking
async def export(
    backend: Backend,
    shape: Shape = None,
    secrets: Secrets = False,
    to: To = "-",
    status: InStatus = None,
    protocol: Spoken = None,
    group: Group = None,
    as_json: output.Json = False,
) -> None:
    """Write the proxies out in a form that populate reads back.

    csv, json and ndjson carry all that an import takes, lines the endpoints and credentials; only with --secrets is
    that the whole truth. Whether a proxy is disabled is no part of it.
    """
    form = shape or (Format.JSON if as_json and to == "-" else Format.LINES)
    given = {"format": form, "secrets": secrets, "status": status, "group": group, "protocol": protocol}
    query, done = asked(ExportQuery, backend.locale, **given), 0
    with _target(to) as file, _progress(to) as tell:
        async with aclosing(backend.export(query)) as parts:
            async for part in parts:
                file.write(part.text)
                tell(done := done + part.proxies)
    if to == "-":
        return
    if as_json:
        output.document({"file": to, "proxies": done, "secrets": secrets})
    else:
        typer.echo(words.text("exported", backend.locale, count=done, file=to))


def _progress(to: str) -> AbstractContextManager[Callable[[int], None]]:
    """Not between the lines of a document that is shown."""
    return nullcontext(lambda done: None) if to == "-" and output.on_terminal() else output.progress("export")


@contextmanager
def _target(to: str) -> Iterator[IO[bytes]]:
    """Standard output, or a file that appears under its name once all is written, readable by its owner only.

    Raises :class:`InvalidInputError` when it can't be written.
    """
    if to == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    path = Path(to)
    if path.exists() and not path.is_file():
        raise InvalidInputError("no_regular_file", file=to)
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:  # mode 0600
            try:
                yield file
                file.flush()
                os.fsync(file.fileno())
                Path(file.name).replace(path)
            except BaseException:
                with suppress(OSError):
                    Path(file.name).unlink()
                raise
    except OSError as error:
        raise InvalidInputError("unwritable_file", file=to, reason=error.strerror) from None
