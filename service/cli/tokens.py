"""``token``: who may use the API."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Annotated, Any

import typer

from service.cli import environment, output, words
from service.cli.command import command
from service.pool.tokens import Role, Token
from service.web.models import TokenOut

app = typer.Typer(help="Tokens for the API: create, list, revoke.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="NAME", help="Letters, digits, . and -; the audit trail shows it.")]
As = Annotated[Role, typer.Option("--role", help="What its holder may do.")]


@app.command()
@command
async def create(name: Name, role: As = Role.VIEWER, as_json: output.Json = False) -> None:
    """Make a token and show it, this once."""
    settings = environment.settings()
    async with environment.running_pool(settings) as pool:
        token = await pool.create_token(name, role, actor=environment.actor())
    if as_json:
        output.document({"name": name, "role": role, "token": token})
    else:
        typer.echo(token)
        typer.echo(words.text("token_once", settings.locale), err=True)


@app.command("list")
@command
async def list_(as_json: output.Json = False) -> None:
    """Show the names and roles of all tokens."""
    async with environment.running_pool(environment.settings()) as pool:
        tokens = await pool.tokens()
    await output.listed(_views(tokens), {"name": "name", "role": "role", "created": "createdAt"}, as_json=as_json)


@app.command()
@command
async def revoke(name: Name, as_json: output.Json = False) -> None:
    """End a token at once."""
    settings = environment.settings()
    async with environment.running_pool(settings) as pool:
        await pool.revoke_token(name, actor=environment.actor())
    if as_json:
        output.document({"name": name, "revoked": True})
    else:
        typer.echo(words.text("revoked", settings.locale, name=name))


async def _views(tokens: list[Token]) -> AsyncIterator[Mapping[str, Any]]:
    for token in tokens:
        yield TokenOut.of(token).model_dump(mode="json", by_alias=True, exclude={"token"})
