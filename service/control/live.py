"""The live state of an instance, and what it says of the lease that is to be in use."""

from __future__ import annotations

from service.control.context import Context, unless_overtaken
from service.control.evidence import SIGN_GAP_MS
from service.evolution.models import State
from service.pool.models import Applied, Lease


async def live_state(context: Context, name: str) -> tuple[int, State | None]:
    """When the reading began (ms), and what it said; few are under way at a time. ``None``: not in memory, which is no
    evidence (EVOLUTION.md, B14). Raises :class:`service.errors.EvolutionError`."""
    async with context.looks.slot():
        at = context.pool.clock.now()
        return at, await context.client.connection_state(name)


async def note_state(context: Context, lease: Lease, at: int, state: State | None) -> None:
    """Notes what a reading that began at ``at`` says of an active lease, as it was before that. Writes only what
    changes something."""
    if state in ("close", "connecting"):
        await unless_overtaken(sign(context, lease, str(state), at))
    elif state == "open":
        if lease.troubled_since is not None or lease.spent:
            await unless_overtaken(sign(context, lease, "open", at))
        if lease.down and lease.applied is not Applied.YES:
            await unless_overtaken(context.pool.mark(lease, "applied", seen_at=at))


async def sign(context: Context, lease: Lease, what: str, at: int) -> int:
    """:meth:`service.pool.leases.Leases.sign` by policy."""
    policy = context.policy
    return await context.pool.sign(
        lease, what, seen_at=at, gap_ms=SIGN_GAP_MS, window_ms=policy.window_ms, most=policy.rotate_signs
    )
