"""How a command runs and ends: the exit codes, and one clear line for each expected error."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, ParamSpec

import typer

from service.cli import environment, words
from service.errors import (
    EvolutionUnauthorizedError,
    EvolutionUnavailableError,
    EvolutionUnknownError,
    EvoproxyError,
    InvalidInputError,
    SettingsError,
    StoreUnavailableError,
)
from service.pool.vault import VaultError

DONE, REFUSED, USAGE, UNREACHABLE = range(4)
"""Exit codes: done; refused or a broken promise; wrong usage, input or settings; a store or server out of reach."""

P = ParamSpec("P")


def command(work: Callable[P, Coroutine[Any, Any, None] | None]) -> Callable[P, None]:
    """``work`` as a command: run to its end, expected errors told on stderr and turned into the exit code."""

    @wraps(work)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            if (coroutine := work(*args, **kwargs)) is not None:
                asyncio.run(coroutine)
        except EvoproxyError as error:
            for line in words.lines(error, environment.locale()):
                typer.echo(f"evoproxy: {line}", err=True)
            raise typer.Exit(exit_code(error)) from None

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
