"""The command line: a thin face over the same parts that the service is made of.

A command's module loads what its options and help need; what does the work is loaded when the command runs, so that
help and completion come at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from service import __version__
from service.cli import (
    audit,
    brakes,
    byhand,
    drift,
    editing,
    export,
    jobs,
    keys,
    mirror,
    plan,
    populate,
    reading,
    restore,
    servers,
    serving,
    tokens,
    webhooks,
)

app = typer.Typer(
    help="One proxy for every WhatsApp instance of an Evolution API server.",
    epilog="Exit codes: 0 done, 1 refused or a broken promise, 2 wrong usage, input or settings,"
    " 3 a store or server can't be reached."
    " With --url and --token most commands ask a remote evoproxy; the others work where its stores are.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.command(epilog=serving.settings_help())(serving.serve)
for _run in (
    serving.demo,
    plan.plan,
    populate.populate,
    export.export,
    reading.stats,
    reading.proxies,
    reading.instances,
    servers.servers,
    drift.drift,
    byhand.assign,
    byhand.release,
    byhand.rotate,
    drift.repair,
    byhand.disable,
    byhand.enable,
    editing.edit,
    editing.remove,
    editing.reveal,
    jobs.jobs,
    brakes.pause,
    brakes.resume,
    servers.ignore,
    servers.forget,
    reading.check,
    audit.events,
    audit.ledger,
    keys.rotate_key,
    mirror.snapshot,
    mirror.migrate,
    restore.restore,
):
    app.command()(_run)
app.add_typer(brakes.app, name="brake")
app.add_typer(tokens.app, name="token")
app.add_typer(webhooks.app, name="webhooks")


def _tell_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"evoproxy {__version__}")
        raise typer.Exit


@app.callback()
def _common(
    version: Annotated[
        bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    pass


def main(args: Sequence[str] | None = None) -> None:
    """Runs one command and ends the process with its exit code."""
    app(args)
