"""The wheel, installed elsewhere, is the whole product: command, Lua scripts, page."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

LOAD_SCRIPTS = """
from service.pool import scripts
print(scripts.FOLDER)
print(*sorted(scripts.load_all()))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from the checkout without network: the build backend is part of the development set."""
    folder = tmp_path_factory.mktemp("dist")
    _python(["-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)], cwd=ROOT)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory that holds the wheel alone; dependencies come from the running interpreter."""
    target = tmp_path_factory.mktemp("site")
    _python(["-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(target), str(wheel)], ROOT)
    return target


def test_holds_everything_that_is_not_python(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    lua = {f"service/{path.relative_to(ROOT)}" for path in (ROOT / "lua").rglob("*.lua")}
    static = {str(path.relative_to(ROOT)) for path in (ROOT / "service/web/static").rglob("*") if path.is_file()}
    assert lua
    assert static
    assert lua | static <= names
    assert not [name for name in names if name.startswith(("tests/", "lua/"))]


def test_loads_its_own_scripts(installed: Path) -> None:
    folder, names = _python(["-c", LOAD_SCRIPTS], installed.parent, installed).splitlines()
    assert Path(folder) == installed / "service/lua"
    assert names.split() == sorted(path.stem for path in (ROOT / "lua").glob("*.lua"))


def test_command_runs(installed: Path) -> None:
    answer = _python([str(installed / "bin/evoproxy"), "--help"], installed.parent, installed)
    assert "populate" in answer


def _python(arguments: list[str], cwd: Path, site: Path | None = None) -> str:
    """What this interpreter prints. With ``site`` that directory comes first and the working directory does not count,
    so that nothing is found in a checkout."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "EVOPROXY"))}
    if site is not None:
        environment |= {"PYTHONPATH": str(site), "PYTHONSAFEPATH": "1"}
    ended = subprocess.run(
        [sys.executable, *arguments], cwd=cwd, env=environment, capture_output=True, text=True, timeout=150, check=False
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout
