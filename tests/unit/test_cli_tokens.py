"""``--expires``: spans and moments."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from service.cli.command import USAGE
from service.cli.options import moment
from tests.commands import Commands


@pytest.mark.parametrize(
    ("text", "span"),
    [("30d", timedelta(days=30)), ("12h", timedelta(hours=12)), ("15m", timedelta(minutes=15))],
)
def test_a_span_is_counted_from_now(text: str, span: timedelta) -> None:
    before = datetime.now(UTC)
    assert before + span <= datetime.fromisoformat(moment(text) or "") <= datetime.now(UTC) + span


@pytest.mark.parametrize("text", ["2030-01-31T12:00:00Z", "2030-01-31T12:00:00-03:00", "never"])
def test_a_time_stays_as_it_is(text: str) -> None:
    assert moment(text) == text


@pytest.mark.parametrize("text", ["banana", "30", "30y", "-1d", "1.5h", "", "d", "123456d", "3 0d", "0d", "2030-01-31"])
def test_what_is_no_time_is_told_of_by_its_option(text: str) -> None:
    wrong = Commands()("token", "create", "panel", f"--expires={text}")
    assert wrong.exit_code == USAGE
    assert "'--expires': not a time: use 30d, 12h, 15m" in wrong.stderr
