"""Steps in the life of leases."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from service.errors import RefusedError
from service.pool.batches import Claim, Wish
from service.pool.models import Evidence, Lease, Phase, Waits
from tests.integration.machine.draws import (
    FOREIGN,
    SETTLE,
    ages,
    flags,
    groups,
    instances,
    names,
    owners,
    picks,
    pins,
    proxies,
    rarely,
    rests,
    rows,
    servers,
)
from tests.integration.machine.steps import Steps, step

NOTES = ("opened", "down", "applied", "sending", "answered", "refused", "unknown", "asserted", "nonsense")


class LeaseSteps(Steps):
    """The transitions of leases, and what each one lets or stops an instance do."""

    @step(12, pick=st.integers(1, 7), row=rows)
    def go_on(self, pick: int, row: str) -> None:
        """The step that the life of a lease takes next when all goes well."""
        lease = self.a_lease(pick)
        if lease.phase is Phase.RESERVED:
            self.confirm(lease)
        elif lease.waits is Waits.ROW:
            self.row_cleared(lease, row)
        elif lease.waits is Waits.SOCKET:
            self.finish_release(lease, Evidence.MOVED, 0, False)
        else:
            self.begin_release(lease, Waits.ROW, 0, False, False, "a")

    @step(
        8,
        server=servers,
        wishes=st.lists(
            st.builds(Wish, instances, names, owners, st.just(""), flags, pins, groups, rarely), min_size=1, max_size=3
        ),
        human=flags,
        probe=rarely,
    )
    def acquire(self, server: str, wishes: list[Wish], human: bool, probe: bool) -> None:
        async def go() -> list[tuple[str, str, str]]:
            told = await self.pool.explain(server, wishes[0], human=human, probe=probe)
            closed, outcome = "", None
            try:
                found = await self.pool.acquire(server, wishes, reason="test", human=human, probe=probe)
                outcome = found[0]
            except RefusedError as error:
                closed = error.code
                raise
            finally:
                assert told.closed == closed
                assert outcome is None or told.outcome.word == outcome.word
                assert outcome is None or told.outcome.proxy_id == outcome.proxy_id
            if found[0].word == "LEASED":
                lease = await self.pool.lease(found[0].proxy_id)
                assert lease is not None
                assert lease.chosen == told.choice
            for wish, outcome in zip(wishes, found, strict=True):
                if outcome.word == "LEASED":
                    self.took(outcome.proxy_id, outcome.token, (server, wish.instance))
            return [(outcome.word, outcome.proxy_id, outcome.token) for outcome in found]

        self.both(lambda: self.model.acquire(server, wishes, human=human, probe=probe), go())

    @step(5, pick=picks)
    def confirm(self, pick: int | Lease) -> None:
        lease = self.a_lease(pick, Phase.RESERVED)
        if self.both(lambda: self.model.confirm(lease), self.pool.confirm(lease)) and lease.phase is Phase.RESERVED:
            self.uses.written(lease.proxy_id, (lease.server, lease.instance))

    @step(5, pick=picks, how=st.sampled_from(("refused", "refused", "unsent", "unknown", "nonsense")))
    def abandon(self, pick: int | Lease, how: str) -> None:
        lease = self.a_lease(pick, Phase.RESERVED)
        if self.both(lambda: self.model.abandon(lease, how), self.pool.abandon(lease, how)):
            holder = (lease.server, lease.instance)
            if how == "unknown":
                self.uses.unanswered(lease.proxy_id, holder, self.clock.at + SETTLE)
            self.uses.no_more_sets(lease.proxy_id, holder)

    @step(
        4,
        server=servers,
        claims=st.lists(st.builds(Claim, instances, names, proxies | st.just(FOREIGN), owners), min_size=1, max_size=2),
        age=ages,
    )
    def adopt(self, server: str, claims: list[Claim], age: int) -> None:
        seen_at = self.clock.at - age

        async def go() -> list[str]:
            found = await self.pool.adopt(server, claims, seen_at=seen_at)
            for claim, outcome in zip(claims, found, strict=True):
                if outcome.word == "ADOPTED":
                    self.passes_on(server, claim)
                    self.uses.written(claim.row, (server, claim.instance))
                elif outcome.word not in ("HELD", "STALE_SIGHT"):
                    self.uses.seen((server, claim.instance), claim.row)
            return [outcome.word for outcome in found]

        self.both(lambda: self.model.adopt(server, claims, seen_at), go())

    def passes_on(self, server: str, claim: Claim) -> None:
        """What the adopted lease was before: a reservation, or the same instance's on a server of another name."""
        new = (server, claim.instance)
        for lease in self.current:
            old = (lease.server, lease.instance)
            if lease.proxy_id == claim.row and lease.reservation:
                self.uses.no_more_sets(lease.proxy_id, old)
            elif lease.proxy_id == claim.row and lease.server != server:
                self.uses.renamed(lease.proxy_id, old, new)

    @step(4, pick=picks, what=st.sampled_from(NOTES))
    def mark(self, pick: int, what: str) -> None:
        lease = self.a_lease(pick, Phase.ACTIVE if what != "unknown" else Phase.RESERVED)
        if self.both(lambda: self.model.mark(lease, what), self.pool.mark(lease, what)):
            holder = (lease.server, lease.instance)
            if what == "unknown":
                self.uses.unanswered(lease.proxy_id, holder, self.clock.at + SETTLE)
                if lease.phase is not Phase.RESERVED:
                    self.uses.no_more_sets(lease.proxy_id, holder)
            elif what == "asserted":
                self.uses.written(lease.proxy_id, holder)

    @step(
        4,
        pick=picks,
        what=st.sampled_from(("open", "close", "close", "connecting", "cure", "refused", "nonsense")),
        age=ages,
    )
    def sign(self, pick: int, what: str, age: int) -> None:
        lease = self.a_lease(pick, Phase.ACTIVE)
        options = {"seen_at": self.clock.at - age, "gap_ms": 1000, "window_ms": 200_000, "most": 3}
        self.both(lambda: self.model.sign(lease, what, **options), self.pool.sign(lease, what, **options))

    @step(
        5,
        pick=picks,
        waits=st.sampled_from((Waits.GRACE, Waits.ROW, Waits.ROW, Waits.SOCKET)),
        rest=rests,
        socket_gone=flags,
        unmanage=rarely,
        reason=st.sampled_from(("a", "b")),
    )
    def begin_release(
        self, pick: int | Lease, waits: Waits, rest: int, socket_gone: bool, unmanage: bool, reason: str
    ) -> None:
        lease = self.a_lease(pick, Phase.ACTIVE)
        options: dict[str, Any] = {"rest_ms": rest, "socket_gone": socket_gone, "unmanage": unmanage, "reason": reason}
        done = self.both(
            lambda: self.model.begin_release(lease, waits, **options), self.pool.begin_release(lease, waits, **options)
        )
        if done and lease.phase is Phase.RESERVED:
            holder = (lease.server, lease.instance)
            self.uses.unanswered(lease.proxy_id, holder, self.clock.at + SETTLE)
            self.uses.no_more_sets(lease.proxy_id, holder)

    @step(2, pick=picks)
    def begin_clear(self, pick: int) -> None:
        lease = self.a_lease(pick, Phase.RELEASING)
        self.both(lambda: self.model.begin_clear(lease), self.pool.begin_clear(lease))

    @step(4, pick=picks, row=rows)
    def row_cleared(self, pick: int | Lease, row: str) -> None:
        lease = self.a_lease(pick, Phase.RELEASING)
        done = self.both(lambda: self.model.row_cleared(lease, row), self.pool.row_cleared(lease, row))
        if done and lease.waits is Waits.ROW:
            self.uses.seen((lease.server, lease.instance), row)

    @step(4, pick=picks, manage=flags)
    def cancel_release(self, pick: int, manage: bool) -> None:
        lease = self.a_lease(pick, Phase.RELEASING)

        async def go() -> tuple[str, str]:
            phase, token = await self.pool.cancel_release(lease, manage=manage)
            if phase == Phase.RESERVED:
                self.uses.may_be_set(lease.proxy_id, (lease.server, lease.instance))
            return phase, token

        self.both(lambda: self.model.cancel_release(lease, manage=manage), go())

    @step(5, pick=picks, evidence=st.sampled_from((Evidence.MOVED, *Evidence)), rest=rests, unmanage=rarely)
    def finish_release(self, pick: int | Lease, evidence: Evidence, rest: int, unmanage: bool) -> None:
        lease = self.a_lease(pick, Phase.RELEASING)
        holder = (lease.server, lease.instance)
        done = self.both(
            lambda: self.model.finish_release(lease, evidence, rest_ms=rest, unmanage=unmanage),
            self.pool.finish_release(lease, evidence, rest_ms=rest, unmanage=unmanage),
        )
        if not done:
            return
        if lease.phase is Phase.RESERVED:
            self.uses.unanswered(lease.proxy_id, holder, self.clock.at + SETTLE)
        self.uses.closed(lease.proxy_id, holder)
        if evidence is Evidence.FORCED:
            self.uses.rows.add((lease.proxy_id, holder))
        elif evidence is not Evidence.MOVED:
            self.uses.seen(holder, "off")
            until = max(self.uses.lands[lease.proxy_id, holder], self.clock.at + rest)
            self.uses.lands[lease.proxy_id, holder] = until

    @step(1, pick=picks, times=st.sampled_from((1, 5)))
    def refuse_release(self, pick: int, times: int) -> None:
        lease = self.a_lease(pick, Phase.RELEASING)
        for _ in range(times):
            self.both(lambda: self.model.refuse_release(lease), self.pool.refuse_release(lease, "no"))

    @step(
        5,
        pick=picks,
        human=flags,
        pin=pins,
        group=groups,
        strict=rarely,
        rest_ms=rests,
        probation_ms=rests,
        per_day=st.sampled_from((0, 1, 2, 3, 3)),
    )
    def rotate(self, pick: int, **options: Any) -> None:
        lease = self.a_lease(pick, Phase.ACTIVE)

        async def go() -> tuple[str, str]:
            found = await self.pool.rotate(lease, reason="test", **options)
            self.took(*found, (lease.server, lease.instance))
            return found

        self.both(lambda: self.model.rotate(lease, **options), go())

    @step(
        2, server=servers, name=names, reservation=st.sampled_from(("r1", "r2")), pin=pins, group=groups, strict=rarely
    )
    def reserve(self, server: str, name: str, reservation: str, pin: str, group: str, strict: bool) -> None:
        options: dict[str, Any] = {"expires_at": self.clock.at + 50_000, "pin": pin, "group": group, "strict": strict}
        holder = (server, f"~{reservation}")
        known = self.model.held(holder)

        async def go() -> tuple[str, str]:
            found = await self.pool.reserve(server, name, reservation=reservation, actor="test", **options)
            if not known:
                self.took(*found, holder)
            return found

        self.both(lambda: self.model.reserve(server, name, reservation, **options), go())

    @step(2, server=servers, reservation=st.sampled_from(("r1", "r2")), cancelled=flags)
    def expire_reservation(self, server: str, reservation: str, cancelled: bool) -> None:
        async def go() -> str:
            proxy_id = await self.pool.expire_reservation(server, reservation, cancelled=cancelled)
            self.uses.lands[proxy_id, (server, f"~{reservation}")] = self.clock.at + SETTLE
            return proxy_id

        self.both(lambda: self.model.expire_reservation(server, reservation, cancelled=cancelled), go())
