"""The command line: a thin face over the same parts that the service is made of."""

from __future__ import annotations

from collections.abc import Sequence

import typer

from service.cli import audit, byhand, export, keys, mirror, plan, populate, reading, restore, serving, tokens, webhooks

app = typer.Typer(
    help="One proxy for every WhatsApp instance of an Evolution API server.",
    epilog="Exit codes: 0 done, 1 refused or a broken promise, 2 wrong usage, input or settings,"
    " 3 a store or server can't be reached.",
    no_args_is_help=True,
    add_completion=False,
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
    byhand.assign,
    byhand.release,
    byhand.rotate,
    reading.check,
    audit.events,
    audit.ledger,
    keys.rotate_key,
    mirror.snapshot,
    mirror.migrate,
    restore.restore,
):
    app.command()(_run)
app.add_typer(tokens.app, name="token")
app.add_typer(webhooks.app, name="webhooks")


def main(args: Sequence[str] | None = None) -> None:
    """Runs one command and ends the process with its exit code."""
    app(args)
