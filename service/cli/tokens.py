"""``token``: who may use the API."""

from __future__ import annotations

from typing import Annotated

import typer

from service.cli import output, words
from service.cli.asking import asking
from service.cli.backend import Backend, asked
from service.cli.command import named
from service.cli.options import NEVER, moment
from service.pool.tokens import Role
from service.web.requests import TokenRequest

app = typer.Typer(help="Tokens for the API: create, list, revoke.", no_args_is_help=True)

Name = Annotated[
    str, typer.Argument(metavar="NAME", callback=named, help="Letters, digits, . and -; the audit trail shows it.")
]
As = Annotated[Role, typer.Option("--role", help="What its holder may do.")]
Expires = Annotated[
    str | None,
    typer.Option(metavar="TIME", callback=moment, help="Its end: 30d, 12h or 15m from now, or 2026-01-31T12:00:00Z."),
]
RateLimit = Annotated[int | None, typer.Option(metavar="N", help="Requests a minute; any number, unless you say so.")]
COLUMNS = {"name": "name", "role": "role", "created": "createdAt", "expires": "expiresAt", "used": "lastUsedAt"}


@app.command()
@asking
async def create(
    backend: Backend,
    name: Name,
    role: As = Role.VIEWER,
    expires: Expires = None,
    rate_limit: RateLimit = None,
    as_json: output.Json = False,
) -> None:
    """Make a token and show it, this once."""
    given = {"name": name, "role": role, "expiresAt": None if expires == NEVER else expires, "rateLimit": rate_limit}
    made = await backend.create_token(asked(TokenRequest, backend.locale, **given))
    if as_json:
        output.document(made)
    else:
        typer.echo(made["token"])
        typer.echo(words.text("token_once", backend.locale), err=True)


@app.command("list")
@asking
async def list_(backend: Backend, as_json: output.Json = False) -> None:
    """Show all tokens, without their secrets."""
    await output.listed(backend.tokens(), COLUMNS, as_json=as_json)


@app.command()
@asking
async def revoke(backend: Backend, name: Name, as_json: output.Json = False) -> None:
    """End a token at once."""
    await backend.revoke_token(name)
    if as_json:
        output.document({"name": name, "revoked": True})
    else:
        typer.echo(words.text("revoked", backend.locale, name=name))
