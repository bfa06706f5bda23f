"""What waits for its turn on a server, and for how long."""

from __future__ import annotations

from math import ceil

from service.control.context import Context
from service.web.models import ApiModel


class PaceOut(ApiModel):
    """``eta_seconds`` is when the last restart will be over that waits now or that follows from a setting which waits:
    about, since some need none and others may fail. ``null`` when nothing waits, or where policy restarts nothing."""

    sets_in_flight: int
    sets_waiting: int
    restarts_waiting: int
    restarts_per_second: float
    eta_seconds: int | None

    @classmethod
    def of(cls, context: Context) -> PaceOut:
        sets, restarts = context.sets, context.restarts
        coming = restarts.waiting + (sets.in_flight + sets.waiting if context.policy.restart else 0)
        return cls(
            sets_in_flight=sets.in_flight,
            sets_waiting=sets.waiting,
            restarts_waiting=restarts.waiting,
            restarts_per_second=restarts.rate,
            eta_seconds=ceil(restarts.seconds_for(coming)) if coming else None,
        )
