"""What a measurement of the soak comes to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Result:
    """What was measured, and the promises that it breaks, in words."""

    figures: dict[str, Any]
    broken: list[str]
