"""``events`` and ``ledger``: what happened, and who had which proxy, from SQL. The shapes are those of the HTTP API."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Annotated, TypeVar

import typer

from service.cli import output
from service.cli.asking import asking
from service.cli.backend import LARGEST_PAGE, Backend, Document, asked
from service.errors import InvalidInputError
from service.web.requests import EventQuery, LedgerQuery

EVENT_COLUMNS = {
    "at": "at",
    "type": "type",
    "level": "level",
    "actor": "actor",
    "server": "server",
    "instance": "name",
    "proxy": "proxyId",
    "reason": "reason",
}
LEDGER_COLUMNS = {
    "proxy": "proxyId",
    "host": "host",
    "port": "port",
    "server": "server",
    "instance": "name",
    "from": "from",
    "to": "to",
    "began": "began",
    "ended": "ended",
}

Instance = Annotated[str | None, typer.Option(help="Id or name of an instance.")]
Proxy = Annotated[str | None, typer.Option(help="Id of a proxy.")]
Server = Annotated[str | None, typer.Option(help="Only those of this server.")]
Since = Annotated[str | None, typer.Option("--from", help="From then on, as 2026-01-31T12:00:00Z.")]
Until = Annotated[str | None, typer.Option("--to", help="Before then.")]
Limit = Annotated[int, typer.Option(min=1, help="At most so many, the latest.")]

Q = TypeVar("Q", EventQuery, LedgerQuery)


@asking
async def events(
    backend: Backend,
    instance: Instance = None,
    server: Server = None,
    proxy: Proxy = None,
    actor: Annotated[str | None, typer.Option(help="Who did it: auto, cli:ana, token:front.")] = None,
    kind: Annotated[str | None, typer.Option("--type", help="A type, or the part up to its dot.")] = None,
    level: Annotated[str | None, typer.Option(help="debug, info, warning or error.")] = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = 100,
    as_json: output.Json = False,
) -> None:
    """Show what happened, the latest first."""
    given = {"instance": instance, "server": server, "proxyId": proxy, "actor": actor, "type": kind, "level": level}
    query = _query(backend, EventQuery, limit, {**given, "from": since, "to": until})
    await output.listed(_first(limit, backend.events(query)), EVENT_COLUMNS, as_json=as_json)


@asking
async def ledger(
    backend: Backend,
    instance: Instance = None,
    proxy: Proxy = None,
    server: Server = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = 100,
    as_json: output.Json = False,
) -> None:
    """Show who had which proxy from when to when, the latest first. Needs --instance or --proxy."""
    given = {"instance": instance, "proxyId": proxy, "server": server, "from": since, "to": until}
    query = _query(backend, LedgerQuery, limit, given)
    if instance is None and proxy is None:
        raise InvalidInputError("nobody_named")
    await output.listed(_first(limit, backend.ledger(query)), LEDGER_COLUMNS, as_json=as_json)


def _query(backend: Backend, model: type[Q], limit: int, given: Mapping[str, str | None]) -> Q:
    query = asked(model, backend.locale, limit=min(limit, LARGEST_PAGE), **given)
    query.bounds()
    return query


async def _first(count: int, items: AsyncGenerator[Document, None]) -> AsyncGenerator[Document, None]:
    async with aclosing(items):
        async for item in items:
            yield item
            if (count := count - 1) == 0:
                return
