"""``webhooks``: have the Evolution servers tell evoproxy what happens, so that it need not wait for the next poll."""

from __future__ import annotations

from typing import Annotated

import typer

from service.cli import environment, output
from service.cli.command import command
from service.errors import InvalidInputError, SettingsError
from service.models import bracketed
from service.settings import Settings
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
    from service.cli import installing

    if code := await installing.install(settings, server, base_url, secret, dry_run=dry_run, as_json=as_json):
        raise typer.Exit(code)


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
