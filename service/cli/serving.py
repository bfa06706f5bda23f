"""``serve`` and ``demo``: the two commands that stay."""

from __future__ import annotations

import asyncio
import logging
import signal
import textwrap
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from service import log
from service.cli import environment, output, words
from service.cli.command import command
from service.settings import describe

_STATUS_EVERY = 5.0

Port = Annotated[int | None, typer.Option(min=0, max=65535, help="Port to listen on; else EVOPROXY_PORT, 8080.")]
DataDir = Annotated[Path | None, typer.Option(help="An empty directory to keep; else a temporary one.")]


def settings_help() -> str:
    """Every setting with its default and meaning, in lines that ``--help`` leaves as they are."""
    lines = ["\b", "Settings, from the environment or .env (the environment wins):"]
    for row in describe():
        lines.append(row.name if row.default == "–" else f"{row.name}  [{row.default}]")
        lines += textwrap.wrap(row.meaning, 76, initial_indent="    ", subsequent_indent="    ")
    return "\n".join(lines)


@command
def serve() -> None:
    """Run the service with your settings."""
    settings = environment.settings()
    from service import main  # no other command needs all of it

    log.configure(settings.log_format)
    main.serve(settings)


@command
async def demo(port: Port = None, data_dir: DataDir = None) -> None:
    """Run the service with a simulated server.

    With sample proxies and a Redis of its own; nothing real is contacted.
    """
    from service import demo as demonstration  # the simulator is loaded for nobody else

    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    settings = environment.settings()
    if port is not None:
        settings = settings.model_copy(update={"port": port})
    log.configure(settings.log_format, level=logging.WARNING)  # each step told would scroll the address away
    async with demonstration.play(settings, data_dir=data_dir) as playing:
        typer.echo(words.text("demo", settings.locale, url=playing.url, token=playing.token))
        while not stop.is_set():
            if output.on_terminal():
                now = await playing.pool.stats()
                counts = {"total": now.counts.total, "used": now.counts.used, "available": now.counts.available}
                status = {**counts, "unprotected": now.unprotected}
                typer.echo("  ".join(f"{name} {figure}" for name, figure in status.items()))
            with suppress(TimeoutError):
                async with asyncio.timeout(_STATUS_EVERY):
                    await stop.wait()
