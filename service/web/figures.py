"""The figures of the pool as the API shows them: never clamped, the impossible ones with a warning."""

from __future__ import annotations

from service import messages
from service.control.controller import Controller
from service.control.hints import Hints
from service.messages import Locale
from service.pool.servers import ServerRecord
from service.pool.stats import ServerFigures, Stats
from service.web.models import ApiModel, Time
from service.web.pace import PaceOut


class CountsOut(ApiModel):
    """Proxies by status. ``utilization`` is used / (total - disabled) in percent."""

    total: int
    used: int
    available: int
    utilization: float
    cooling: int
    quarantined: int
    disabled: int


class BrakeHalf(ApiModel):
    """``reason`` is in words."""

    server: str
    half: str
    reason: str
    since: Time


class BrakeOut(ApiModel):
    """``reason`` and ``since`` are those of the half that has been engaged longest."""

    engaged: bool
    reason: str | None
    since: Time
    servers: list[BrakeHalf]


class Suspicion(ApiModel):
    """The server or its network seems to be to blame for what its instances show: no proxy of theirs is rotated.
    ``reason`` is in words."""

    reason: str
    since: Time


class WebhooksOut(ApiModel):
    """Events that this process has received from one server since its start, and how many of them say nothing about
    connections; it shows an operator that they come."""

    received: int
    ignored: int
    last_at: Time


class ServerOut(ApiModel):
    """One Evolution server. ``read`` says whether it was compared in this epoch: nothing is handed out before each
    server was, unless it is ``ignored``. One that is not ``configured`` any more still holds its leases; nobody looks
    at it. ``drift`` is how much differed there at the last look."""

    name: str
    configured: bool
    host: str | None
    leases: int
    instances: dict[str, int]
    read: bool
    ignored: bool
    unprotected: int
    drift: int
    pace: PaceOut | None
    suspect: Suspicion | None
    error: str | None
    last_poll_at: Time
    planned: dict[str, int]
    webhooks: WebhooksOut | None


class StatsOut(CountsOut):
    """Every figure at one instant, ``at``. ``mirror_lag`` is in seconds, null without a mirror. ``eta_seconds``: about
    how long until all that waits for its turn is over, on the slowest server; null when nothing waits."""

    at: Time
    mode: str
    paused: bool
    reserved: int
    releasing: int
    stuck: int
    external: int
    unprotected: int
    not_applied: int
    rotations_spent: int
    reservations: int
    instances: dict[str, int]
    groups: dict[str, CountsOut]
    servers: list[ServerOut]
    unread_servers: list[str]
    eta_seconds: int | None
    brake: BrakeOut
    events: int
    events_max: int
    events_lost: bool
    epoch: str
    last_poll_at: Time
    mirror_lag: float | None
    warnings: list[str]


def figures(stats: Stats, controller: Controller, locale: Locale, *, mirror_lag: float | None = None) -> StatsOut:
    """``stats`` beside what this process knows of its servers."""
    servers = [
        _server(name, stats.servers.get(name, ServerFigures()), stats.epoch, controller, locale)
        for name in controller.servers
    ]
    polled = [server.last_poll_at for server in servers]
    return StatsOut(
        **stats.counts.figures(),
        at=controller.pool.clock.now(),
        mode=controller.settings.mode,
        paused=stats.paused,
        reserved=stats.reserved,
        releasing=stats.releasing,
        stuck=stats.stuck,
        external=stats.external,
        unprotected=stats.unprotected,
        not_applied=stats.unapplied,
        rotations_spent=stats.spent,
        reservations=stats.reservations,
        instances=stats.states,
        groups={name: CountsOut(**counts.figures()) for name, counts in sorted(stats.groups.items())},
        servers=[*servers, *(_former(stats, name) for name in sorted(stats.former))],
        unread_servers=[server.name for server in servers if not (server.read or server.ignored)],
        eta_seconds=max(
            (one.pace.eta_seconds for one in servers if one.pace and one.pace.eta_seconds is not None), default=None
        ),
        brake=_brake(stats, locale),
        events=stats.events,
        events_max=stats.events_max,
        events_lost=stats.lost is not None,
        epoch=stats.epoch,
        last_poll_at=min((at for at in polled if at is not None), default=None) if None not in polled else None,
        mirror_lag=mirror_lag,
        warnings=[messages.text(code, locale, **params) for code, params in _impossible(stats)],
    )


def _server(name: str, found: ServerFigures, epoch: str, controller: Controller, locale: Locale) -> ServerOut:
    control, record = controller.servers[name], found.record
    return ServerOut(
        name=name,
        configured=True,
        host=controller.hosts.get(name),
        leases=found.leases,
        instances=found.states,
        read=record.read_in(epoch),
        ignored=record.ignored,
        unprotected=found.unprotected,
        drift=len(control.drift),
        pace=PaceOut.of(control.context),
        suspect=_suspicion(record, locale),
        error=control.error.code if control.error else None,
        last_poll_at=control.last_poll_at,
        planned=control.planned,
        webhooks=_webhooks(controller.hints[name]),
    )


def _webhooks(hints: Hints) -> WebhooksOut:
    return WebhooksOut(received=hints.received, ignored=hints.ignored, last_at=hints.last_at)


def _former(stats: Stats, name: str) -> ServerOut:
    """What is left of a server that is not configured any more."""
    found = stats.servers.get(name, ServerFigures())
    return ServerOut(
        name=name,
        configured=False,
        host=None,
        leases=stats.former[name],
        instances=found.states,
        read=False,
        ignored=False,
        unprotected=found.unprotected,
        drift=1 if stats.former[name] else 0,
        pace=None,
        suspect=None,
        error=None,
        last_poll_at=None,
        planned={},
        webhooks=None,
    )


def _suspicion(record: ServerRecord, locale: Locale) -> Suspicion | None:
    if record.suspect_since is None:
        return None
    return Suspicion(reason=messages.why(record.suspect_reason, locale), since=record.suspect_since)


def _brake(stats: Stats, locale: Locale) -> BrakeOut:
    halves = [
        BrakeHalf(server=name, half=half, reason=messages.why(brake.reason, locale), since=brake.since)
        for name, found in sorted(stats.servers.items())
        for half, brake in found.record.engaged.items()
    ]
    first = min(halves, key=lambda half: half.since or 0, default=None)
    return BrakeOut(
        engaged=bool(halves),
        reason=first.reason if first else None,
        since=first.since if first else None,
        servers=halves,
    )


def _impossible(stats: Stats) -> list[tuple[str, dict[str, int]]]:
    """What can't be if the pool keeps its promises (``evoproxy check`` finds the ids), and what calls for a human."""
    counts = stats.counts
    parts = counts.used + counts.available + counts.cooling + counts.quarantined + counts.disabled
    leases = sum(server.leases for server in stats.servers.values())
    found: list[tuple[str, dict[str, int]]] = []
    if parts != counts.total:
        found.append(("impossible_sum", {"parts": parts, "total": counts.total}))
    if counts.available < 0:
        found.append(("impossible_available", {"available": counts.available}))
    if leases > counts.used:
        found.append(("impossible_leases", {"leases": leases, "used": counts.used}))
    if stats.unprotected > stats.instances:
        found.append(("impossible_unprotected", {"unprotected": stats.unprotected, "instances": stats.instances}))
    if stats.restoring:
        found.append(("restoring", {}))
    if stats.lost is not None:
        found.append(("events_lost", {}))
    return found
