"""What the operator wants, as the controller asks it: which instances are managed, when, from which group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from service.evolution.models import Observation
from service.settings import GroupRule, Settings

FINAL_CODES = frozenset({401, 402, 403, 406})
"""Codes of a final logout (EVOLUTION.md, 4); every other close may reconnect by itself."""
BAN_CODES = frozenset({402, 403, 406})
ROTATED_REST_MS = 600_000
"""A proxy rotated away cools at least ten minutes (DESIGN.md, 3)."""

PROBATION_MS = 900_000
"""The first probation of a proxy that was rotated away on evidence; each later one is twice as long."""

_STATES = {"open": {"open"}, "connecting": {"open", "connecting"}, "created": {"open", "connecting", "close"}}


def _ms(seconds: float) -> int:
    return round(seconds * 1000)


@dataclass(frozen=True, slots=True)
class Policy:
    """The settings that decisions depend on. Times in ms."""

    include: Sequence[str] = ()
    exclude: Sequence[str] = ()
    integrations: Sequence[str] = ("WHATSAPP-BAILEYS",)
    group_rules: Sequence[GroupRule] = ()
    assign_in: frozenset[str] = frozenset({"open"})
    restart: bool = True
    grace_ms: int = 60_000
    cooldown_ms: int = 0
    ban_rest_ms: int = 86_400_000
    orphan_rest_ms: int = 900_000
    rotate_signs: int = 3
    window_ms: int = 300_000
    """So many signs within this time make a proxy dead."""
    rotations_per_day: int = 3
    resume_after_ms: int = 40_000
    """A reservation this old rarely has a living act behind it, in any process: a set takes 30 s at most, its reading
    back 15 s more. Where one has, the resumption is harmless: it counts the earlier set as unknown, and sets the same
    proxy for the same instance."""

    @classmethod
    def of(cls, settings: Settings) -> Policy:
        return cls(
            include=settings.include,
            exclude=settings.exclude,
            integrations=settings.integrations,
            group_rules=settings.group_rules,
            assign_in=frozenset(_STATES[settings.assign_on]),
            restart=settings.apply == "restart",
            grace_ms=_ms(settings.release_grace),
            cooldown_ms=_ms(settings.cooldown),
            ban_rest_ms=_ms(settings.ban_rest),
            orphan_rest_ms=_ms(settings.orphan_rest),
            rotate_signs=settings.rotate_after.signs,
            window_ms=_ms(settings.rotate_after.seconds),
            rotations_per_day=settings.rotations_per_day,
        )

    def manages(self, observation: Observation) -> bool:
        """Whether policy looks after the instance; one without a name can't be addressed by any route."""
        name = observation.name
        if not name or observation.integration not in self.integrations:
            return False
        if any(fnmatchcase(name, pattern) for pattern in self.exclude):
            return False
        return not self.include or any(fnmatchcase(name, pattern) for pattern in self.include)

    def wants_proxy(self, observation: Observation) -> bool:
        """Whether an instance in this state is to have a proxy. One that was logged out for good waits until it is
        paired again."""
        logged_out = observation.state == "close" and observation.disconnection_code in FINAL_CODES
        return observation.state in self.assign_in and not logged_out

    def group_of(self, server: str, name: str, owner: str | None) -> tuple[str, bool]:
        """The group that the first matching rule names and whether it is strict; ``("", False)`` for any."""
        for rule in self.group_rules:
            if rule.server is not None and not fnmatchcase(server, rule.server):
                continue
            if rule.name is not None and not fnmatchcase(name, rule.name):
                continue
            if rule.phone_prefix is not None and not (owner or "").startswith(rule.phone_prefix):
                continue
            return rule.group, rule.strict
        return "", False
