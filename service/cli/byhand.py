"""``assign``, ``release`` and ``rotate``: one instance, by hand. They pass brake and pause, never exclusivity."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

import typer

from service.cli import environment, output, words
from service.cli.command import command
from service.cli.control import controller
from service.control import byhand
from service.control.locate import locate
from service.control.server import ServerControl
from service.control.words import why_chosen
from service.errors import RefusedError, SettingsError
from service.pool.models import Lease
from service.web.models import ProxyOut

SHOWN = ("assignedInstanceName", "server", "id", "protocol", "host", "port", "phase", "waits", "applied")

Instance = Annotated[str, typer.Argument(metavar="INSTANCE", help="The instance's name.")]
Server = Annotated[str | None, typer.Option(help="Its server, where the name is on several.")]
Pin = Annotated[str, typer.Option("--proxy", metavar="ID", help="Exactly this proxy.")]
Group = Annotated[str | None, typer.Option(help="A proxy of this group only.")]
Force = Annotated[bool, typer.Option("--force", help="End the lease without proof that the proxy is out of use.")]


@command
async def assign(
    instance: Instance, server: Server = None, proxy: Pin = "", group: Group = None, as_json: output.Json = False
) -> None:
    """Give INSTANCE a proxy, or show the one it holds. Policy looks after the instance again."""
    async with _control(instance, server) as control:
        given = await byhand.assign(control, instance, actor=environment.actor(), pin=proxy, group=group)
        await _show(control, given.lease, as_json)


@command
async def rotate(
    instance: Instance, server: Server = None, proxy: Pin = "", group: Group = None, as_json: output.Json = False
) -> None:
    """Give INSTANCE another proxy. The old one cools for at least 10 minutes."""
    async with _control(instance, server) as control:
        lease = await byhand.rotate(control, instance, actor=environment.actor(), pin=proxy, group=group)
        await _show(control, lease, as_json)


@command
async def release(
    instance: Instance, server: Server = None, force: Force = False, as_json: output.Json = False
) -> None:
    """Take INSTANCE's proxy back.

    The instance is left alone until the next assign.
    """
    async with _control(instance, server) as control:
        lease = await byhand.release(control, instance, actor=environment.actor(), force=force)
        if lease is not None:
            await _show(control, lease, as_json)
        elif as_json:
            output.document({"assignedInstanceName": instance, "server": control.context.server, "phase": None})
        else:
            typer.echo(words.text("released", control.context.locale, instance=instance))


async def _show(control: ServerControl, lease: Lease, as_json: bool) -> None:
    proxy = await control.pool.proxy(lease.proxy_id)
    if proxy is None:
        raise RefusedError("stale", instance=lease.name)
    value = ProxyOut.of(proxy).model_dump(mode="json", by_alias=True)
    if as_json:
        output.document(value)
    else:
        why = why_chosen(proxy.lease.chosen, control.context.locale) if proxy.lease else None
        output.figures({name: value[name] for name in SHOWN} | {"why": why})


@asynccontextmanager
async def _control(instance: str, server: str | None) -> AsyncIterator[ServerControl]:
    """The server that ``instance`` is on, under control."""
    settings = environment.settings()
    if not settings.servers:
        raise SettingsError(problems=["EVOLUTION_API_BASE_URL: not set, so there is no server to talk to"])
    environment.refuse_unknown(server, settings)
    async with environment.running_pool(settings, passwords=True) as pool, controller(settings, pool) as controlled:
        yield await locate(controlled, instance, server)
