"""``events`` and ``ledger``: what happened, and who had which proxy, from SQL. The shapes are those of the HTTP API."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import Annotated, Any, TypeVar

import typer

from service.audit import EventFilter, Events, Ledger, LedgerFilter
from service.cli import environment, output
from service.cli.command import command
from service.errors import InvalidInputError
from service.mirror.database import open_database, url_of
from service.mirror.questions import Questions
from service.settings import Settings
from service.web.audit import EventOut, TenancyOut
from service.web.bodies import checked
from service.web.models import ApiModel
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
_PAGE = 500

Instance = Annotated[str | None, typer.Option(help="Id or name of an instance.")]
Proxy = Annotated[str | None, typer.Option(help="Id of a proxy.")]
Server = Annotated[str | None, typer.Option(help="Only those of this server.")]
Since = Annotated[str | None, typer.Option("--from", help="From then on, as 2026-01-31T12:00:00Z.")]
Until = Annotated[str | None, typer.Option("--to", help="Before then.")]
Limit = Annotated[int, typer.Option(min=1, help="At most so many, the latest.")]

Q = TypeVar("Q", EventQuery, LedgerQuery)


@command
async def events(
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
    settings = environment.settings()
    query = _query(
        settings,
        EventQuery,
        {
            "instance": instance,
            "server": server,
            "proxyId": proxy,
            "actor": actor,
            "type": kind,
            "level": level,
            "from": since,
            "to": until,
        },
    )
    wanted = EventFilter(instance, server, proxy, actor, kind, level, *query.bounds())
    async with _questions(settings) as questions:
        found = _shown(partial(questions.events, wanted), EventOut.of, limit)
        await output.listed(found, EVENT_COLUMNS, as_json=as_json)


@command
async def ledger(
    instance: Instance = None,
    proxy: Proxy = None,
    server: Server = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = 100,
    as_json: output.Json = False,
) -> None:
    """Show who had which proxy from when to when, the latest first. Needs --instance or --proxy."""
    settings = environment.settings()
    given = {"instance": instance, "proxyId": proxy, "server": server, "from": since, "to": until}
    query = _query(settings, LedgerQuery, given)
    if instance is None and proxy is None:
        raise InvalidInputError(field="--instance", reason="instance_or_proxy")
    wanted = LedgerFilter(instance, proxy, server, *query.bounds())
    async with _questions(settings) as questions:
        found = _shown(partial(questions.ledger, wanted), TenancyOut.of, limit)
        await output.listed(found, LEDGER_COLUMNS, as_json=as_json)


def _query(settings: Settings, model: type[Q], values: Mapping[str, str | None]) -> Q:
    given = {name: value for name, value in values.items() if value is not None}
    return checked(settings.locale, lambda: model.model_validate(given))


@asynccontextmanager
async def _questions(settings: Settings) -> AsyncIterator[Questions]:
    async with open_database(url_of(settings), create=False) as engine:
        yield Questions(engine)


async def _shown(
    read: Callable[..., Awaitable[Events | Ledger]], out: Callable[[Any], ApiModel], limit: int
) -> AsyncIterator[Mapping[str, Any]]:
    following: str | None = ""
    while following is not None and limit > 0:
        page = await read(before=following, limit=min(limit, _PAGE))
        for item in page.items:
            yield out(item).model_dump(mode="json", by_alias=True)
        limit -= len(page.items)
        following = page.following
