"""``pause``, ``resume`` and ``brake release``: what policy does by itself, held and let go."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from service.cli import output, words
from service.cli.asking import asking
from service.cli.backend import Backend, asked
from service.web.requests import BrakeRelease

app = typer.Typer(help="The brakes of the servers: release.", no_args_is_help=True)

Server = Annotated[str | None, typer.Option(help="Of this server only.")]
Half = Annotated[Literal["release", "set"] | None, typer.Option(help="This half only.")]


@asking
async def pause(backend: Backend, as_json: output.Json = False) -> None:
    """Hold all that is done by itself, until resume. What is typed is done all the same."""
    await _pause(backend, paused=True, as_json=as_json)


@asking
async def resume(backend: Backend, as_json: output.Json = False) -> None:
    """Go on after a pause."""
    await _pause(backend, paused=False, as_json=as_json)


@app.command()
@asking
async def release(backend: Backend, server: Server = None, half: Half = None, as_json: output.Json = False) -> None:
    """Let go of the brakes, and show what is engaged then. See first that the server is whole."""
    brake = await backend.release_brake(asked(BrakeRelease, backend.locale, server=server, half=half))
    (output.document if as_json else output.figures)(brake)


async def _pause(backend: Backend, *, paused: bool, as_json: bool) -> None:
    now = await backend.pause(paused=paused)
    if as_json:
        output.document(now)
    else:
        typer.echo(words.text("paused" if now["paused"] else "resumed", backend.locale))
