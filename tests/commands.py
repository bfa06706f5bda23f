"""Runs the command line inside a test, with nothing of the machine's own environment."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from service import cli


@dataclass(frozen=True, slots=True)
class Result:
    exit_code: int
    stdout: str
    stderr: str

    @property
    def documents(self) -> list[dict[str, Any]]:
        """The JSON lines of a command that succeeded."""
        assert self.exit_code == 0, self
        return [json.loads(line) for line in self.stdout.splitlines()]


class Commands:
    """The command line in an empty working directory; messages are English unless ``env`` says otherwise."""

    def __init__(self, env: Mapping[str, str] | None = None) -> None:
        self.env = {"EVOPROXY_LOCALE": "en", **(env or {})}

    def __call__(self, *args: str | Path, stdin: bytes | None = None, **env: str) -> Result:
        return self._run(args, stdin, env)

    async def beside(self, *args: str | Path, **env: str) -> Result:
        """In a thread, so that what the test's own loop serves can answer."""
        return await asyncio.to_thread(self._run, args, None, env)

    def _run(self, args: Sequence[str | Path], stdin: bytes | None, env: Mapping[str, str]) -> Result:
        runner = CliRunner(env={**self.env, **env})
        result = runner.invoke(cli.app, [str(arg) for arg in args], input=stdin)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Result(result.exit_code, result.stdout, result.stderr)


def clean(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """No ``.env`` and no setting of this machine."""
    monkeypatch.chdir(folder)
    for name in ("REDIS_URL", "DATABASE_URL", "EVOLUTION_API_BASE_URL", "GLOBAL_API_KEY"):
        monkeypatch.delenv(name, raising=False)
