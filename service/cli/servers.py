"""``servers``, ``ignore`` and ``forget``: the Evolution servers, and a human's word about one that is not there."""

from __future__ import annotations

from typing import Annotated

import typer

from service.cli import output, words
from service.cli.asking import asking
from service.cli.backend import Backend
from service.cli.command import named

COLUMNS = {
    "name": "name",
    "host": "host",
    "configured": "configured",
    "read": "read",
    "ignored": "ignored",
    "leases": "leases",
    "unprotected": "unprotected",
    "drift": "drift",
    "error": "error",
}

Server = Annotated[str, typer.Argument(metavar="SERVER", callback=named, help="The server's name.")]
Off = Annotated[bool, typer.Option("--off", help="Wait for its first reading again.")]


@asking
async def servers(backend: Backend, as_json: output.Json = False) -> None:
    """List the Evolution servers.

    Also those that left the settings and still hold leases. What only a running service knows (drift, errors, when it
    looked, its pace) is told with --url alone.
    """
    await output.listed(backend.servers(), COLUMNS, as_json=as_json)


@asking
async def ignore(backend: Backend, server: Server, off: Off = False, as_json: output.Json = False) -> None:
    """Hand proxies out although SERVER was never read.

    Free proxies that its instances use may be given to others until it is.
    """
    told = await backend.ignore(server, ignored=not off)
    if as_json:
        output.document(told)
    else:
        typer.echo(words.text("ignored" if told["ignored"] else "heeded", backend.locale, server=server))


@asking
async def forget(backend: Backend, server: Server, as_json: output.Json = False) -> None:
    """End all that a former SERVER holds.

    It has to be out of the settings; nobody asks it any more, so be sure that it is gone for good. Its proxies rest
    like those of deleted instances.
    """
    told = await backend.forget(server)
    if as_json:
        output.document(told)
    else:
        counts = {name: told[name] for name in ("leases", "instances")}
        typer.echo(words.text("forgotten", backend.locale, server=server, **counts))
