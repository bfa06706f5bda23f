"""``migrate`` and ``snapshot``: the tables in SQL, brought up to date by hand."""

from __future__ import annotations

import typer

from service.cli import environment, output, words
from service.cli.asking import asking
from service.cli.backend import Backend
from service.cli.command import command
from service.mirror.database import open_database, url_of
from service.mirror.migrate import migrate as bring_up_to_date


@command
async def migrate(as_json: output.Json = False) -> None:
    """Make or update the tables in SQL. The service does so too when it starts."""
    settings = environment.settings()
    async with open_database(url_of(settings)) as engine:
        version = await bring_up_to_date(engine)
    if as_json:
        output.document({"version": version})
    else:
        typer.echo(words.text("migrated", settings.locale, version=version))


@asking
async def snapshot(backend: Backend, as_json: output.Json = False) -> None:
    """Write the figures of now into pool_stats, and hold every proxy against its row in SQL.

    What is wrong in the table is corrected. The service does both too, from time to time.
    """
    compared = await backend.snapshot()
    if as_json:
        output.document(compared)
    else:
        typer.echo(words.text("compared", backend.locale, **compared))
