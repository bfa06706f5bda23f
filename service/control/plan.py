"""What ``serve`` would do about what one look saw, in operators' words. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import ceil

from service.control.actions import (
    Action,
    Assert,
    Assign,
    BeginRelease,
    CancelRelease,
    Clear,
    Cure,
    ExpireReservation,
    Finish,
    GiveUp,
    Reconnect,
    Resume,
    Rotate,
    RowMoved,
    Verify,
)
from service.control.decide import Seen
from service.control.policy import Policy
from service.pool.batches import Claim
from service.pool.models import Applied, Lease, Proxy, Row

SET_SECONDS = 2.0
"""How long one set with its reading back is taken to last: Evolution tests the proxy twice over (EVOLUTION.md, 7)."""


class Step(StrEnum):
    """What is done to one instance, in this order."""

    ADOPT = "adopt"
    """The proxy that its row names becomes its lease; nothing is sent."""
    RELEASE = "release"
    """Its proxy is taken back: the row is cleared, and the old connection let go."""
    ROTATE = "rotate"
    ASSIGN = "assign"
    SET = "set"
    """The row of the proxy that it holds is written again."""
    KEEP = "keep"
    """A release is called off."""
    RESTART = "restart"
    """Paced: it reconnects, so that its connection uses the row."""


class Left(StrEnum):
    """Why nothing is done to an instance."""

    RIGHT = "right"
    """It holds a proxy, and nothing is left to do now."""
    EXTERNAL = "external"
    """Its row names a proxy that the pool does not know."""
    NOT_MANAGED = "not_managed"
    """EVOPROXY_INCLUDE, _EXCLUDE or _INTEGRATIONS leave it out."""
    BY_HAND = "released_by_hand"
    """Somebody released it, and has not assigned it since."""
    NOT_YET = "not_yet"
    """It is in no state in which EVOPROXY_ASSIGN_ON gives a proxy."""
    HELD_BACK = "held_back"
    """A brake or the pause stops what there is to do, or it is waited for."""


@dataclass(frozen=True, slots=True)
class Planned:
    """One instance: the steps in their order, or without any why it is left alone. ``proxy_id`` is what it holds or
    would adopt, ``""`` for none; ``group`` and ``strict`` are what an assignment or rotation asks for."""

    server: str
    instance: str
    name: str
    state: str
    steps: tuple[Step, ...] = ()
    left: Left | None = None
    proxy_id: str = ""
    group: str = ""
    strict: bool = False

    @property
    def needs_proxy(self) -> bool:
        """Whether one is taken from the pool for it."""
        return Step.ASSIGN in self.steps or Step.ROTATE in self.steps


@dataclass(frozen=True, slots=True)
class Pace:
    """The settings that bound one server's sets and restarts."""

    sets_in_flight: int
    restart_rate: float
    restart_burst: int

    def seconds(self, planned: Iterable[Planned]) -> float:
        """About how long the steps of one server take.

        Sets go ``sets_in_flight`` at a time, SET_SECONDS each; restarts go one a 1/``restart_rate`` s after the first
        ``restart_burst``, beside them: ``max(⌈sets / in flight⌉ × SET_SECONDS, (restarts - burst) / rate)``.
        """
        counts = Counter(step for one in planned for step in one.steps)
        sets = sum(counts[step] for step in (Step.ASSIGN, Step.SET, Step.ROTATE, Step.RELEASE))
        restarts = max(0, counts[Step.RESTART] - self.restart_burst)
        return max(ceil(sets / self.sets_in_flight) * SET_SECONDS, restarts / self.restart_rate)


def supposed(server: str, claim: Claim, proxy: Proxy | None) -> Lease | Row:
    """What ``adopt`` would make of a row that names ``proxy``: the lease, or why there would be none."""
    if proxy is None:
        return Row.EXTERNAL
    holder = proxy.lease
    if holder is not None and not _gives_way(holder, server, claim):
        return Row.HELD
    facts = {"server": server, "instance": claim.instance, "name": claim.name, "owner": claim.owner, "token": "0"}
    seen = {"disc_at": claim.disc_at, "opened": str(int(claim.opened))}
    return Lease.parse(proxy.id, {**facts, **seen, "phase": "active", "applied": "unknown", "chosen": "row"})


def _gives_way(holder: Lease, server: str, claim: Claim) -> bool:
    """A reservation for its name, its own tail, or what it holds on a server that bears another name now: one id on two
    configured ones stops both."""
    if holder.server != server:
        return holder.instance == claim.instance
    return (bool(holder.reservation) and holder.name == claim.name) or (
        holder.tail and holder.instance == claim.instance
    )


def plan(
    server: str,
    seens: Sequence[Seen],
    decisions: Iterable[tuple[Seen, Action]],
    adopted: Collection[str],
    policy: Policy,
) -> list[Planned]:
    """What becomes of each of ``seens``, in the order in which it is begun: adoptions come first. ``adopted`` are the
    instances that hold their proxy in this look only."""
    actions: dict[int, list[Action]] = {id(seen): [] for seen in seens}
    for seen, action in decisions:
        actions[id(seen)].append(action)
    found = [_planned(server, seen, actions[id(seen)], adopted, policy) for seen in seens]
    return sorted(found, key=lambda one: (not one.steps, Step.ADOPT not in one.steps))


def counted(planned: Iterable[Planned]) -> dict[str, int]:
    """How many instances each step is for."""
    return dict(Counter(step.value for one in planned for step in one.steps))


def shortage(planned: Iterable[Planned], available: int, by_group: Mapping[str, int]) -> dict[str, int]:
    """How many proxies are missing: by strict group, and under ``""`` beyond those; empty when the pool suffices."""
    needs = [one for one in planned if one.needs_proxy]
    strict = Counter(one.group for one in needs if one.strict and one.group)
    missing = {group: number - by_group.get(group, 0) for group, number in strict.items()}
    served = sum(min(number, by_group.get(group, 0)) for group, number in strict.items())
    missing[""] = len(needs) - strict.total() - (available - served)
    return {group: number for group, number in missing.items() if number > 0}


def _planned(server: str, seen: Seen, actions: Sequence[Action], adopted: Collection[str], policy: Policy) -> Planned:
    now = seen.observation
    held = seen.lease or next(iter(seen.tails), None)
    key, name = (now.id, now.name) if now else (held.instance, held.name) if held else ("", "")
    steps = {*_steps(seen, actions, policy), *([Step.ADOPT] if key in adopted else ())}
    ordered = tuple(step for step in Step if step in steps)
    group, strict = policy.group_of(server, name, now.owner if now else None)
    wants = bool({Step.ASSIGN, Step.ROTATE} & steps)
    return Planned(
        server,
        key,
        name,
        now.state if now else "gone",
        ordered,
        None if ordered else _left(seen, policy),
        held.proxy_id if held else "",
        group if wants else "",
        strict and wants,
    )


def _steps(seen: Seen, actions: Sequence[Action], policy: Policy) -> Iterator[Step]:
    open_now = seen.observation is not None and seen.observation.state in ("open", "connecting")
    for action in actions:
        match action:
            case Assign() | Resume() | Assert() | Cure() | Rotate():
                yield {Assign: Step.ASSIGN, Rotate: Step.ROTATE}.get(type(action), Step.SET)
                if open_now and policy.restart and not isinstance(action, Cure):
                    yield Step.RESTART
            case Clear() | RowMoved() | BeginRelease(socket_gone=False, grace_until=0):
                yield Step.RELEASE
                if open_now:
                    yield Step.RESTART
            case BeginRelease() | Finish() | Verify() | ExpireReservation() | GiveUp():
                yield Step.RELEASE
            case CancelRelease():
                yield Step.KEEP
            case Reconnect(leases) if _restarts(leases):
                yield Step.RESTART


def _restarts(leases: Sequence[Lease]) -> bool:
    """One that was seen down, or is in trouble, is only looked at."""
    return not all(lease.down or lease.troubled_since is not None for lease in leases)


def _left(seen: Seen, policy: Policy) -> Left:
    now, lease = seen.observation, seen.lease
    if lease is not None or seen.tails:
        settled = lease is not None and lease.waits is None and lease.applied is not Applied.NO
        return Left.RIGHT if settled else Left.HELD_BACK
    if now is None or not policy.manages(now):
        return Left.NOT_MANAGED
    if not seen.managed:
        return Left.BY_HAND
    if not policy.wants_proxy(now):
        return Left.NOT_YET if seen.row in ("", "off") else Left.EXTERNAL
    return Left.EXTERNAL if seen.row not in ("", "off") and seen.other is not Row.HELD else Left.HELD_BACK
