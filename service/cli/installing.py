"""The webhooks of the Evolution servers, installed and told of."""

from __future__ import annotations

from collections import Counter
from typing import Any

import typer

from service.cli import output, words
from service.cli.command import DONE, REFUSED, exit_code, tell
from service.control import webhooks
from service.control.policy import Policy
from service.control.webhooks import Installed, Outcome
from service.errors import EvolutionError
from service.evolution.client import EvolutionClient
from service.messages import Locale
from service.settings import ServerSettings, Settings


async def install(
    settings: Settings, only: str | None, base_url: str, secret: str, *, dry_run: bool, as_json: bool
) -> int:
    """On every server, or ``only`` one; the exit code of the worst."""
    servers, code = [], DONE
    for one in settings.servers:
        if only not in (None, one.name):
            continue
        done: list[Installed] = []
        error = None
        try:
            done = await _install(one, settings, base_url, secret, dry_run=dry_run)
        except EvolutionError as caught:  # the other servers are done all the same
            error, code = caught, max(code, exit_code(caught))
            tell(caught, settings.locale)
        if any(each.outcome is Outcome.FAILED for each in done):
            code = max(code, REFUSED)
        lines = webhooks.environment(base_url, one.name, secret, qr=settings.assign_on == "connecting")
        if as_json:
            told = {"environment": lines, "instances": [_view(each) for each in done], "error": error and error.code}
            servers.append({"name": one.name, **told})
        elif error is None:
            _show(one.name, done, lines, settings.locale)
    if as_json:
        output.document({"dryRun": dry_run, "servers": servers})
    elif dry_run:
        typer.echo(words.text("dry_run", settings.locale))
    return code


async def _install(
    server: ServerSettings, settings: Settings, base_url: str, secret: str, *, dry_run: bool
) -> list[Installed]:
    done = []
    with output.progress(server.name) as tell:
        async with EvolutionClient.open(server.name, server.base_url, server.api_key) as client:
            installing = webhooks.install(client, Policy.of(settings), base_url, secret, dry_run=dry_run)
            async for installed in installing:
                done.append(installed)
                tell(len(done))
    return sorted(done, key=lambda installed: installed.instance)


def _view(installed: Installed) -> dict[str, Any]:
    return {"name": installed.instance, "outcome": installed.outcome, "reason": installed.reason or None}


def _show(server: str, done: list[Installed], lines: dict[str, str], locale: Locale) -> None:
    counts = Counter(installed.outcome for installed in done)
    output.figures({"server": server, **{outcome.value: counts[outcome] for outcome in Outcome}})
    for installed in done:
        if installed.outcome in (Outcome.LEFT_ALONE, Outcome.FAILED):
            code = f"webhook_{installed.outcome}"
            typer.echo(words.text(code, locale, instance=repr(installed.instance), reason=installed.reason), err=True)
    typer.echo(words.text("webhook_environment", locale, server=server), err=True)
    for name, value in lines.items():
        typer.echo(f"{name}={value}")
