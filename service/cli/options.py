"""Arguments and options that several commands share; a wrong one is told of under the name that was typed."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from service.cli import environment, words
from service.cli.command import named

NEVER = "never"

_ID = re.compile(r"[0-9a-f]{20}")
_SPAN = re.compile(r"([1-9]\d{0,4})([mhd])", re.ASCII)
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def proxy_id(value: str | None) -> str | None:
    """An id whole: what screens show of a proxy (an address, the id's beginning) may be another's tomorrow."""
    if value is not None and not _ID.fullmatch(value):
        raise typer.BadParameter(words.text("no_proxy_id", environment.locale()))
    return value


def moment(value: str | None) -> str | None:
    """``30d``, ``12h`` or ``15m`` from now on as a time; a time with its zone, and ``never``, stay as they are."""
    if value is None or value == NEVER:
        return value
    if span := _SPAN.fullmatch(value):
        return (datetime.now(UTC) + timedelta(**{_UNITS[span[2]]: int(span[1])})).isoformat()
    try:
        zoned = datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        zoned = False
    if not zoned:
        raise typer.BadParameter(words.text("no_moment", environment.locale()))
    return value


Instance = Annotated[str, typer.Argument(metavar="INSTANCE", callback=named, help="The instance's name.")]
OfProxy = Annotated[
    str, typer.Argument(metavar="PROXY", callback=proxy_id, help="The proxy's id, as evoproxy proxies shows it.")
]
