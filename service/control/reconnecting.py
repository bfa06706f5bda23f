"""Making an instance use its row: the paced restart, and the watch until it is seen not open and then open."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from itertools import chain, repeat

from service.control.context import Context, unless_overtaken
from service.control.live import live_state, note_state
from service.control.releasing import let_go
from service.errors import EvolutionError
from service.evolution.models import RestartAnswer, State
from service.pool.models import Applied, Lease, Phase, Waits

logger = logging.getLogger(__name__)


async def reconnect(context: Context, leases: Sequence[Lease], *, restarts: bool = True, cure: bool = False) -> None:
    """Restarts the instance that ``leases`` belong to, unless a reconnect is under way already, and notes what is seen.

    Serves an active lease that is not applied and releases that wait for the socket. One that was seen down already, or
    is in trouble, is only looked at; ``cure``: its row was just written once more. Without ``restarts`` all are only
    looked at. What is not seen within the watch is left to a later tick.
    """
    name = leases[0].name
    try:
        waiting = await _still_waiting(context, leases)
        if not waiting:
            return
        looks = all(lease.down for lease in waiting) or any(_troubled(lease) for lease in waiting)
        at, state = await live_state(context, name)
        if state != "open" and not any(lease.opened or _releasing(lease) for lease in waiting):
            await _before_pairing(context, waiting, at, state, restarts=restarts)
            return
        if not restarts or (looks and not cure) or (cure and state == "open"):
            await _note(context, waiting, at, state)
            return
        if state in ("close", "connecting") and await _loops(context, name, state):
            await _watch(context, name, waiting, strict=True)
            return
        if not cure and _pauses(context, waiting):
            await _note(context, waiting, at, state)
            return
        urgent = cure or any(lease.manual or _releasing(lease) for lease in waiting)
        await context.restarts.take(urgent=urgent)
        waiting = await _still_waiting(context, leases)
        if not waiting or not context.listed:
            return
        state = await context.client.connection_state(name)
        if state in ("open", "connecting") and await _leads_away(context, waiting):
            answer = await context.client.restart(name)
            moved = await _watch(context, name, waiting, strict=state == "connecting")
            _count(context, waiting, moved=moved or answer is RestartAnswer.REFUSED)
    except EvolutionError as error:
        logger.info("reconnect waits", extra={"instance": name, "server": context.server, "code": error.code})


async def note_down(context: Context, lease: Lease) -> None:
    """Notes that an instance is down, if the live state says so too: the list's column may be late (EVOLUTION.md, B8).

    The socket over which a QR code is shown may be older than a row that was written under the lease, so then only a
    close proves that it is gone.
    """
    try:
        at, state = await live_state(context, lease.name)
    except EvolutionError as error:
        logger.info("not seen down", extra={"instance": lease.name, "server": context.server, "code": error.code})
        return
    adopted = lease.phase is Phase.ACTIVE and lease.applied is Applied.UNKNOWN
    if state == "close" or (state == "connecting" and adopted):
        await _mark_down(context, [lease], at)


def _pauses(context: Context, leases: Sequence[Lease]) -> bool:
    token, _, until = context.unmoved.get(leases[0].holder, ("", 0.0, 0))
    return token == _newest(leases) and context.pool.clock.now() < until


def _count(context: Context, leases: Sequence[Lease], *, moved: bool) -> None:
    holder, newest = leases[0].holder, _newest(leases)
    token, pause, _ = context.unmoved.pop(holder, ("", 0.0, 0))
    if not moved:
        first, longest = context.patience.restart_again
        pause = min(pause * 2, longest) if token == newest else first
        context.unmoved[holder] = newest, pause, context.pool.clock.now() + round(pause * 1000)


def _newest(leases: Sequence[Lease]) -> str:
    return max((lease.token for lease in leases), key=int)


async def _before_pairing(
    context: Context, leases: Sequence[Lease], at: int, state: State | None, *, restarts: bool
) -> None:
    """Of an instance that was never open under its lease: while it is closed, its next connect reads the row; while a
    QR code is shown, one restart that is taken on makes the code come through the row. When it will be scanned nobody
    knows, so nothing is watched."""
    if state == "connecting" and restarts and not all(lease.down for lease in leases):
        await context.restarts.take()
        leases = await _still_waiting(context, leases)
        if not leases or not context.listed or not await _leads_away(context, leases):
            return
        at = context.pool.clock.now()
        if await context.client.restart(leases[0].name) is not RestartAnswer.REFUSED:
            await _mark_down(context, leases, at)
    elif state == "close":
        await _mark_down(context, leases, at)


async def _loops(context: Context, name: str, state: str | None) -> bool:
    """Whether the instance, not open a moment ago, is in a reconnect loop: seen closed at one of a few glances. Then
    the row that was written is enough, and a restart would only be refused (EVOLUTION.md, B9)."""
    for pause in context.patience.glances:
        if state != "connecting":
            break
        await context.sleep(pause)
        state = await context.client.connection_state(name)
    return state == "close"


async def _note(context: Context, leases: Sequence[Lease], at: int, state: State | None) -> None:
    """A release ends here: its row was cleared, so whatever connects after a close goes another way. The instance need
    not come to be open: where the server has no way out but its proxies, it never does."""
    for lease in leases:
        if lease.phase is Phase.ACTIVE:
            await note_state(context, lease, at, state)
        elif state == "close" or (state == "open" and lease.down):
            if not lease.down:
                await unless_overtaken(context.pool.mark(lease, "down", seen_at=at))
            await unless_overtaken(let_go(context, lease))


async def _leads_away(context: Context, leases: Sequence[Lease]) -> bool:
    """Whether the next connect will read a row that suits ``leases``. A null row says that the DB may be down: then a
    restart would leave the instance open for ever without a session (EVOLUTION.md, B2, B11)."""
    row = await context.client.find_proxy(leases[0].name)
    return row is not None and all(row.same_endpoint(one.proxy_id) is (one.phase is Phase.ACTIVE) for one in leases)


async def _watch(context: Context, name: str, leases: Sequence[Lease], *, strict: bool) -> bool:
    """Whether it was seen down. ``strict``: it was connecting before, so only a close proves that the old attempt is
    over. A long watch ends when something else is to be done for the instance than when it began: meanwhile nothing
    else is."""
    down, waited = False, 0.0
    pauses = context.patience.watch_every
    for pause in chain(pauses, repeat(pauses[-1])):
        at = context.pool.clock.now()
        state = await context.client.connection_state(name)
        if not down and (state == "close" or (state == "connecting" and not strict)):
            down = True
            await _mark_down(context, leases, at)
        if down and state == "open":
            await _note(context, [replace(lease, down=True) for lease in leases], at, state)
            return True
        if waited > (context.patience.watch_for if down else context.patience.down_within):
            logger.info("reconnect not seen yet", extra={"instance": name, "server": context.server, "state": state})
            if state != "open":
                await _note(context, leases, at, state)
            break
        if pause == pauses[-1] and _phases(await _still_waiting(context, leases)) != _phases(leases):
            break
        await context.sleep(pause)
        waited += pause
    return down


def _phases(leases: Sequence[Lease]) -> list[tuple[str, Phase]]:
    return [(lease.token, lease.phase) for lease in leases]


async def _mark_down(context: Context, leases: Sequence[Lease], at: int) -> None:
    for lease in leases:
        await unless_overtaken(context.pool.mark(lease, "down", seen_at=at))


async def _still_waiting(context: Context, leases: Sequence[Lease]) -> list[Lease]:
    """Those of ``leases`` that still wait for a reconnect: the turn may have been long in coming."""
    found = [await context.pool.lease(lease.proxy_id) for lease in leases]
    return [
        now
        for lease, now in zip(leases, found, strict=True)
        if now is not None
        and now.token == lease.token
        and (_releasing(now) or _troubled(now) or (now.phase is Phase.ACTIVE and now.applied is not Applied.YES))
    ]


def _troubled(lease: Lease) -> bool:
    return lease.phase is Phase.ACTIVE and lease.troubled_since is not None


def _releasing(lease: Lease) -> bool:
    return lease.phase is Phase.RELEASING and lease.waits is Waits.SOCKET
