"""``token create --expires``: spans and moments."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from service.cli.tokens import moment


@pytest.mark.parametrize(
    ("text", "span"),
    [("30d", timedelta(days=30)), ("12h", timedelta(hours=12)), ("15m", timedelta(minutes=15))],
)
def test_a_span_is_counted_from_now(text: str, span: timedelta) -> None:
    before = datetime.now(UTC)
    assert before + span <= datetime.fromisoformat(moment(text)) <= datetime.now(UTC) + span


@pytest.mark.parametrize("text", ["2030-01-31T12:00:00Z", "30", "30y", "-1d", "1.5h", "", "d", "123456d", "3 0d", "0d"])
def test_what_is_no_span_is_left_to_the_request(text: str) -> None:
    assert moment(text) == text
