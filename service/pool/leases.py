"""Transitions of leases. The state diagram and the words stand in lua/README.md."""

from __future__ import annotations

from collections.abc import Sequence

from service.pool.batches import Claim, Outcome, Wish
from service.pool.models import Evidence, Lease, Rests, Waits
from service.pool.runner import Runner


def _outcomes(reply: Sequence[str]) -> list[Outcome]:
    return [Outcome(*words) for words in zip(reply[::3], reply[1::3], reply[2::3], strict=True)]


class Leases(Runner):
    """The life of a lease. Every method but :meth:`acquire`, :meth:`adopt` and :meth:`reserve` is fenced by the lease's
    token: refused ``stale`` when that lease is no more. Methods raise what :meth:`Runner.run` raises."""

    rests: Rests

    async def acquire(
        self,
        server: str,
        wishes: Sequence[Wish],
        *,
        reason: str,
        actor: str = "auto",
        human: bool = False,
        probe: bool = False,
        op_id: str | None = None,
    ) -> list[Outcome]:
        """One outcome a wish, in their order: LEASED, HELD, or the word of its refusal.

        Refused as a whole: not_configured, not_reconciled, restoring, paused, braked.
        """
        reply = await self.run(
            "acquire", wishes, server=server, reason=reason, actor=actor, human=human, probe=probe, op_id=op_id
        )
        return _outcomes(reply)

    async def confirm(self, lease: Lease, *, actor: str = "auto", op_id: str | None = None) -> None:
        """reserved → active, after the row was read back. Refused: stale, wrong_phase."""
        await self.run("confirm", proxy=lease.proxy_id, token=lease.token, actor=actor, op_id=op_id)

    async def abandon(self, lease: Lease, how: str, *, actor: str = "auto", op_id: str | None = None) -> str:
        """Ends a reserved lease; ``how`` is refused, unsent or unknown. Answers the proxy's status in Redis."""
        reply = await self.run(
            "abandon",
            proxy=lease.proxy_id,
            token=lease.token,
            how=how,
            settle_ms=self.rests.settle_ms,
            actor=actor,
            op_id=op_id,
        )
        return str(reply[0])

    async def adopt(
        self, server: str, claims: Sequence[Claim], *, seen_at: int | None = None, actor: str = "auto"
    ) -> list[Outcome]:
        """One outcome a claim, read since ``seen_at`` (now): ADOPTED, HELD, HAS_OTHER, HELD_ELSEWHERE, EXTERNAL or
        STALE_SIGHT."""
        seen_at = self.clock.now() + 1 if seen_at is None else seen_at
        return _outcomes(await self.run("adopt", claims, server=server, seen_at=seen_at, actor=actor))

    async def mark(
        self, lease: Lease, what: str, *, seen_at: int | None = None, fingerprints: str = "", actor: str = "auto"
    ) -> bool:
        """Notes ``opened``, ``down``, ``applied`` (of a reading that began at ``seen_at``, now if it is not given),
        ``unknown`` or ``asserted``, the last with the fingerprints of the password that was written; answers whether it
        is new. Refused: stale, stale_sight, wrong_phase."""
        reply = await self.run(
            "mark",
            proxy=lease.proxy_id,
            token=lease.token,
            what=what,
            seen_at=self.clock.now() if seen_at is None else seen_at,
            fingerprints=fingerprints,
            actor=actor,
        )
        return bool(int(reply[0]))

    async def sign(self, lease: Lease, what: str, *, seen_at: int, gap_ms: int, window_ms: int, most: int) -> int:
        """Notes evidence for or against the proxy of an active lease: a live state read since ``seen_at`` (``open``,
        ``close``, ``connecting``), a ``cure`` that begins, or its being ``refused``.

        Answers the signs against it within ``window_ms``, at most ``most``. Refused: stale, stale_sight, wrong_phase.
        """
        reply = await self.run(
            "sign",
            proxy=lease.proxy_id,
            token=lease.token,
            what=what,
            seen_at=seen_at,
            gap_ms=gap_ms,
            window_ms=window_ms,
            most=most,
            actor="auto",
        )
        return int(reply[0])

    async def begin_release(
        self,
        lease: Lease,
        waits: Waits,
        *,
        reason: str,
        actor: str = "auto",
        grace_until: int = 0,
        rest_ms: int = 0,
        rest_reason: str = "",
        socket_gone: bool = False,
        unmanage: bool = False,
        op_id: str | None = None,
    ) -> Waits:
        """Answers what the release waits for now: it only moves forward.

        ``unmanage``: policy leaves the instance alone from now on; refused ``stale`` when it has another proxy already.
        """
        reply = await self.run(
            "begin_release",
            proxy=lease.proxy_id,
            token=lease.token,
            reason=reason,
            waits=waits.value,
            grace_until=grace_until,
            rest_ms=rest_ms,
            rest_reason=rest_reason,
            socket_gone=socket_gone,
            unmanage=unmanage,
            actor=actor,
            op_id=op_id,
        )
        return Waits(reply[1])

    async def begin_clear(self, lease: Lease, *, actor: str = "auto") -> None:
        """To be called before the clear is sent. Refused: stale, wrong_phase (then nothing may be cleared)."""
        await self.run("begin_clear", proxy=lease.proxy_id, token=lease.token, actor=actor)

    async def row_cleared(self, lease: Lease, row: str, *, actor: str = "auto") -> bool:
        """The row explicitly reads ``row`` (``off`` or another proxy's id). Answers whether the socket is gone too."""
        reply = await self.run("row_cleared", proxy=lease.proxy_id, token=lease.token, row=row, actor=actor)
        return bool(int(reply[0]))

    async def cancel_release(self, lease: Lease, *, actor: str = "auto", manage: bool = False) -> tuple[str, str]:
        """Answers the phase that the lease is in now, and its new token."""
        phase, token = await self.run(
            "cancel_release", proxy=lease.proxy_id, token=lease.token, manage=manage, actor=actor
        )
        return phase, token

    async def finish_release(
        self,
        lease: Lease,
        evidence: Evidence,
        *,
        actor: str = "auto",
        rest_ms: int = 0,
        rest_reason: str = "",
        unmanage: bool = False,
        op_id: str | None = None,
    ) -> str:
        """Ends the lease on ``evidence``; answers the proxy's status in Redis. Refused: stale, wrong_phase.

        ``unmanage`` as with :meth:`begin_release`.
        """
        reply = await self.run(
            "finish_release",
            proxy=lease.proxy_id,
            token=lease.token,
            evidence=evidence.value,
            rest_ms=rest_ms,
            rest_reason=rest_reason,
            settle_ms=self.rests.settle_ms,
            memory_ms=self.rests.memory_ms,
            unmanage=unmanage,
            actor=actor,
            op_id=op_id,
        )
        return str(reply[0])

    async def refuse_release(self, lease: Lease, reason: str, *, actor: str = "auto") -> bool:
        """Counts a refusal; answers whether the release is stuck."""
        reply = await self.run("refuse_release", proxy=lease.proxy_id, token=lease.token, reason=reason, actor=actor)
        return bool(int(reply[1]))

    async def rotate(
        self,
        lease: Lease,
        *,
        reason: str,
        actor: str = "auto",
        human: bool = False,
        pin: str = "",
        group: str = "",
        strict: bool = False,
        rest_ms: int = 600_000,
        probation_ms: int = 0,
        per_day: int = 3,
        op_id: str | None = None,
    ) -> tuple[str, str]:
        """Reserves another proxy for the holder of ``lease``, which becomes a tail. Answers its id and token.

        ``probation_ms``: that of the old proxy, doubled with each strike. Policy (not ``human``) is refused
        ``rotations_spent`` after ``per_day`` rotations of the instance in 24 hours, and where a human pinned the proxy.
        """
        proxy_id, token = await self.run(
            "rotate",
            server=lease.server,
            instance=lease.instance,
            token=lease.token,
            human=human,
            probe=False,
            reason=reason,
            pin=pin,
            group=group,
            strict=strict,
            rest_ms=rest_ms,
            probation_ms=probation_ms,
            per_day=per_day,
            actor=actor,
            op_id=op_id,
        )
        return proxy_id, token

    async def reserve(
        self,
        server: str,
        name: str,
        *,
        reservation: str,
        expires_at: int,
        actor: str,
        pin: str = "",
        group: str = "",
        strict: bool = False,
        op_id: str | None = None,
    ) -> tuple[str, str]:
        """Holds a proxy for an instance to be created under ``name``. Answers its id and token."""
        proxy_id, token = await self.run(
            "reserve",
            server=server,
            name=name,
            reservation=reservation,
            expires_at=expires_at,
            human=True,
            probe=False,
            pin=pin,
            group=group,
            strict=strict,
            actor=actor,
            op_id=op_id,
        )
        return proxy_id, token

    async def expire_reservation(
        self, server: str, reservation: str, *, actor: str = "auto", cancelled: bool = False, op_id: str | None = None
    ) -> str:
        """Ends a reservation that is due, or at once if ``cancelled``; its proxy rests. Answers the proxy's id."""
        reply = await self.run(
            "expire_reservation",
            server=server,
            reservation=reservation,
            cancelled=cancelled,
            rest_ms=self.rests.settle_ms,
            actor=actor,
            op_id=op_id,
        )
        return str(reply[0])
