"""docs/evolution.md names tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
NAMED = re.compile(r"`([^`\s]*?)::(test_\w+\*?)`")


def known_in(module: str) -> set[str]:
    path = ROOT / f"{module}.py" if "/" in module else ROOT / "control" / f"{module}.py"
    return set(re.findall(r"def (test_\w+)", path.read_text(encoding="utf-8")))


def test_each_test_that_is_named_exists() -> None:
    text = (ROOT.parent / "docs" / "evolution.md").read_text(encoding="utf-8")
    module, missing, named = "", [], 0
    for place, name in NAMED.findall(text):
        module = module if place == "…" else place
        named += 1
        known = known_in(module)
        if not (any(one.startswith(name[:-1]) for one in known) if name.endswith("*") else name in known):
            missing.append(f"{module}::{name}")
    assert (missing, named > 30) == ([], True)


def test_every_surprise_has_its_line() -> None:
    text = (ROOT.parent / "docs" / "evolution.md").read_text(encoding="utf-8")
    assert [int(number) for number in re.findall(r"^\| (\d+) \|", text, re.MULTILINE)] == list(range(1, 30))
