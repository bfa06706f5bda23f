"""Drift as the API shows it, in the reader's words."""

from __future__ import annotations

import re
from collections.abc import Iterable

from service import messages
from service.control.actions import Action
from service.control.controller import Controller
from service.control.drift import Drift, Halts, Kind, Remedy, unconfigured
from service.messages import Locale
from service.pool.models import Applied, Phase, Waits
from service.pool.stats import ServerFigures, Stats
from service.web.models import ApiModel, Page, Time


class DriftOut(ApiModel):
    """One difference. ``actions`` are what is to be done next by itself, ``plan`` says so in words. ``waits_for`` is
    what keeps that back now: ``observe``, ``paused`` or ``braked``. ``repairs`` is ``itself``, or ``by_hand`` with the
    ``remedy`` of the repair route. ``leases`` is 1, but for a server that is no longer configured."""

    id: str
    kind: Kind
    description: str
    server: str
    instance_id: str | None
    instance_name: str | None
    proxy_id: str | None
    row: str | None
    phase: Phase | None
    waits: Waits | None
    applied: Applied | None
    leases: int
    since: Time
    actions: list[str]
    plan: str
    waits_for: str | None
    repairs: str
    remedy: Remedy | None


class RepairOut(ApiModel):
    """``drift`` is what is left of it, null when it is over or a human's remedy was begun."""

    id: str
    drift: DriftOut | None


class DriftPage(Page[DriftOut]):
    """``as_of``: when the oldest of the readings began that it stems from; null before the first."""

    as_of: Time


def code_of(action: Action) -> str:
    """``begin_release`` of a :class:`~service.control.actions.BeginRelease`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", type(action).__name__).lower()


def all_drift(controller: Controller, stats: Stats) -> Iterable[Drift]:
    """What differs on every server, and those with leases that are no longer configured."""
    for control in controller.servers.values():
        yield from control.drift.values()
    for server, leases in stats.former.items():
        if leases:
            yield unconfigured(server, leases)


def drift_out(drift: Drift, controller: Controller, stats: Stats, locale: Locale) -> DriftOut:
    lease, halted = drift.lease, _halts(drift.server, controller, stats).of(drift)
    return DriftOut(
        id=drift.id,
        kind=drift.kind,
        description=messages.text(f"drift_{drift.kind}", locale),
        server=drift.server,
        instance_id=drift.instance or None,
        instance_name=drift.name or None,
        proxy_id=drift.proxy_id or None,
        row=drift.row or None,
        phase=lease.phase if lease else None,
        waits=lease.waits if lease else None,
        applied=lease.applied if lease else None,
        leases=drift.leases,
        since=drift.since or None,
        actions=[code_of(action) for action in drift.plan],
        plan=_plan(drift, halted, locale),
        waits_for=halted or None,
        repairs="by_hand" if drift.remedy else "itself",
        remedy=drift.remedy,
    )


def _plan(drift: Drift, halted: str, locale: Locale) -> str:
    codes = [f"drift_does_{code_of(action)}" for action in drift.plan]
    if drift.remedy is not None:
        codes.append(f"drift_needs_{drift.remedy}")
    if not codes:
        codes.append("drift_does_reconnect_itself" if drift.kind is Kind.NOT_APPLIED else "drift_does_look")
    if halted:
        codes.append(f"drift_halted_{halted}")
    return "; ".join(messages.text(code, locale, server=drift.server) for code in codes)


def _halts(server: str, controller: Controller, stats: Stats) -> Halts:
    record = stats.servers.get(server, ServerFigures()).record
    return Halts(
        observe=controller.settings.mode == "observe",
        paused=stats.paused,
        release_brake=record.release_brake.engaged,
        set_brake=record.set_brake.engaged,
    )
