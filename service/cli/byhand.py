"""``assign``, ``release`` and ``rotate`` an instance, ``disable`` and ``enable`` a proxy: by hand. They pass brake and
pause, never exclusivity."""

from __future__ import annotations

from typing import Annotated

import typer

from service.cli import output, words
from service.cli.asking import asking
from service.cli.backend import Backend, Document, asked
from service.cli.options import Instance, OfProxy, proxy_id
from service.control.words import why_chosen
from service.messages import Locale
from service.pool.choice import Choice as Chosen
from service.web.requests import Choice

SHOWN = ("assignedInstanceName", "server", "id", "protocol", "host", "port", "status", "phase", "waits", "applied")

Server = Annotated[str | None, typer.Option(help="Its server, where the name is on several.")]
Pin = Annotated[str | None, typer.Option("--proxy", metavar="ID", callback=proxy_id, help="Exactly this proxy.")]
Group = Annotated[str | None, typer.Option(help="A proxy of this group only.")]
Force = Annotated[bool, typer.Option("--force", help="End the lease without proof that the proxy is out of use.")]
Moves = Annotated[bool, typer.Option("--force", help="Give the instance that holds it another one now.")]


@asking
async def assign(
    backend: Backend,
    instance: Instance,
    server: Server = None,
    proxy: Pin = None,
    group: Group = None,
    as_json: output.Json = False,
) -> None:
    """Give INSTANCE a proxy, or show the one it holds. Policy looks after the instance again."""
    choice = asked(Choice, backend.locale, proxyId=proxy, group=group)
    _show(await backend.assign(instance, server, choice), as_json, backend.locale)


@asking
async def rotate(
    backend: Backend,
    instance: Instance,
    server: Server = None,
    proxy: Pin = None,
    group: Group = None,
    as_json: output.Json = False,
) -> None:
    """Give INSTANCE another proxy. The old one cools for at least 10 minutes."""
    choice = asked(Choice, backend.locale, proxyId=proxy, group=group)
    _show(await backend.rotate(instance, server, choice), as_json, backend.locale)


@asking
async def release(
    backend: Backend, instance: Instance, server: Server = None, force: Force = False, as_json: output.Json = False
) -> None:
    """Take INSTANCE's proxy back.

    The instance is left alone until the next assign.
    """
    proxy = await backend.release(instance, server, force=force)
    if proxy["phase"] is None and not as_json:
        typer.echo(words.text("released", backend.locale, instance=instance))
    else:
        _show(proxy, as_json)


@asking
async def disable(backend: Backend, proxy: OfProxy, force: Moves = False, as_json: output.Json = False) -> None:
    """Take PROXY out of use. One that an instance holds stays with it until that lets go."""
    _show(await backend.disable(proxy, force=force), as_json)


@asking
async def enable(backend: Backend, proxy: OfProxy, as_json: output.Json = False) -> None:
    """Take PROXY into use again."""
    _show(await backend.enable(proxy), as_json)


def _show(proxy: Document, as_json: bool, tell_why: Locale | None = None) -> None:
    """``tell_why``: in this language, why the instance got this one."""
    if as_json:
        output.document(proxy)
        return
    shown = {name: proxy.get(name) for name in SHOWN}
    if tell_why:
        chosen = proxy.get("choice")
        shown["why"] = why_chosen(_chosen(chosen), tell_why) if chosen else None
    output.figures(shown)


def _chosen(shown: Document) -> Chosen:
    """As it was before the API showed it; what another release shows may be less."""
    counts = " ".join(f"{name}:{count}" for name, count in shown.items() if isinstance(count, int))
    return Chosen.parse(str(shown.get("why")), shown.get("group") or "", counts)
