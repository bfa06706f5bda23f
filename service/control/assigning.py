"""Giving an instance its proxy: reserve → set → read back → confirm."""

from __future__ import annotations

import logging

from service import messages
from service.control.context import Context
from service.errors import (
    EvolutionError,
    EvolutionNotFoundError,
    EvolutionRejectedError,
    EvolutionUnknownError,
    InvalidInputError,
    RefusedError,
)
from service.evolution.models import Observation
from service.models import ProxySpec
from service.pool.batches import Outcome, Wish
from service.pool.models import Lease

logger = logging.getLogger(__name__)

_REFUSALS = 3
"""In a row, of one proxy, before its active lease is given another: one may be the server's own proxy test."""


def wish_of(context: Context, observation: Observation, *, pin: str = "", group: str | None = None) -> Wish:
    """What the instance is to get: by policy, or the pin or group that a human named."""
    ruled, strict = context.policy.group_of(context.server, observation.name, observation.owner)
    return Wish(
        observation.id,
        observation.name,
        owner=observation.owner or "",
        disc_at=str(observation.disconnection_at or ""),
        opened=observation.state == "open",
        pin=pin,
        group=ruled if group is None else group,
        strict=strict if group is None else True,
    )


async def assign(context: Context, observation: Observation, *, probe: bool = False) -> None:
    """The automatic assignment. Tries other proxies after refusals; what fails is tried again by a later tick.

    ``probe`` passes the set half of the brake, with one proxy.
    """
    name = observation.name
    _tell(context, "step_connected", name)
    for attempt in range(1 if probe else context.patience.other_proxies):
        if attempt == 0:
            _tell(context, "step_assigning", name)
        try:
            outcome, lease = await context.acquiring.acquire(
                wish_of(context, observation), reason=observation.state, probe=probe
            )
        except RefusedError as error:
            logger.info("assignment waits", extra={"instance": name, "server": context.server, "code": error.code})
            return
        if outcome.word != "LEASED":
            _tell_refusal(context, name, outcome)
            return
        if lease is None:
            return
        try:
            await configure(context, lease, tell=True)
        except EvolutionRejectedError as error:
            tell_failure(context, lease, error)
            await context.sleep(context.backoff.failed(lease.holder))
            continue
        except EvolutionError as error:
            tell_failure(context, lease, error)
            return
        context.backoff.succeeded(lease.holder)
        return


async def configure(context: Context, lease: Lease, *, actor: str = "auto", tell: bool = False) -> None:
    """Sets the proxy of a reserved lease, reads it back and confirms the lease.

    Ends with the lease active, or raises: :class:`EvolutionRejectedError` after the proxy was given back;
    :class:`EvolutionUnknownError` when the outcome is unknown (the lease stays reserved, or after the last attempt the
    proxy is quarantined); other :class:`EvolutionError` when nothing was sent (the lease stays reserved).
    """
    spec = await _spec_of(context, lease)
    if tell:
        _tell(context, "step_assigned", lease.name, address=spec.address)
    try:
        await write_row(context, lease, spec)
    except EvolutionRejectedError:
        await context.pool.abandon(lease, "refused", actor=actor)
        raise
    except EvolutionUnknownError:
        await context.pool.mark(lease, "unknown")
        await _count_unknown(context, lease, actor)
        raise
    await context.pool.confirm(lease, actor=actor)
    context.attempts.end(lease.holder)
    if tell:
        _tell(context, "step_configured", lease.name)


async def resume(context: Context, lease: Lease) -> None:
    """Finishes a reservation that an earlier life or attempt left: its set may have been sent, so the row is asked
    first and the same proxy is set again."""
    spec = await _spec_of(context, lease)
    await context.pool.mark(lease, "unknown")
    try:
        row = await context.client.find_proxy(lease.name)
        if row is not None and row.names(spec) and row.belongs_to(lease.instance):
            await context.pool.confirm(lease)
            context.attempts.end(lease.holder)
        else:
            await configure(context, lease)
    except EvolutionError as error:
        tell_failure(context, lease, error)


async def assert_row(context: Context, lease: Lease) -> bool:
    """Writes the proxy of an active lease into a row that names something else, or an old password; false when
    Evolution has refused it, or left it without an answer, for the third time in a row."""
    spec = await _spec_of(context, lease)
    try:
        await rewrite_row(context, lease, spec)
    except (EvolutionRejectedError, EvolutionUnknownError) as error:
        tell_failure(context, lease, error)
        refused = context.refusals.count(lease.holder, lease.token)
        if refused >= _REFUSALS and isinstance(error, EvolutionUnknownError):
            await context.pool.mark(lease, "refused")  # given up, it counts for the brake like a refusal
        return refused < _REFUSALS
    except EvolutionError as error:
        context.refusals.end(lease.holder)
        tell_failure(context, lease, error)
        return True
    context.refusals.end(lease.holder)
    await context.pool.mark(lease, "asserted", fingerprints=context.pool.vault.fingerprints(spec.password))
    return True


async def probe(context: Context, lease: Lease) -> None:
    """One set while the set half of the brake is engaged: the proxy that last succeeded, for the instance that holds
    it, so that the proxy can't be to blame. A success opens the brake."""
    try:
        await rewrite_row(context, lease, await _spec_of(context, lease))
    except EvolutionError as error:
        logger.info("the server still refuses", extra={"server": context.server, "code": error.code})
        return
    await context.pool.mark(lease, "answered")
    await context.pool.brake(context.server, "set", engaged=False, reason="probe")


async def rewrite_row(context: Context, lease: Lease, spec: ProxySpec, *, refusal: str = "refused") -> None:
    """:func:`write_row` under an active lease. The pool knows of the set before it is sent, so that one which a crash
    leaves without an answer is waited for like any unknown one; the caller notes that it succeeded. ``refusal`` is the
    note of a refusal: ``refused`` counts for the brake, ``answered`` does not."""
    await context.pool.mark(lease, "sending")
    try:
        await write_row(context, lease, spec)
    except EvolutionUnknownError:
        await context.pool.mark(lease, "unknown")
        raise
    except EvolutionRejectedError:
        await context.pool.mark(lease, refusal)
        raise
    except EvolutionError:
        await context.pool.mark(lease, "answered")
        raise


async def write_row(context: Context, lease: Lease, spec: ProxySpec) -> None:
    """Sets and reads back, within the bound of sets in flight: a 201 alone proves nothing (EVOLUTION.md, B1).

    Raises :class:`EvolutionUnknownError` when the row can't be seen naming the proxy.
    """
    async with context.sets.slot(urgent=lease.manual):
        try:
            await context.client.set_proxy(lease.name, spec)
        except InvalidInputError as error:
            # Evolution would answer 201 to it and save nothing: as good as a refusal.
            raise EvolutionRejectedError(server=context.server, call="set_proxy", **error.params) from None
        except EvolutionNotFoundError as error:
            # Just after a server start an instance may not be loaded yet (EVOLUTION.md, C7).
            raise EvolutionError("evolution_unavailable", **error.params) from None
        for pause in context.patience.read_backs:
            if pause:
                await context.sleep(pause)
            try:
                row = await context.client.find_proxy(lease.name)
            except EvolutionError:
                continue
            if row is not None and row.names(spec) and row.belongs_to(lease.instance):
                return
    raise EvolutionUnknownError(server=context.server, call="set_proxy", instance=lease.name, reason="not read back")


async def _count_unknown(context: Context, lease: Lease, actor: str) -> None:
    if context.attempts.count(lease.holder, lease.token) >= context.patience.set_attempts:
        context.attempts.end(lease.holder)
        await context.pool.abandon(lease, "unknown", actor=actor)


async def _spec_of(context: Context, lease: Lease) -> ProxySpec:
    spec = await context.pool.spec(lease.proxy_id)
    if spec is None:
        raise RefusedError("unknown_proxy", proxy=lease.proxy_id)
    return spec


def _tell(context: Context, code: str, name: str, **params: str) -> None:
    logger.info(
        messages.text(code, context.locale, instance=name, **params), extra={"server": context.server, "step": code}
    )


def _tell_refusal(context: Context, name: str, outcome: Outcome) -> None:
    code = outcome.word.lower()
    level = logging.WARNING if code == "no_proxy_available" else logging.DEBUG
    logger.log(
        level, messages.text(code, context.locale), extra={"instance": name, "server": context.server, "code": code}
    )


def tell_failure(context: Context, lease: Lease, error: EvolutionError) -> None:
    """Says in the log what became of a set."""
    logger.warning(
        messages.text(error.code, context.locale),
        extra={
            "instance": lease.name,
            "server": context.server,
            "proxy": lease.proxy_id,
            "code": error.code,
            "reason": str(error.params.get("reason", "")),
        },
    )
