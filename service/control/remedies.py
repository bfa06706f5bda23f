"""What is done about an instance that can't connect: its row once more, then another proxy."""

from __future__ import annotations

import logging

from service import messages
from service.control.assigning import configure, rewrite_row, tell_failure
from service.control.context import Context
from service.control.evidence import DEAD_PROXY
from service.control.live import live_state, note_state, sign
from service.control.policy import PROBATION_MS, ROTATED_REST_MS
from service.errors import EvolutionError, EvolutionRejectedError, RefusedError
from service.pool.models import Lease

logger = logging.getLogger(__name__)

_WAITS = frozenset({"no_proxy_available", "rotations_spent", "paused", "braked", "not_reconciled", "restoring"})


async def cure(context: Context, lease: Lease) -> bool:
    """Sets the proxy of a lease in trouble once more; answers whether the row was read back.

    That alone ends a reconnect loop (EVOLUTION.md, B9), and it is a second opinion: Evolution tests the proxy, and an
    explicit refusal is a sign against it. No refusal counts for the brake, as this proxy is suspected already.
    """
    async with context.cures.slot():
        if not await _in_trouble(context, lease):
            return False
        at = context.pool.clock.now()
        await sign(context, lease, "cure", at)
        spec = await context.pool.spec(lease.proxy_id)
        if spec is None:
            return False
        _tell(context, "cure", lease)
        try:
            await rewrite_row(context, lease, spec, refusal="answered")
        except EvolutionError as error:
            if isinstance(error, EvolutionRejectedError):
                await sign(context, lease, "refused", at)
            tell_failure(context, lease, error)
            return False
        await context.pool.mark(lease, "answered")
        return True


async def rotate(context: Context, lease: Lease) -> bool:
    """Gives the instance of a dead proxy another one, of the same group if it can be; answers whether it has it.

    One that Evolution refuses is given back, and the next is tried. What fails is tried again by a later tick; after
    the rotations of a day the instance waits for a human.
    """
    return await _in_trouble(context, lease) and await replace(context, lease)


async def replace(context: Context, lease: Lease) -> bool:
    """:func:`rotate`, whatever the live state: that another proxy is accepted shows that this one is to blame."""
    policy, pool = context.policy, context.pool
    group, strict = policy.group_of(context.server, lease.name, lease.owner or None)
    spec = await pool.spec(lease.proxy_id)
    for _ in range(context.patience.other_proxies):
        try:
            proxy_id, token = await pool.rotate(
                lease,
                reason=DEAD_PROXY,
                group=group or (spec.group if spec else ""),
                strict=strict,
                rest_ms=max(ROTATED_REST_MS, policy.cooldown_ms),
                probation_ms=PROBATION_MS,
                per_day=policy.rotations_per_day,
            )
        except RefusedError as error:
            if error.code not in _WAITS:
                raise
            _tell_waiting(context, lease, error.code)
            return False
        _tell(context, "rotating", lease)
        fresh = await pool.lease(proxy_id)
        if fresh is None or fresh.token != token:
            return False
        try:
            await configure(context, fresh, tell=True)
        except EvolutionRejectedError as error:
            tell_failure(context, fresh, error)
            await context.sleep(context.backoff.failed(lease.holder))
            back = await pool.lease(lease.proxy_id)
            if back is None or back.tail:
                return False
            lease = back
            continue
        except EvolutionError as error:
            tell_failure(context, fresh, error)
            return False
        context.backoff.succeeded(lease.holder)
        context.short.pop(lease.holder, None)
        return True
    return False


async def _in_trouble(context: Context, lease: Lease) -> bool:
    """Whether it still can't connect: what was decided on was read a while ago."""
    try:
        at, state = await live_state(context, lease.name)
    except EvolutionError as error:
        tell_failure(context, lease, error)
        return False
    await note_state(context, lease, at, state)
    return state in ("close", "connecting")


def _tell(context: Context, code: str, lease: Lease) -> None:
    logger.warning(
        messages.text(code, context.locale, instance=lease.name),
        extra={"server": context.server, "proxy": lease.proxy_id, "code": code},
    )


def _tell_waiting(context: Context, lease: Lease, code: str) -> None:
    """That no proxy is free is told once a lease; the pool tells by itself only once that rotations are spent."""
    if code == "rotations_spent":
        _tell(context, code, lease)
    elif code == "no_proxy_available" and context.short.get(lease.holder) != lease.token:
        context.short[lease.holder] = lease.token
        _tell(context, "rotation_waits", lease)
    else:
        logger.debug("rotation waits", extra={"instance": lease.name, "server": context.server, "code": code})
