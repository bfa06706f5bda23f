"""The bench of bad hours (tests/load/bad_hours.py) with fewer instances, once with webhooks and once without."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.load.bad_hours import play
from tests.load.hours.verdict import over_pace

pytestmark = [pytest.mark.redis, pytest.mark.slow]


@pytest.mark.timeout(600)
def test_after_an_hour_of_everything_all_is_well(tmp_path: Path) -> None:
    found = play(tmp_path, seed=1, instances=15)
    assert found["broken"] == []
    assert found["most_sets"] <= 8
    assert found["instances"] > 20
    assert found["calls"]["instance/restart"] > 50, "nothing happened that needs a restart"


@pytest.mark.parametrize(
    ("restarts", "over"),
    [
        ([0.0] * 2, 0.0),
        ([100.0] * 5, 0.5),
        ([0.0, 0.0] + [4.0 * number for number in range(1, 60)], 0.0),
        ([2.0 * number for number in range(20)], 6.0),
    ],
)
def test_what_is_over_the_pace_is_seen(restarts: list[float], over: float) -> None:
    """Two at once and one in four seconds, and two and a half more for what may pass between a turn and its call."""
    assert over_pace(restarts) == pytest.approx(over)
