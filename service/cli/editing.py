"""``edit``, ``remove`` and ``reveal`` one proxy."""

from __future__ import annotations

from typing import Annotated

import typer

from service.cli import output, words
from service.cli.asking import asking
from service.cli.backend import Backend, asked
from service.cli.options import NEVER, OfProxy, moment
from service.errors import InvalidInputError
from service.web.requests import Change

SHOWN = ("id", "protocol", "host", "port", "status", "group", "labels", "expiresAt")

Group = Annotated[str | None, typer.Option(help="Its group; '' for none.")]
Label = Annotated[list[str] | None, typer.Option(help="A label; several are given one by one; '' for none.")]
Expires = Annotated[
    str | None,
    typer.Option(metavar="TIME", callback=moment, help="Its end: 30d, 12h, 15m, 2026-01-31T12:00:00Z, or never."),
]


@asking
async def edit(
    backend: Backend,
    proxy: OfProxy,
    group: Group = None,
    label: Label = None,
    expires: Expires = None,
    as_json: output.Json = False,
) -> None:
    """Change PROXY's group, labels or end.

    What is given takes the place of what was there. Its password comes from a file: populate it again.
    """
    labels = [one for one in label if one] if label else None
    given = {"group": group, "labels": labels, "expiresAt": None if expires == NEVER else expires}
    change = asked(Change, backend.locale, **given)
    if expires == NEVER:
        change = change.model_copy(update={"expires_at": None})  # set, to nothing
    if not change.model_fields_set:
        raise InvalidInputError("nothing_to_change")
    told = await backend.edit(proxy, change)
    if as_json:
        output.document(told)
    else:
        output.figures({name: told[name] for name in SHOWN})


@asking
async def remove(backend: Backend, proxy: OfProxy, as_json: output.Json = False) -> None:
    """Remove PROXY from the pool.

    One that an instance holds is refused: disable it, and remove it when the instance has let go.
    """
    await backend.remove(proxy)
    if as_json:
        output.document({"id": proxy, "removed": True})
    else:
        typer.echo(words.text("removed", backend.locale, proxy=proxy))


@asking
async def reveal(backend: Backend, proxy: OfProxy, as_json: output.Json = False) -> None:
    """Show PROXY's password.

    Each time is an event with your name.
    """
    told = await backend.reveal(proxy)
    if as_json:
        output.document(told)
    else:
        typer.echo(output.plain(told["password"]))
