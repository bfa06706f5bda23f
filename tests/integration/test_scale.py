"""A tenth or less of what ``make soak`` does (tests/load/soak.py), with the same bounds."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]

pytestmark = [pytest.mark.redis, pytest.mark.slow, pytest.mark.alone]


def soaked(*sizes: str) -> dict[str, Any]:
    """What a soak of these sizes says last; in a process of its own, whose loop and memory nobody else uses."""
    command = [sys.executable, "-m", "tests.load.soak", *sizes]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout, done.stderr
    document: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    assert done.returncode == (not document["ok"]), done.stderr
    assert document["broken"] == []
    return document


def test_all_instances_open_at_once() -> None:
    """At most 20 % over what the server alone needs, with at most eight sets in flight."""
    found = soaked("--assign", "200")["assign"]
    assert (found["distinct"], found["peak"]) == (200, 8)


def test_workers_never_share() -> None:
    """2,000 assignments with 16 workers give 2,000 distinct proxies; this one is full size."""
    assert soaked("--acquire", "2000")["acquire"]["distinct"] == 2000


def test_memory_does_not_grow() -> None:
    """After 1,000 ticks at most 5 % more than after 100."""
    found = soaked("--ticks", "30")["ticks"]
    assert found["ticks"] == 1000
    assert found["late"] <= 1.05 * found["early"]


def test_the_first_day_and_a_restart_of_the_server() -> None:
    """All open and none with a proxy: sets are bounded, restarts paced, the figures count down, the service hardly
    works while it waits, and a restart of the server costs no proxy and no set."""
    found = soaked("--day", "100")["day"]
    assert (found["sets"], found["held"], found["released_by_restart"]) == (100, 100, 0)
