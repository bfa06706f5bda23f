"""Instances that a list does not hold: gone only if the server itself answers 404 for them."""

from __future__ import annotations

import logging

from service.control.context import Context
from service.control.looking import Look
from service.errors import EvolutionError, EvolutionNotFoundError, RefusedError
from service.pool.models import Evidence, Lease

logger = logging.getLogger(__name__)

_AT_ONCE = 20


async def verify(context: Context, lease: Lease) -> None:
    """Ends the lease of an instance that answers 404; its proxy rests: the socket may live on (EVOLUTION.md, B15)."""
    try:
        await context.client.connection_state(lease.name)
    except EvolutionNotFoundError:
        await context.pool.finish_release(
            lease, Evidence.GONE, rest_ms=context.policy.orphan_rest_ms, rest_reason="orphan"
        )
        await forget(context, lease.instance)
    except EvolutionError as error:
        _unproved(context, lease.name, error)


async def forget_absent(context: Context, look: Look) -> None:
    """Forgets instances that hold nothing, are not listed and answer 404: a few at a time, others with each look."""
    known = await context.pool.known(context.server)
    absent = [
        (name, key)
        for name, key in known.items()
        if key not in look.observations and key not in look.leases and key not in look.tails
    ]
    start = look.at // 1000 % len(absent) if absent else 0
    for name, key in (absent[start:] + absent[:start])[:_AT_ONCE]:
        try:
            await context.client.connection_state(name)
        except EvolutionNotFoundError:
            await forget(context, key)
        except EvolutionError as error:
            _unproved(context, name, error)
            return


async def forget(context: Context, instance: str) -> None:
    """Removes what is known of an instance that is proved gone, unless it holds something still."""
    context.forget(f"{context.server}/{instance}")
    try:
        await context.pool.forget_instance(context.server, instance)
    except RefusedError as error:
        if error.code != "held":
            raise
        logger.debug("still held", extra={"instance": instance})


def _unproved(context: Context, name: str, error: EvolutionError) -> None:
    logger.info("absence not proved", extra={"instance": name, "server": context.server, "code": error.code})
