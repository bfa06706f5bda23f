"""The page's words: all of them, in both languages, and none for nothing."""

from __future__ import annotations

import re
from pathlib import Path

STATIC = Path(__file__).parents[2] / "service/web/static"
_ENTRY = re.compile(r'^  ("(?:[^"\\]|\\.)+"): "((?:[^"\\]|\\.)*)",$', re.MULTILINE)


def words(language: str) -> dict[str, str]:
    """Of "en" or "pt", by name."""
    return {name.strip('"'): text for name, text in _ENTRY.findall((STATIC / f"words/{language}.js").read_text())}


def _sources() -> str:
    return "\n".join(
        path.read_text() for path in STATIC.rglob("*.js") if path.parent.name != "words" and path.name != "docs.js"
    )


def test_both_languages_say_the_same() -> None:
    portuguese, english = words("pt"), words("en")
    assert len(portuguese) > 400
    assert list(portuguese) == list(english)
    for name, text in portuguese.items():
        assert set(re.findall(r"\{\w+\}", text)) == set(re.findall(r"\{\w+\}", english[name])), name


def test_no_word_is_missing() -> None:
    named = set(re.findall(r'\bsay\("([^"]+)"', _sources()))
    assert len(named) > 150
    assert named - words("en").keys() == set()


def test_the_audit_offers_every_family_of_events() -> None:
    scripts = "\n".join(path.read_text() for path in (STATIC.parents[2] / "lua").rglob("*.lua"))
    told = re.findall(r"'([a-z]+)\.[a-z_]+', '(?:debug|info|warning|error)'", scripts)
    assert len(set(told)) > 8
    offered = set(re.findall(r'^  "([a-z]+)\.",$', (STATIC / "pages/audit.js").read_text(), re.MULTILINE))
    assert set(told) <= offered
    assert {f"family.{one}" for one in offered} <= words("en").keys()


def test_no_data_becomes_markup() -> None:
    for way in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "DOMParser", "eval("):
        assert way not in _sources()
