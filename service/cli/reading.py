"""``stats``, ``proxies``, ``instances`` and ``check``: the pool as it is. The shapes are those of the HTTP API."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Annotated, Any, Literal

import typer

from service.cli import environment, output, words
from service.cli.command import REFUSED, command
from service.cli.control import controller
from service.models import Protocol
from service.pool.models import Broken, Status
from service.pool.pool import Pool
from service.web.figures import figures
from service.web.models import InstanceOut, ProxyOut

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
}

Only = Annotated[Literal["unprotected", "unapplied", "spent", "external"] | None, typer.Option(help="Only those.")]


@command
async def stats(as_json: output.Json = False) -> None:
    """Show the figures of the pool."""
    settings = environment.settings()
    async with environment.running_pool(settings) as pool, controller(settings, pool) as servers:
        told = figures(await pool.stats(), servers, settings.locale)
    only_the_service_knows = {"error", "last_poll_at", "planned", "webhooks", "pace"}
    value = told.model_dump(
        mode="json",
        by_alias=True,
        exclude={
            "last_poll_at": True,
            "mirror_lag": True,
            "eta_seconds": True,
            "servers": {"__all__": only_the_service_knows},
        },
    )
    (output.document if as_json else output.figures)(value)


@command
async def proxies(
    status: Annotated[Status | None, typer.Option(help="Only those in this status.")] = None,
    protocol: Annotated[Protocol | None, typer.Option(help="Only those of this protocol.")] = None,
    group: Annotated[str | None, typer.Option(help="Only those of this group.")] = None,
    as_json: output.Json = False,
) -> None:
    """List proxies and who holds them. Passwords are never shown."""
    wanted = {"status": status, "protocol": protocol, "group": group}
    async with environment.running_pool(environment.settings()) as pool:
        found = _proxies(pool, {name: value for name, value in wanted.items() if value is not None})
        await output.listed(found, PROXY_COLUMNS, as_json=as_json)


@command
async def instances(
    server: Annotated[str | None, typer.Option(help="Only those of this server.")] = None,
    only: Only = None,
    as_json: output.Json = False,
) -> None:
    """List instances and what they hold, as last observed."""
    settings = environment.settings()
    environment.refuse_unknown(server, settings)
    async with environment.running_pool(settings) as pool:
        await output.listed(_instances(pool, server, only or "instances"), INSTANCE_COLUMNS, as_json=as_json)


@command
async def check(as_json: output.Json = False) -> None:
    """Hold the live pool against its promises.

    Each proxy has one status, each lease one proxy and one instance. Prints the ids of those that do not;
    the last line counts.
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


async def _proxies(pool: Pool, wanted: Mapping[str, str]) -> AsyncIterator[Mapping[str, Any]]:
    cursor: str | None = None
    while cursor != "":
        cursor, page = await pool.page(cursor or "")
        for proxy in page:
            value = ProxyOut.of(proxy).model_dump(mode="json", by_alias=True)
            if wanted.items() <= value.items():
                yield value


async def _instances(pool: Pool, server: str | None, which: str) -> AsyncIterator[Mapping[str, Any]]:
    cursor: str | None = None
    while cursor != "":
        cursor, page = await pool.page_instances(cursor or "", which=which)
        for instance in page:
            if server in (None, instance.server):
                yield InstanceOut.of(instance).model_dump(mode="json", by_alias=True)
