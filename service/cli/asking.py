"""``--url`` and ``--token``: a command asks a remote evoproxy instead of the stores of its own settings."""

from __future__ import annotations

import inspect
import ipaddress
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, Concatenate
from urllib.parse import urlsplit

import typer

from service.cli import environment, words
from service.cli.backend import Backend
from service.cli.command import command
from service.errors import InvalidInputError
from service.urls import normalise_url

Url = Annotated[str | None, typer.Option(metavar="URL", help="Ask the evoproxy there, instead of the stores here.")]
Token = Annotated[
    str | None, typer.Option(metavar="@FILE", help="Its token, better @FILE that holds it; else asked on a terminal.")
]
_OPTIONS = [
    inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)
    for name, annotation in (("url", Url), ("token", Token))
]


def asking(work: Callable[Concatenate[Backend, ...], Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """``work`` as a command with ``--url`` and ``--token``; its first argument is the backend that they name."""

    @wraps(work)
    def run(*args: Any, url: str | None, token: str | None, **kwargs: Any) -> Coroutine[Any, Any, None]:
        # The token is read here: a prompt inside the event loop could not be interrupted.
        return _work(None if url is None else _normalised(url), _token(url, token), *args, **kwargs)

    async def _work(url: str | None, token: str, *args: Any, **kwargs: Any) -> None:
        async with _backend(url, token) as backend:
            await work(backend, *args, **kwargs)

    _, *own = inspect.signature(work, eval_str=True).parameters.values()
    run.__signature__ = inspect.Signature([*own, *_OPTIONS])  # type: ignore[attr-defined]  # typer reads it
    return command(run)


@asynccontextmanager
async def _backend(url: str | None, token: str) -> AsyncIterator[Backend]:
    """Each kind is loaded for those alone who ask it, and after the cheap mistakes were told."""
    if url is None:
        settings = environment.settings()
        from service.cli.local import Local

        yield Local(settings)
        return
    from service.cli.remote import Remote

    locale = environment.locale()
    if urlsplit(url).scheme == "http" and not _loopback(urlsplit(url).hostname or ""):
        typer.echo(f"evoproxy: {words.text('clear_token', locale, url=url)}", err=True)
    async with Remote.open(url, token, locale) as remote:
        yield remote


def _normalised(url: str) -> str:
    try:
        return normalise_url(url)
    except ValueError as error:
        raise InvalidInputError(field="--url", reason=str(error)) from None


def _token(url: str | None, token: str | None) -> str:
    """The token itself: what was given, what ``@FILE`` holds, or what is typed."""
    if url is None:
        if token is not None:
            raise InvalidInputError("token_without_url")
        return ""
    if token is None:
        if sys.stdin is None or not sys.stdin.isatty():
            raise InvalidInputError("no_token")
        prompt = words.text("ask_token", environment.locale(), url=url)
        token = typer.prompt(prompt, hide_input=True, err=True)
    elif token.startswith("@"):
        token = _read(token[1:])
    token = token.strip()
    if not token or not (token.isascii() and token.isprintable()):
        raise InvalidInputError("no_token_text")
    return token


def _read(file: str) -> str:
    try:
        return Path(file).read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise InvalidInputError("unreadable_file", file=file, reason=error.strerror) from None


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
