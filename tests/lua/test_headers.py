"""Header, body, caller and test file of each script say the same."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from service.pool import scripts
from tests.lua.headers import MUTATING, SCRIPTS, answered, body, entries, includes, promised, section, source

POOL = Path(scripts.__file__).parent
LIBRARIES = sorted(path.stem for path in (scripts.FOLDER / "lib").glob("*.lua"))


def _keys(name: str) -> set[str]:
    """Every key that the header of a script or of one of its includes names."""
    return {key for one in (name, *(f"lib/{part}" for part in includes(name))) for key in entries(one, "KEYS")}


@pytest.mark.parametrize("name", SCRIPTS)
def test_every_key_used_is_named_and_every_key_named_is_used(name: str) -> None:
    text = "\n".join([body(name), *(body(f"lib/{part}") for part in includes(name))])
    used = set(re.findall(r"\bK\.([a-z_]+)", text))
    assert used <= _keys(name)
    indexed = set(re.findall(r"'([a-z]+)'", text)) if re.search(r"\bK\[", text) else set()
    assert set(entries(name, "KEYS")) <= used | indexed


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_shared_part_names_every_key_that_it_uses(library: str) -> None:
    used = set(re.findall(r"\bK\.([a-z_]+)", body(f"lib/{library}")))
    assert used <= entries(f"lib/{library}", "KEYS").keys() | {"meta"}


@pytest.mark.parametrize("name", SCRIPTS)
def test_every_argument_used_is_named_and_every_argument_named_is_used(name: str) -> None:
    text = "\n".join([body(name), *(body(f"lib/{part}") for part in includes(name))])
    used = set(re.findall(r"\bA\.([a-z_]+)", body(name)))
    named = entries(name, "ARGV").keys()
    assert used <= named
    always = {"now_ms"}  # each transition has it, as the first (STYLE.md), though three need no time
    assert named - always <= set(re.findall(r"\bA\.([a-z_]+)", text))


@pytest.mark.parametrize("name", SCRIPTS)
def test_every_field_of_a_repeated_argument_is_used(name: str) -> None:
    script = scripts.load_all()[name]
    text = body(name) + "".join(body(f"lib/{part}") for part in includes(name))
    for argument in script.repeated:
        assert re.search(rf"\.{argument.name}\b|'{argument.name}'", text), argument.name


@pytest.mark.parametrize("name", SCRIPTS)
def test_every_word_promised_is_answered_and_the_other_way_round(name: str) -> None:
    assert promised(name) == answered(name)


@pytest.mark.parametrize("name", MUTATING)
def test_a_transition_can_be_repeated(name: str) -> None:
    assert list(entries(name, "ARGV"))[:2] == ["now_ms", "op_id"]
    assert "replay" in includes(name)
    assert "call(" not in body(name).partition("replayed()")[0].rpartition("\nend\n")[2]
    assert "return done(" in body(name)


@pytest.mark.parametrize("name", sorted(set(SCRIPTS) - set(MUTATING)))
def test_what_is_no_transition_only_reads(name: str) -> None:
    commands = set(re.findall(r"call\('(\w+)'", body(name)))
    reads = {"EXISTS", "HGET", "HGETALL", "HLEN", "SISMEMBER", "SMEMBERS", "XLEN"}
    assert commands <= reads | {"ZCARD", "ZCOUNT", "ZLEXCOUNT", "ZRANGEBYLEX", "ZSCORE"}
    assert "Reads only" in source(name)


@pytest.mark.parametrize("name", SCRIPTS)
def test_the_header_is_complete(name: str) -> None:
    first, *rest = source(name).splitlines()
    assert first.startswith(f"-- {name}: ")
    assert "-- GUARANTEE  " in "\n".join(rest)
    assert section(name, "RETURNS")


@pytest.mark.parametrize("name", SCRIPTS)
def test_each_script_has_its_test_file(name: str) -> None:
    assert (Path(__file__).parent / f"test_{name}.py").is_file()


def test_each_script_has_exactly_one_caller() -> None:
    called: list[str] = []
    for path in POOL.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in ("run", "_verify")
                and node.args
                and isinstance(node.args[0], ast.Constant)
            ):
                called.append(str(node.args[0].value))
    expected = dict.fromkeys(SCRIPTS, 1) | {"verify": 2}  # proxies by their structures, and by the tails
    assert {name: called.count(name) for name in set(called)} == expected


def test_a_caller_has_to_pass_exactly_what_the_header_names() -> None:
    pause = scripts.load_all()["pause"]
    values = {"now_ms": 1, "op_id": "x", "actor": "auto", "paused": True}
    assert pause.argv(values) == [1, "x", "auto", 1]
    with pytest.raises(TypeError, match="pause takes"):
        pause.argv({**values, "more": 1})
    with pytest.raises(TypeError, match="pause takes"):
        pause.argv({"now_ms": 1})
