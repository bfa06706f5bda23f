"""What the package imports is what it says it needs."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def imported() -> Iterator[tuple[str, Path]]:
    """The first names of all imports at the top of a module of the package."""
    for file in (ROOT / "service").rglob("*.py"):
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.Import):
                yield from ((name.name.partition(".")[0], file) for name in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                yield node.module.partition(".")[0], file


def test_every_import_belongs_to_a_dependency() -> None:
    needed = {re.split(r"[^A-Za-z0-9-]", line)[0].lower() for line in PROJECT["dependencies"]}
    needed.add("pydantic-core")  # comes with pydantic, of which it is a half
    known = packages_distributions()
    others = {(name, file) for name, file in imported() if name not in sys.stdlib_module_names | {"service"}}
    assert others
    for name, file in others:
        assert needed & {distribution.lower().replace("_", "-") for distribution in known[name]}, (
            f"{file} imports {name}"
        )


def test_every_dependency_ends_before_the_next_major_version() -> None:
    for line in PROJECT["dependencies"]:
        assert re.search(r",<\d+", line), line


def test_the_simulator_is_loaded_by_the_demo_alone() -> None:
    code = "import sys, service.cli; print([one for one in sys.modules if 'simulator' in one or 'demo' in one])"
    told = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert told.stdout == "[]\n"
