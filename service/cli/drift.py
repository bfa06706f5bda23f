"""``drift`` and ``repair``: where lease, row and live state differ, and a human's repair."""

from __future__ import annotations

from typing import Annotated

import typer

from service.cli import output, words
from service.cli.asking import asking
from service.cli.backend import LARGEST_PAGE, Backend, asked
from service.cli.command import named
from service.control.drift import Kind
from service.web.requests import DriftQuery

COLUMNS = {
    "id": "id",
    "server": "server",
    "instance": "instanceName",
    "kind": "kind",
    "proxy": "proxyId",
    "repairs": "repairs",
    "plan": "plan",
}

OfKind = Annotated[Kind | None, typer.Option(metavar="KIND", help="Only those of this kind, as row_missing.")]
Server = Annotated[str | None, typer.Option(help="Only those of this server.")]
Drift = Annotated[str, typer.Argument(metavar="DRIFT", callback=named, help="The id that drift shows.")]


@asking
async def drift(backend: Backend, kind: OfKind = None, server: Server = None, as_json: output.Json = False) -> None:
    """List what differs, and what is done about it.

    Where lease, row and live state of an instance are not of one mind. It reads the servers; with --url it tells what
    the service saw at its last look.
    """
    query = asked(DriftQuery, backend.locale, kind=kind, server=server, limit=LARGEST_PAGE)
    await output.listed(backend.drift(query), COLUMNS, as_json=as_json)


@asking
async def repair(backend: Backend, drift: Drift, as_json: output.Json = False) -> None:
    """Do what DRIFT waits for a human to do.

    After another look: it may be over, or repair itself.
    """
    told = await backend.repair(drift)
    if as_json:
        output.document(told)
    elif told["drift"] is None:
        typer.echo(words.text("repaired", backend.locale))
    else:
        typer.echo(words.text("repairs_itself", backend.locale, plan=told["drift"]["plan"]))
