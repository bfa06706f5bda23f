"""``stats``, ``proxies``, ``instances`` and ``check``: the pool as it is. The shapes are those of the HTTP API."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from service.cli import environment, output, servers, words
from service.cli.asking import asking
from service.cli.backend import LARGEST_PAGE, Backend, Document, asked
from service.cli.command import REFUSED, command
from service.models import Protocol
from service.pool.models import Broken, Status
from service.web.requests import InstanceQuery, ProxyQuery

PROXY_COLUMNS = {
    "id": "id",
    "protocol": "protocol",
    "host": "host",
    "port": "port",
    "group": "group",
    "status": "status",
    "instance": "assignedInstanceName",
}
INSTANCE_COLUMNS = {
    "server": "server",
    "name": "name",
    "state": "state",
    "managed": "managed",
    "proxy": "proxyId",
    "phase": "phase",
    "applied": "applied",
    "row": "address",
}
COUNTS = ("total", "used", "available", "utilization", "cooling", "quarantined", "disabled")
GROUP_COLUMNS = {name: name for name in ("group", *COUNTS)}
FIRST = (*COUNTS, "unprotected", "notApplied", "stuck", "external", "paused", "unreadServers", "eventsLost", "warnings")

Only = Annotated[Literal["unprotected", "unapplied", "spent", "external"] | None, typer.Option(help="Only those.")]


@asking
async def stats(backend: Backend, as_json: output.Json = False) -> None:
    """Show the figures of the pool.

    On a terminal those to look at first; --json has them all. What only a running service knows (when it looked, its
    pace, the mirror's lag) is told with --url alone.
    """
    told = await backend.stats()
    if as_json:
        output.document(told)
    elif output.on_terminal():
        _overview(told)
    else:
        output.figures(told)


def _overview(stats: Document) -> None:
    output.figures({name: stats.get(name) for name in FIRST} | {"brake": stats.get("brake", {}).get("reason")})
    groups = [{"group": name, **counts} for name, counts in stats.get("groups", {}).items()]
    for rows, columns in ((groups, GROUP_COLUMNS), (stats.get("servers", []), servers.COLUMNS)):
        if rows:
            typer.echo()
            output.table(rows, columns)


@asking
async def proxies(
    backend: Backend,
    status: Annotated[Status | None, typer.Option(help="Only those in this status.")] = None,
    protocol: Annotated[Protocol | None, typer.Option(help="Only those of this protocol.")] = None,
    group: Annotated[str | None, typer.Option(help="Only those of this group.")] = None,
    as_json: output.Json = False,
) -> None:
    """List proxies and who holds them. Passwords are never shown."""
    query = asked(ProxyQuery, backend.locale, status=status, protocol=protocol, group=group, limit=LARGEST_PAGE)
    await output.listed(backend.proxies(query), PROXY_COLUMNS, as_json=as_json)


@asking
async def instances(
    backend: Backend,
    server: Annotated[str | None, typer.Option(help="Only those of this server.")] = None,
    only: Only = None,
    as_json: output.Json = False,
) -> None:
    """List instances and what they hold, as last observed."""
    query = asked(InstanceQuery, backend.locale, server=server, list=only, limit=LARGEST_PAGE)
    await output.listed(backend.instances(query), INSTANCE_COLUMNS, as_json=as_json)


@command
async def check(as_json: output.Json = False) -> None:
    """Hold the live pool against its promises.

    Each proxy has one status, each lease one proxy and one instance. Prints the ids of those that do not;
    the last line counts. It works on the store itself, so run it where Redis can be reached.
    """
    settings = environment.settings()
    looked, broken = 0, 0
    async with environment.running_pool(settings) as pool:
        with output.progress("check") as tell:
            async for found in pool.check():
                if isinstance(found, Broken):
                    broken += 1
                    _tell(found, as_json)
                else:
                    looked += found
                    tell(looked)
    if as_json:
        output.document({"checked": looked, "broken": broken})
    else:
        typer.echo(words.text("checked", settings.locale, looked=looked, broken=broken))
    if broken:
        raise typer.Exit(REFUSED)


def _tell(broken: Broken, as_json: bool) -> None:
    if as_json:
        output.document({"id": broken.id, "what": broken.what})
    else:
        typer.echo(f"{broken.id}\t{broken.what}")
