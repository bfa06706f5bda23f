"""``webhooks``: have the Evolution servers tell evoproxy what happens, so that it need not wait for the next poll."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any

import typer

from service.cli import environment, output, words
from service.cli.command import DONE, REFUSED, command, exit_code
from service.control import webhooks
from service.control.policy import Policy
from service.control.webhooks import Installed, Outcome
from service.errors import EvolutionError, InvalidInputError, SettingsError
from service.evolution.client import EvolutionClient
from service.messages import Locale
from service.models import bracketed
from service.settings import ServerSettings, Settings
from service.urls import normalise_url

app = typer.Typer(help="Webhooks of the Evolution servers: install.", no_args_is_help=True)

Server = Annotated[str | None, typer.Option(help="This server only.")]
Url = Annotated[str | None, typer.Option(help="Where the servers reach evoproxy; else its own host and port.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would happen; change nothing.")]

_EVERY_ADDRESS = frozenset({"0.0.0.0", "::"})


@app.command()
@command
async def install(
    server: Server = None, url: Url = None, dry_run: DryRun = False, as_json: output.Json = False
) -> None:
    """Set the webhook of each managed instance, and print the lines for the servers' own environment.

    With these lines the server's global webhook tells of connections. That of each instance adds what the global one
    lacks: STATUS_INSTANCE, LOGOUT_INSTANCE and REMOVE_INSTANCE. One that leads elsewhere is left alone. Run it again
    after instances were created. A server that can't be read is told of, and the others are done.

    What is printed holds EVOPROXY_WEBHOOK_SECRET. While evoproxy can't be reached, the Evolution API delays deletions
    and the global events of these instances, by default for up to 20 minutes.
    """
    settings = environment.settings()
    environment.refuse_unknown(server, settings)
    base_url, secret = _base_url(url, settings), _secret(settings)
    servers, code = [], DONE
    for one in settings.servers:
        if server not in (None, one.name):
            continue
        done: list[Installed] = []
        error = None
        try:
            done = await _install(one, settings, base_url, secret, dry_run=dry_run)
        except EvolutionError as caught:  # the other servers are done all the same
            error, code = caught, max(code, exit_code(caught))
            typer.echo("\n".join(f"evoproxy: {line}" for line in words.lines(caught, settings.locale)), err=True)
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
    if code:
        raise typer.Exit(code)


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


def _base_url(url: str | None, settings: Settings) -> str:
    if url is None:
        if settings.host in _EVERY_ADDRESS:
            raise InvalidInputError("no_webhook_url", host=settings.host)
        url = f"http://{bracketed(settings.host)}:{settings.port}"
    try:
        return normalise_url(url)
    except ValueError as error:
        raise InvalidInputError(field="--url", reason=str(error)) from None


def _secret(settings: Settings) -> str:
    environment.require_servers(settings)
    if settings.webhook_secret is None:
        raise SettingsError(problems=["EVOPROXY_WEBHOOK_SECRET: not set, so webhooks are refused"])
    return settings.webhook_secret.get_secret_value()


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
