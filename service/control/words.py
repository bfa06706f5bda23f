"""Why a proxy was chosen, for people."""

from __future__ import annotations

from service import messages
from service.messages import Locale
from service.pool.choice import Choice, Why

_LEFT_OUT = ("resting", "kept", "elsewhere", "quarantined", "used", "disabled", "shunned")


def why_chosen(choice: Choice, locale: Locale) -> str:
    """One sentence: what decided, between how many, and who was left out."""
    counts = choice.counts
    if counts is None or choice.why in (Why.PIN, Why.ROW, Why.UNKNOWN):
        return messages.text(f"chosen_{choice.why or 'unknown'}", locale)
    by_rest = choice.why in (Why.LINE, Why.GROUP)
    code = "kept" if by_rest and not counts.candidates and counts.kept else choice.why
    candidates = messages.number(counts.candidates, locale)
    told = messages.text(f"chosen_{code}", locale, candidates=candidates, group=choice.group)
    left_out = left_out_of(choice, locale, without="kept" if code == "kept" else "")
    return f"{told}; {left_out}" if left_out else told


def left_out_of(choice: Choice, locale: Locale, *, without: str = "") -> str:
    """``12 resting, 5 kept for numbers that return``: where the proxies are that were no candidates."""
    numbers = [(name, getattr(choice.counts, name, 0)) for name in _LEFT_OUT if name != without]
    return ", ".join(
        messages.text(f"left_out_{name}", locale, count=messages.number(number, locale))
        for name, number in numbers
        if number
    )
