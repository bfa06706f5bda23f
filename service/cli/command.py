"""How a command runs and ends: the exit codes, and one clear line for each expected error."""

from __future__ import annotations

import asyncio
import errno
import re
from collections.abc import Callable, Coroutine, Mapping
from functools import wraps
from typing import Any, ParamSpec

import typer

from service import messages
from service.cli import environment, output, words
from service.errors import (
    EvolutionUnauthorizedError,
    EvolutionUnavailableError,
    EvolutionUnknownError,
    EvoproxyError,
    InvalidInputError,
    SettingsError,
    StoreUnavailableError,
)
from service.messages import Locale
from service.pool.vault import VaultError

DONE, REFUSED, USAGE, UNREACHABLE = range(4)
"""Exit codes: done; refused or a broken promise; wrong usage, input or settings; a store or server out of reach."""

_LONGEST_NAME = 255
_SURROGATE = re.compile("[\ud800-\udfff]")
"""What bytes that are no UTF-8 become."""
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
"""What an output that is redirected into a file can come to."""

P = ParamSpec("P")


def command(work: Callable[P, Coroutine[Any, Any, None] | None]) -> Callable[P, None]:
    """``work`` as a command: run to its end, expected errors told on stderr and turned into the exit code."""

    @wraps(work)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            if (coroutine := work(*args, **kwargs)) is not None:
                asyncio.run(coroutine)
        except EvoproxyError as error:
            tell(error, environment.locale())
            raise typer.Exit(exit_code(error)) from None
        except OSError as error:
            if error.errno not in _NO_ROOM:  # a reader that went away among them: click ends quietly
                raise
            tell(InvalidInputError("unwritable_file", file="stdout", reason=error.strerror), environment.locale())
            raise typer.Exit(USAGE) from None

    return run


def exit_code(error: EvoproxyError) -> int:
    match error:
        case SettingsError() | InvalidInputError() | VaultError() | EvolutionUnauthorizedError():
            return USAGE
        case StoreUnavailableError() | EvolutionUnavailableError() | EvolutionUnknownError():
            return UNREACHABLE
        case _ if error.code in ("ambiguous_instance", "unknown_server", "wrong_encryption_key"):
            return USAGE
        case _:
            return REFUSED


def named(value: str) -> str:
    """The callback of an argument that names a thing: a name is one segment of the API's paths."""
    if value in ("", ".", "..") or len(value) > _LONGEST_NAME or _SURROGATE.search(value):
        raise typer.BadParameter(words.text("no_name", environment.locale(), longest=_LONGEST_NAME))
    return value


def tell(error: EvoproxyError, locale: Locale) -> None:
    """On stderr, in the words of :func:`lines`, without control characters: reasons come from outside."""
    for line in lines(error, locale):
        typer.echo(f"evoproxy: {output.plain(line)}", err=True)


def lines(error: EvoproxyError, locale: Locale) -> list[str]:
    """What is told of an error: one line, for settings one a mistake. Names what the sentence leaves out.

    The sentence is its ``detail``, which a remote evoproxy gave it, or that of its code.
    """
    if isinstance(error, SettingsError):
        return list(error.params["problems"])
    params = dict(error.params)
    if detail := params.pop("detail", None):
        return [_naming(detail, {name: value for name, value in params.items() if str(value) not in detail})]
    if error.code in words.TEXTS:
        return [words.text(error.code, locale, **params)]
    blank = messages.text(error.code, locale)

    def says(name: str, value: object) -> bool:
        return messages.text(error.code, locale, **{name: value}) != blank

    if details := params.pop("details", ()):
        # What followed the script's word; where a sentence has a place for a server, it is the server.
        params.update({"server": details[0]} if says("server", details[0]) else {"details": " ".join(details)})
    left = {name: value for name, value in params.items() if not says(name, value)}
    return [_naming(messages.text(error.code, locale, **params), left)]


def _naming(sentence: str, left: Mapping[str, object]) -> str:
    told = ", ".join(f"{name}: {value}" for name, value in left.items() if value)
    return f"{sentence} ({told})" if told else sentence
