"""Each handling is seen to matter: with it removed, the test that is named turns red.

The package is copied, one place of the copy is changed, and the tests run against the copy in a process of their own.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

_ROOT = Path(__file__).parents[1]
_HANGING = 60
"""Seconds after which a test of the changed copy is red because it hangs."""


@dataclass(frozen=True, slots=True)
class Mutation:
    """In ``path`` the text ``handling``, there once, gives way to ``removed``; then ``test`` turns red. Both are named
    from the folder of the project."""

    path: str
    handling: str
    removed: str
    test: str


class Copy:
    """The project once more, in ``folder``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        for name in ("service", "lua", "tests"):
            shutil.copytree(_ROOT / name, folder / name)  # with what was compiled, which the time of a change outdates
        shutil.copy(_ROOT / "pyproject.toml", folder)

    def assert_turns_red(self, mutation: Mutation) -> None:
        place = self._folder / mutation.path
        text = place.read_text(encoding="utf-8")
        assert text.count(mutation.handling) == 1, f"{mutation.path} does not hold this text exactly once"
        place.write_text(text.replace(mutation.handling, mutation.removed), encoding="utf-8")
        try:
            result = self._run("-p", "no:randomly", f"--timeout={_HANGING}", mutation.test)
        finally:
            place.write_text(text, encoding="utf-8")
        assert result.returncode == 1, f"the test stays green or does not run:\n{result.stdout[-2000:]}"

    def assert_green(self, *tests: str) -> None:
        result = self._run(*tests)
        assert result.returncode == 0, result.stdout[-2000:]

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *arguments]
        environment = {**os.environ, "PYTHONPATH": str(self._folder), "PYTHONDONTWRITEBYTECODE": "1"}
        return subprocess.run(command, cwd=self._folder, env=environment, capture_output=True, text=True, check=False)
