"""``migrate`` and ``snapshot``: the tables in SQL, brought up to date by hand."""

from __future__ import annotations

import typer

from service.cli import environment, output, words
from service.cli.asking import asking
from service.cli.backend import Backend
from service.cli.command import command


@command
async def migrate(as_json: output.Json = False) -> None:
    """Make or update the tables in SQL. The service does so too when it starts."""
    settings = environment.settings()
    from service.cli import tables

    version = await tables.migrate(settings)
    if as_json:
        output.document({"version": version})
    else:
        typer.echo(words.text("migrated", settings.locale, version=version))


@asking
async def snapshot(backend: Backend, as_json: output.Json = False) -> None:
    """Write the figures of now into SQL.

    And hold every proxy against its row there: what is wrong in the table is corrected. The service does both too, from
    time to time.
    """
    compared = await backend.snapshot()
    if as_json:
        output.document(compared)
    else:
        counts = {name: compared[name] for name in ("compared", "absent", "differing", "surplus")}
        typer.echo(words.text("compared", backend.locale, **counts))
