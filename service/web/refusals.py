"""Which codes a route can answer with: its own, and those that follow from what it is."""

from __future__ import annotations

from collections.abc import Iterator

from service.pool.tokens import Role
from service.web.routing import Route

EVOLUTION = (
    "evolution",
    "evolution_rejected",
    "evolution_unauthorized",
    "evolution_unavailable",
    "evolution_not_found",
    "evolution_unknown",
)
"""What a call of the Evolution API can end in."""

LOCATING = ("not_configured", "unknown_instance", "ambiguous_instance", *EVOLUTION)
"""Why an instance is not found by its name."""

BY_HAND = (*LOCATING, "unknown_proxy", "no_lease", "stale", "wrong_phase", "observe_mode")
"""Why a human does not get what they ask for an instance."""

CHOICE = (
    "no_proxy_available",
    "unknown_proxy",
    "unusable",
    "disabled",
    "quarantined",
    "resting",
    "held_elsewhere",
    "rotations_spent",
    "unmanaged",
    "other_integration",
    "not_configured",
    "not_reconciled",
    "restoring",
    "paused",
    "braked",
)
"""Why no proxy is chosen."""

_ALWAYS = (
    "invalid",
    "too_large",
    "unsupported_media_type",
    "unsupported_encoding",
    "too_many_logins",
    "too_many_requests",
    "internal",
    "store_unavailable",
    "unauthorized",
)


def refusals(route: Route) -> set[str]:
    """Every code that the route can answer with."""
    return {*route.refuses, *_ALWAYS, *_shared(route)}


def _shared(route: Route) -> Iterator[str]:
    if route.method != "GET":
        yield "csrf"
    if route.role is not Role.VIEWER:
        yield "forbidden"
    if route.method not in ("GET", "DELETE"):
        yield "malformed"
    if route.method == "POST" and not route.login:
        yield "idempotency_key_reused"
    if route.immutable:
        yield "immutable"
