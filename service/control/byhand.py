"""What humans and their programs ask for: they pass brake and pause, never exclusivity."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from service.control.assigning import configure, wish_of
from service.control.context import Context
from service.control.controller import Controller
from service.control.looking import claim_of, find_named, sighting_of
from service.control.policy import ROTATED_REST_MS
from service.control.releasing import row_value
from service.control.server import ServerControl
from service.errors import RefusedError
from service.evolution.models import Observation
from service.pool.models import Evidence, Lease, Phase, Waits

_ANSWER_WITHIN = 1.0
"""Seconds that a release may take to be answered as done; it goes on by itself after that."""


@dataclass(frozen=True, slots=True)
class Given:
    """The lease that an instance has now; ``new`` unless it held it before."""

    lease: Lease
    new: bool


async def assign(
    control: ServerControl, name: str, *, actor: str, pin: str = "", group: str | None = None, op_id: str | None = None
) -> Given:
    """Gives the instance a proxy, or says which it holds; policy looks after the instance again.

    Raises :class:`RefusedError` (unknown_instance, no_proxy_available, held_elsewhere, unusable, …),
    :class:`service.errors.EvolutionRejectedError` after the proxy was given back, or
    :class:`service.errors.EvolutionUnknownError` with the lease still reserved.
    """
    _writes(control)
    at = control.pool.clock.now()
    observation = await look(control.context, name)
    act = _assign(control, observation, at, actor=actor, pin=pin, group=group, op_id=op_id)
    return await control.acts.alone(observation.id, act)


async def release(
    control: ServerControl, name: str, *, actor: str, force: bool = False, lease: Lease | None = None
) -> Lease | None:
    """Takes the instance's proxy back and leaves the instance unmanaged; the lease if it is not over yet.

    ``force`` ends the lease against the proofs. ``lease``: this one and no other. Raises as :func:`held_by`, or
    :class:`RefusedError` (stale) when the instance was given another proxy meanwhile; without ``lease`` that one is
    taken back then.
    """
    _writes(control)
    if lease is not None:
        return await _release(control, lease, actor=actor, force=force)
    try:
        return await _release(control, await held_by(control, name), actor=actor, force=force)
    except RefusedError as error:
        if error.code != "stale":
            raise
    return await _release(control, await held_by(control, name), actor=actor, force=force)


async def _release(control: ServerControl, lease: Lease, *, actor: str, force: bool) -> Lease | None:
    pool = control.pool
    if force:
        await pool.finish_release(lease, Evidence.FORCED, unmanage=True, actor=actor)
        return None
    await pool.begin_release(
        lease,
        Waits.ROW,
        reason="by_hand",
        actor=actor,
        rest_ms=control.context.policy.cooldown_ms,
        rest_reason="cooldown",
        unmanage=True,
    )
    clearing = control.acts.guarded(control.acting.clear_and_let_go(lease))
    act = asyncio.create_task(control.acts.alone(lease.instance, clearing))
    await asyncio.wait({act}, timeout=_ANSWER_WITHIN)
    now = await pool.lease(lease.proxy_id)
    return now if now is not None and now.token == lease.token else None


async def rotate(
    control: ServerControl,
    name: str,
    *,
    actor: str,
    pin: str = "",
    group: str | None = None,
    op_id: str | None = None,
    lease: Lease | None = None,
) -> Lease:
    """Gives the instance another proxy, in place of this ``lease`` and no other where it is given.

    Raises as :func:`assign`; after a refusal the old lease is active again.
    """
    _writes(control)
    observation = await look(control.context, name)
    act = _rotate(control, observation, actor=actor, pin=pin, group=group, op_id=op_id, lease=lease)
    return await control.acts.alone(observation.id, act)


async def disable(
    controller: Controller, proxy_id: str, *, actor: str, force: bool = False, op_id: str | None = None
) -> None:
    """Takes a proxy out of use. A used one drains: it keeps its instance until that lets go, or with ``force`` the
    instance gets another now.

    Raises :class:`RefusedError` (unknown_proxy), and with ``force`` as :func:`rotate`.
    """
    pool = controller.pool
    await pool.disable(proxy_id, reason="by_hand", actor=actor, op_id=op_id)
    proxy = await pool.proxy(proxy_id) if force else None
    if proxy and proxy.lease and movable(proxy.lease):
        control, rotate_id = controller.server(proxy.lease.server), op_id and f"{op_id}:rotate"
        await rotate(control, proxy.lease.name, actor=actor, op_id=rotate_id, lease=proxy.lease)


def movable(lease: Lease) -> bool:
    """Whether its instance can be given another proxy now."""
    return not lease.tail and not lease.reservation and lease.phase is not Phase.RELEASING


async def held_by(control: ServerControl, name: str) -> Lease:
    """The lease of the instance; one that no tick has seen yet is asked for. Raises :class:`RefusedError` (no_lease,
    unknown_instance)."""
    pool, server = control.pool, control.context.server
    instance = await pool.instance_id(server, name) or (await look(control.context, name)).id
    lease = await pool.lease_of(server, instance)
    if lease is None:
        raise RefusedError("no_lease", instance=name)
    return lease


async def look(context: Context, name: str) -> Observation:
    """What the server says of the instance now. Raises :class:`RefusedError` (unknown_instance)."""
    observation = await find_named(context.client, name)
    if observation is None:
        raise RefusedError("unknown_instance", instance=name, server=context.server)
    return observation


async def _assign(
    control: ServerControl,
    observation: Observation,
    at: int,
    *,
    actor: str,
    pin: str,
    group: str | None,
    op_id: str | None,
) -> Given:
    context, pool = control.context, control.pool
    if observation.integration not in context.policy.integrations:
        # A restart of another one does nothing (EVOLUTION.md, 6): it would never be seen to use the proxy or let go.
        raise RefusedError("other_integration", instance=observation.name, integration=observation.integration)
    last = await pool.last_token()
    await pool.observe(context.server, [sighting_of(observation, context.policy)], seen_at=at, actor=actor)
    lease = await pool.lease_of(context.server, observation.id)
    if lease is None and pin in ("", row_value(observation.row)):
        lease = await _adopt(control, observation, actor, at)
    if lease is None:
        wish = wish_of(context, observation, pin=pin, group=group)
        outcomes = await pool.acquire(context.server, [wish], reason="by_hand", actor=actor, human=True, op_id=op_id)
        outcome = outcomes[0]
        if outcome.word not in ("LEASED", "HELD"):
            raise RefusedError(outcome.word.lower(), instance=observation.name, proxy=outcome.proxy_id)
        lease = await _current(control, observation.id)
        new = outcome.word == "LEASED"
    else:
        new = False
        await pool.unmanage(context.server, observation.id, unmanaged=False, actor=actor)
        if lease.phase is Phase.RELEASING:
            await pool.cancel_release(lease, actor=actor, manage=True)
            lease = await _current(control, observation.id)
        if pin and pin != lease.proxy_id:
            rotate_id = op_id and f"{op_id}:rotate"  # an id is one script's: under the same one acquire may be replayed
            return Given(await _rotate(control, observation, actor=actor, pin=pin, group=None, op_id=rotate_id), True)
    if lease.phase is Phase.RESERVED:
        await _configure(control, lease, last, actor)
    return Given(await _current(control, observation.id), new)


async def _configure(control: ServerControl, lease: Lease, last: int, actor: str) -> None:
    """A reservation that is older than the request (``last`` was the last token then) is an earlier life's or another
    process': its set may have been sent."""
    if int(lease.token) <= last:
        await control.pool.mark(lease, "unknown")
    await configure(control.context, lease, actor=actor, tell=True)
    await control.acting.settle_in(lease.instance)


async def _adopt(control: ServerControl, observation: Observation, actor: str, at: int) -> Lease | None:
    """The row's proxy, where the instance has one that can be its lease."""
    row, server = row_value(observation.row), control.context.server
    if row in ("", "off"):
        return None
    await control.pool.adopt(server, [claim_of(server, observation, row)], seen_at=at, actor=actor)
    return await control.pool.lease_of(server, observation.id)


async def _rotate(
    control: ServerControl,
    observation: Observation,
    *,
    actor: str,
    pin: str,
    group: str | None,
    op_id: str | None,
    lease: Lease | None = None,
) -> Lease:
    context, pool = control.context, control.pool
    lease = lease or await pool.lease_of(context.server, observation.id)
    if lease is None:
        raise RefusedError("no_lease", instance=observation.name)
    if lease.instance != observation.id:
        raise RefusedError("stale", instance=observation.name)
    wish, last = wish_of(context, observation, pin=pin, group=group), await pool.last_token()
    await pool.rotate(
        lease,
        reason="by_hand",
        actor=actor,
        human=True,
        pin=pin,
        group=wish.group,
        strict=wish.strict,
        rest_ms=max(ROTATED_REST_MS, context.policy.cooldown_ms),
        op_id=op_id,
    )
    fresh = await _current(control, observation.id)
    if fresh.phase is Phase.RESERVED:
        await _configure(control, fresh, last, actor)
    return await _current(control, observation.id)


async def _current(control: ServerControl, instance: str) -> Lease:
    lease = await control.pool.lease_of(control.context.server, instance)
    if lease is None:
        raise RefusedError("stale", instance=instance)
    return lease


def _writes(control: ServerControl) -> None:
    if control.observe_only:
        raise RefusedError("observe_mode")
