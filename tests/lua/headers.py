"""What headers, bodies and lua/README.md say, for the tests that compare them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from service.pool.scripts import FOLDER, load_all

README = (FOLDER / "README.md").read_text(encoding="utf-8")
_WORD = re.compile(r"\b[A-Z][A-Z_]+\b")
_ANSWERED = re.compile(r"(?:\{|= |\breturn |\breturn nil, )'([A-Z][A-Z_]+)'")


def source(name: str) -> str:
    """The text of a script or, as ``lib/…``, of a shared part."""
    return (FOLDER / f"{name}.lua").read_text(encoding="utf-8")


def section(name: str, title: str) -> list[str]:
    """The lines of one section of a header, without their comment sign."""
    found, inside = [], False
    for line in source(name).splitlines():
        if not line.startswith("--"):
            break
        if line.startswith(f"-- {title}"):
            inside = True
        elif not line.startswith("--  "):
            inside = False
        elif inside:
            found.append(line[5:])
    return found


def entries(name: str, title: str) -> dict[str, str]:
    """The named entries of a section with their type or kind; continued lines are left out."""
    return {line.split()[0].rstrip("*"): line.split()[1] for line in section(name, title) if not line.startswith(" ")}


def includes(name: str) -> list[str]:
    return next((line.split()[2:] for line in source(name).splitlines() if line.startswith("-- include ")), [])


def body(name: str) -> str:
    """The code without comments."""
    return "\n".join(line for line in source(name).splitlines() if not line.lstrip().startswith("--"))


def functions(name: str) -> dict[str, str]:
    """The text of each function of a shared part, up to the next one."""
    found = re.findall(
        r"^local function (\w+)(\(.*?)(?:^end$|\bend$(?=\n\n|\nlocal))", body(name), re.MULTILINE | re.DOTALL
    )
    return dict(found)


def promised(name: str) -> set[str]:
    """The words of a header's RETURNS."""
    return set(_WORD.findall("\n".join(section(name, "RETURNS"))))


def answered(name: str) -> set[str]:
    """The words that a body answers, itself or through the shared functions that it calls."""
    shared = {key: text for part in includes(name) for key, text in functions(f"lib/{part}").items()}
    texts, waiting = [body(name)], [body(name)]
    while waiting:
        for called in set(re.findall(r"\b(\w+)\(", waiting.pop())) & shared.keys():
            texts.append(shared.pop(called))
            waiting.append(texts[-1])
    return {word for text in texts for word in _ANSWERED.findall(text)}


def tables() -> Iterator[list[str]]:
    """The rows of the README's tables, their cells without back-quotes."""
    for line in README.splitlines():
        if line.startswith("| `"):
            cells = re.split(r"(?<!\\)\|", line.strip("|"))
            yield [cell.strip().strip("`") for cell in cells]


SCRIPTS = sorted(load_all())
MUTATING = [name for name in SCRIPTS if "op_id" in entries(name, "ARGV")]
