"""``plan``: what ``serve`` would do. Reads every server and the pool, and writes to neither."""

from __future__ import annotations

from typing import Annotated

import typer

from service.cli import environment, output
from service.cli.command import command

Instance = Annotated[str | None, typer.Argument(metavar="INSTANCE", help="What this one would get, and why.")]
Server = Annotated[str | None, typer.Option(help="This server only.")]


@command
async def plan(instance: Instance = None, server: Server = None, as_json: output.Json = False) -> None:
    """Show what serve would do, and change nothing.

    Lists what would be adopted, assigned, restarted and released in this order, and what is left alone; then totals,
    about how long it takes at the pace of the settings, and whether the proxies suffice. It warns when they do not,
    and ends with 0 nevertheless. With INSTANCE: what it would get and why, or why it holds what it holds. JSON: one
    line an instance, then the totals.
    """
    settings = environment.settings()
    environment.require_servers(settings)
    environment.refuse_unknown(server, settings)
    from service.cli import planning

    await planning.show(settings, instance, server, as_json=as_json)
