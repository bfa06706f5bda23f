"""The Lua scripts and their contracts.

A script's header is its contract and is executed: the loader reads KEYS and ARGV from it and writes the lines that
name them, so that body, header and caller can't drift apart. The format is described in lua/README.md.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

_PACKAGED = Path(__file__).parent.parent / "lua"
_CHECKOUT = Path(__file__).parent.parent.parent / "lua"
FOLDER = _PACKAGED if _PACKAGED.is_dir() else _CHECKOUT

_SECTION = re.compile(r"^-- (GUARANTEE|KEYS|ARGV|RETURNS)\b")
_ENTRY = re.compile(r"^--   ([a-z_]+)(\*?)\s+(.*)$")
_FIELD = re.compile(r"\b([a-z_]+):(int|str|flag)\b")

PREAMBLE = """\
local A, bad = {}, nil
local function read(raw, kind, name)
  local value = raw
  if kind == 'int' then
    value = tonumber(raw)
    if not value or value ~= math.floor(value) then bad = name end
  elseif kind == 'flag' then
    if raw ~= '0' and raw ~= '1' then bad = name end
    value = raw == '1'
  elseif raw == nil then
    bad = name
  end
  return value
end
"""


@dataclass(frozen=True, slots=True)
class Argument:
    """One ARGV: ``kind`` is ``int``, ``str`` or ``flag``."""

    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class Script:
    """One transition: its contract and the text that Redis gets.

    ``keys`` are short names in the order of KEYS; ``repeated`` is the group that ends ARGV, any number of times.
    """

    name: str
    keys: tuple[str, ...]
    arguments: tuple[Argument, ...]
    repeated: tuple[Argument, ...]
    repeated_name: str
    text: str

    def argv(self, values: Mapping[str, Any], rows: Sequence[object] = ()) -> list[str | int]:
        """The ARGV for ``values`` by name, then ``rows``, whose attributes have the names of the repeated group.

        Raises ``TypeError`` unless the names are exactly those of the header.
        """
        if values.keys() != {argument.name for argument in self.arguments}:
            raise TypeError(f"{self.name} takes {[argument.name for argument in self.arguments]}, got {sorted(values)}")
        argv = [_encode(values[argument.name]) for argument in self.arguments]
        for row in rows:
            argv.extend(_encode(getattr(row, argument.name)) for argument in self.repeated)
        return argv


def _encode(value: Any) -> str | int:
    if isinstance(value, bool):
        return int(value)
    return "" if value is None else value


@dataclass(frozen=True, slots=True)
class _Header:
    includes: tuple[str, ...]
    keys: tuple[str, ...]
    arguments: tuple[Argument, ...]
    repeated_name: str
    repeated: tuple[Argument, ...]


def _read_header(text: str) -> _Header:
    includes: tuple[str, ...] = ()
    keys: list[str] = []
    arguments: list[Argument] = []
    repeated_name, section = "", ""
    repeated: tuple[Argument, ...] = ()
    for line in text.splitlines():
        if not line.startswith("--"):
            break
        if line.startswith("-- include "):
            includes = tuple(line.split()[2:])
        elif match := _SECTION.match(line):
            section = match[1]
        elif match := _ENTRY.match(line):
            name, star, rest = match.groups()
            if section == "KEYS":
                keys.append(name)
            elif section == "ARGV" and star:
                repeated_name = name
                repeated = tuple(Argument(field, kind) for field, kind in _FIELD.findall(rest))
            elif section == "ARGV":
                arguments.append(Argument(name, rest.split()[0]))
    return _Header(includes, tuple(keys), tuple(arguments), repeated_name, repeated)


def _preamble(keys: Sequence[str], header: _Header) -> str:
    names = ", ".join(f"{name} = KEYS[{index}]" for index, name in enumerate(keys, 1))
    lines = [f"local K = {{{names}}}", PREAMBLE.rstrip()]
    lines += [
        f"A.{argument.name} = read(ARGV[{index}], '{argument.kind}', '{argument.name}')"
        for index, argument in enumerate(header.arguments, 1)
    ]
    if header.repeated:
        first, width = len(header.arguments) + 1, len(header.repeated)
        fields = ", ".join(
            f"{argument.name} = read(ARGV[i + {offset}], '{argument.kind}', '{argument.name}')"
            for offset, argument in enumerate(header.repeated)
        )
        lines.append(f"A.{header.repeated_name} = {{}}")
        lines.append(f"for i = {first}, #ARGV, {width} do")
        lines.append(f"  A.{header.repeated_name}[#A.{header.repeated_name} + 1] = {{{fields}}}")
        lines.append("end")
    lines.append("if bad then return redis.error_reply('BADARG ' .. bad) end")
    return "\n".join(lines)


def load(name: str, folder: Path = FOLDER) -> Script:
    """The script of that name with its includes and its preamble in place."""
    body = (folder / f"{name}.lua").read_text(encoding="utf-8")
    header = _read_header(body)
    libraries = [(folder / "lib" / f"{include}.lua").read_text(encoding="utf-8") for include in header.includes]
    keys = list(header.keys)
    for library in libraries:
        keys += [key for key in _read_header(library).keys if key not in keys]
    text = "\n".join([_preamble(keys, header), *libraries, body])
    return Script(name, tuple(keys), header.arguments, header.repeated, header.repeated_name, text)


@cache
def load_all(folder: Path = FOLDER) -> Mapping[str, Script]:
    """Every script of the folder by name."""
    return {path.stem: load(path.stem, folder) for path in sorted(folder.glob("*.lua"))}
