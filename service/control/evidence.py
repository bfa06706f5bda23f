"""What live states tell of a proxy, and when so many tell the same that the server is the suspect. Pure decisions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil

from service.control.actions import Action, Cure, Rotate
from service.control.policy import Policy
from service.pool.models import Applied, Lease, Phase

DEAD_PROXY = "dead_proxy"
"""Why policy rotates, and why the old proxy is under probation."""
SIGN_GAP_MS = 10_000
"""Readings nearer to each other than this are one: each reconnect passes through close and connecting."""
STUCK_MS = 60_000
"""Connecting for longer than this does not end by itself (EVOLUTION.md, B10)."""
CURE_EVERY_MS = 60_000
CURE_RARELY_MS = 900_000
FEWEST = 3
SHARE = 0.1
CURES = 10
"""Cures begun at a look: so many or a tenth of those that wait, and one while the server is the suspect."""


def signs(lease: Lease, at: int, policy: Policy) -> int:
    """How many signs count against the proxy of the lease now."""
    return sum(sign > at - policy.window_ms for sign in lease.signs) if lease.troubled_since is not None else 0


def cure_due(lease: Lease, at: int, policy: Policy) -> bool:
    """Whether writing the row once more may help: at the first sign of a loop, after a minute of being stuck, and then
    again once a minute, later twice as rarely each time, at the rarest each quarter of an hour."""
    since = lease.troubled_since
    if since is None or not signs(lease, at, policy):
        return False
    if not lease.looped and at - since <= STUCK_MS:
        return False
    if lease.cured_at is None:
        return True
    return lease.cured_at + min(max(CURE_EVERY_MS, lease.cured_at - since), CURE_RARELY_MS) <= at


def ripe(lease: Lease, at: int, policy: Policy) -> bool:
    """Whether the evidence against the proxy is complete: the signs are there, and a cure in this trouble, the last one
    not long ago, has not helped. One that waits for a human is not rotated, nor is one without a restart that only a
    restart would make use its new row: it would lose its proxies one after the other for nothing (EVOLUTION.md, B10).
    """
    since = lease.troubled_since
    cured = since is not None and lease.cured_at is not None and lease.cured_at >= since
    complete = cured and signs(lease, at, policy) >= policy.rotate_signs
    reads_row = lease.looped or policy.restart
    return complete and reads_row and not lease.spent and not cure_due(lease, at, policy)


@dataclass(frozen=True, slots=True)
class Suspicion:
    """What the leases of one server say together. ``since`` (ms): the server or its network is the suspect since then,
    ``reason`` says why, as :func:`service.messages.why` reads it. ``cures`` and ``rotations`` may begin at this look,
    ``None``: as many as are due. ``helped_at``: when a cure began that has helped, 0 for none: one that failed before
    that may have failed for the same reason, and is tried again before a rotation.

    All follows from facts of leases, so that a restart forgets nothing of it.
    """

    since: int | None = None
    reason: str = ""
    cures: int | None = None
    rotations: int | None = None
    helped_at: int = 0


def judge(leases: Iterable[Lease], since: int | None, at: int, policy: Policy) -> Suspicion:
    """Judges the current leases of a server that was suspected ``since`` before (``None``: it was not).

    Many in trouble at once speak against the server, and so do all of them. Then one cure begins at a look, and a
    success says that the network is back: cures go on as usual. After two windows one instance a window is given
    another proxy on trial; when such a lease is applied the proxies are to blame, and everything goes on, so that a
    vendor's whole group can die. As the network may have come back with that very trial, it counts as a cure that has
    helped: each of the others is cured once more before its rotation.
    """
    held = [lease for lease in leases if lease.reservation is None and not lease.tail]
    well = [lease for lease in held if lease.troubled_since is None and lease.applied is Applied.YES]
    helped_at = max((lease.cured_at or 0 for lease in well), default=0)
    begun = at if since is None else since
    trials, proved = _trials(held, begun), _trials(well, begun)
    # A trial that is not applied yet has no signs, and is no better off for that.
    hanging = [lease for lease in held if lease.phase is Phase.ACTIVE and signs(lease, at, policy)]
    troubled = len(hanging) + len(trials) - len(proved) - len(_trials(hanging, begun))
    if troubled <= max(FEWEST, SHARE * len(held)) and not 1 < troubled == len(held):
        return Suspicion(helped_at=helped_at)
    trial_due = at - begun >= 2 * policy.window_ms and all(made + policy.window_ms <= at for made in trials)
    return Suspicion(
        begun,
        f"troubled leased={len(held)} troubled={troubled}",
        cures=None if proved or helped_at >= begun else 1,
        rotations=None if proved else int(trial_due),
        helped_at=max(helped_at, min(proved, default=0)),
    )


def _trials(leases: Iterable[Lease], since: int) -> list[int]:
    """When those of ``leases`` were made that replaced a suspected proxy from ``since`` on."""
    made = [lease.reserved_at or 0 for lease in leases if lease.reason == DEAD_PROXY]
    return [at for at in made if at >= since]


def admitted(actions: Sequence[Action], suspicion: Suspicion) -> list[Action | None]:
    """For each of one look's actions what may begin in its place, ``None`` for nothing: of the rotations and cures as
    many as the suspicion allows, of those that are in trouble longest and those that were cured longest ago."""
    wanted = [
        Cure(action.lease)
        if isinstance(action, Rotate) and (action.lease.cured_at or 0) < suspicion.helped_at
        else action
        for action in actions
    ]
    rotations = [action for action in wanted if isinstance(action, Rotate)]
    rotations.sort(key=lambda action: action.lease.troubled_since or 0)
    cures = [action for action in wanted if isinstance(action, Cure)]
    cures.sort(key=lambda action: (action.lease.cured_at or 0, action.lease.troubled_since or 0))
    most = max(CURES, ceil(len(cures) / 10)) if suspicion.cures is None else suspicion.cures
    begun = {id(action) for action in (*rotations[: suspicion.rotations], *cures[:most])}
    return [action if not isinstance(action, Cure | Rotate) or id(action) in begun else None for action in wanted]
