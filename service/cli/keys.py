"""``rotate-key``: every password under the first key of EVOPROXY_ENCRYPTION_KEY."""

from __future__ import annotations

import typer

from service.cli import environment, output, words
from service.cli.command import command
from service.errors import SettingsError


@command
async def rotate_key(as_json: output.Json = False) -> None:
    """Encrypt every password with the newest key.

    That is the first of EVOPROXY_ENCRYPTION_KEY. Also those that are still in clear. The service may go on: no proxy
    changes. Afterwards the other keys are not needed any more. If it is interrupted, run it again.
    """
    settings = environment.settings()
    if not settings.encryption_key:
        raise SettingsError(problems=["EVOPROXY_ENCRYPTION_KEY: not set, so there is no key to encrypt with"])
    looked, resealed = 0, 0
    async with environment.running_pool(settings) as pool:
        with output.progress("rotate-key") as tell:
            async for page, count in pool.rotate_key(actor=environment.actor()):
                looked += page
                resealed += count
                tell(looked)
    if as_json:
        output.document({"proxies": looked, "resealed": resealed})
    else:
        typer.echo(words.text("rotated", settings.locale, looked=looked, resealed=resealed))
