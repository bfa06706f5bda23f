"""The figures of one scrape as Prometheus' metric families; gauges, but for what their names call a total.

Labels are bounded: servers by the settings, groups by :data:`MOST_GROUPS`, all others by words of ours.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from service.background import Loop
from service.control.controller import Controller
from service.control.hints import Hints
from service.control.server import ServerControl
from service.pool.stats import Counts, ServerFigures, Stats
from service.web.context import Mirroring

MOST_GROUPS = 100
"""The largest groups have a label of their own, the rest are ``other``; proxies without a group are ``none``."""

_Samples = Iterable[tuple[tuple[str, ...], float]]

_POOL: Sequence[tuple[str, str, Callable[[Stats], float]]] = (
    ("utilization_ratio", "Used proxies of those that are not disabled", lambda now: now.counts.utilization / 100),
    ("stuck_releases", "Releases set aside after six refusals", lambda now: now.stuck),
    ("unprotected_instances", "Open managed instances without an applied proxy", lambda now: now.unprotected),
    ("unapplied_instances", "Instances whose proxy is set and not applied", lambda now: now.unapplied),
    ("external_instances", "Instances whose row names a proxy that the pool does not know", lambda now: now.external),
    ("spent_instances", "Instances that have spent the rotations of a day", lambda now: now.spent),
    ("reservations", "Open reservations", lambda now: now.reservations),
    (
        "former_servers",
        "Servers that are no longer configured and still hold or name something",
        lambda n: len(n.former),
    ),
    ("paused", "Whether automatic work is paused", lambda now: now.paused),
    ("restoring", "Whether a restore is under way or was cut", lambda now: now.restoring),
    ("stream_events", "Events in the stream", lambda now: now.events),
    ("stream_events_max", "Bound of the stream", lambda now: now.events_max),
    (
        "stream_overflowed",
        "Whether the bound has dropped events unread that are not reported yet",
        lambda n: bool(n.lost),
    ),
)

_SERVER: Sequence[tuple[str, str, Callable[[ServerControl, ServerFigures], float]]] = (
    (
        "up",
        "Whether the last look at the server succeeded",
        lambda now, _: now.last_poll_at is not None and not now.error,
    ),
    ("leases", "Leases of the server's instances", lambda _, found: found.leases),
    ("unprotected_instances", "Open managed instances without an applied proxy", lambda _, found: found.unprotected),
    ("drift", "Instances and leases that differed at the last look", lambda now, _: len(now.drift)),
    ("suspect", "Whether the server itself is to blame for hanging", lambda _, found: bool(found.record.suspect_since)),
    ("sets_in_flight", "Settings of proxies under way", lambda now, _: now.context.sets.in_flight),
    ("sets_waiting", "Settings of proxies that wait for their turn", lambda now, _: now.context.sets.waiting),
    ("restarts_waiting", "Restarts that wait for their turn", lambda now, _: now.context.restarts.waiting),
)


def of_pool(stats: Stats | None) -> Iterator[Metric]:
    """``None`` when it can't be reached."""
    yield _gauge("pool_up", "Whether the pool can be reached", (), [((), stats is not None)])
    if stats is None:
        return
    for name, meaning, value in _POOL:
        yield _gauge(name, meaning, (), [((), value(stats))])
    counts, groups = stats.counts, _bounded(stats.groups)
    active = counts.used - stats.reserved - stats.releasing
    phases = {"reserved": stats.reserved, "active": active, "releasing": stats.releasing}
    yield _gauge("proxies", "Proxies", ("status",), ((key, value) for key, value in _by_status(counts)))
    yield _gauge("leases", "Leases", ("phase",), (((phase,), value) for phase, value in phases.items()))
    yield _gauge(
        "group_proxies",
        "Proxies of a group",
        ("group", "status"),
        (((name, *key), value) for name, counts in groups.items() for key, value in _by_status(counts)),
    )
    yield _gauge(
        "group_utilization_ratio",
        "Used proxies of the group's that are not disabled",
        ("group",),
        (((name,), counts.utilization / 100) for name, counts in groups.items()),
    )
    yield _gauge(
        "instances",
        "Known instances",
        ("server", "state"),
        (((name, state), value) for name, found in stats.servers.items() for state, value in found.states.items()),
    )


def of_servers(stats: Stats, controller: Controller) -> Iterator[Metric]:
    """Of the configured ones."""
    servers = {name: (now, stats.servers.get(name, ServerFigures())) for name, now in controller.servers.items()}
    for name, meaning, value in _SERVER:
        samples = (((server,), value(now, found)) for server, (now, found) in servers.items())
        yield _gauge(f"server_{name}", meaning, ("server",), samples)
    yield _gauge(
        "server_last_poll_timestamp_seconds",
        "When the server was last read completely",
        ("server",),
        (((name,), now.last_poll_at / 1000) for name, (now, _) in servers.items() if now.last_poll_at is not None),
    )
    yield _gauge(
        "server_read",
        "Whether the server was read in this epoch or is ignored; nothing is handed out before each was",
        ("server",),
        (((name,), found.record.read_in(stats.epoch) or found.record.ignored) for name, (_, found) in servers.items()),
    )
    yield _gauge(
        "brake_engaged",
        "Whether a half of the brake is engaged",
        ("server", "half"),
        (
            ((name, half), brake.engaged)
            for name, (_, found) in servers.items()
            for half, brake in found.record.brakes.items()
        ),
    )


def of_webhooks(hints: Mapping[str, Hints]) -> Iterator[Metric]:
    """Of this process, since its start."""
    yield _total("webhook_events", "Events received", "server", {name: one.received for name, one in hints.items()})
    yield _total(
        "webhook_events_ignored",
        "Events received that say nothing about connections",
        "server",
        {name: one.ignored for name, one in hints.items()},
    )


def of_mirror(mirror: Mirroring) -> Iterator[Metric]:
    """Each event is counted by the one process that writes it into SQL."""
    if mirror.lag is not None:
        yield _gauge("mirror_lag_seconds", "Age of the oldest event that is not in SQL", (), [((), mirror.lag)])
    yield _total("events", "Events of the audit trail, as they are written into SQL", "type", mirror.events)
    gaps = CounterMetricFamily("evoproxy_event_gaps", "Gaps in the audit trail that this process reported")
    gaps.add_metric((), mirror.gaps)
    yield gaps


def of_loops(loops: Iterable[Loop], now: float) -> Iterator[Metric]:
    """``now`` in the seconds of the loops' clock."""
    every, epoch = list(loops), time.time() - now
    yield _gauge(
        "loop_healthy",
        "Whether the loop runs and has succeeded lately",
        ("loop",),
        (((loop.name,), loop.healthy()) for loop in every),
    )
    yield _gauge(
        "loop_last_success_timestamp_seconds",
        "When the loop last succeeded",
        ("loop",),
        (((loop.name,), epoch + loop.last_success) for loop in every if loop.last_success is not None),
    )
    yield _gauge(
        "loop_interval_seconds", "The loop's interval", ("loop",), (((loop.name,), loop.interval) for loop in every)
    )
    yield _gauge(
        "loop_failures", "Failures of the loop in a row", ("loop",), (((loop.name,), loop.failures) for loop in every)
    )


def _by_status(counts: Counts) -> Iterator[tuple[tuple[str], int]]:
    yield ("free",), counts.available
    yield ("used",), counts.used
    yield ("cooling",), counts.cooling
    yield ("quarantined",), counts.quarantined
    yield ("disabled",), counts.disabled


def _bounded(groups: Mapping[str, Counts]) -> Mapping[str, Counts]:
    found: dict[str, Counts] = {}
    largest = sorted(groups.items(), key=lambda group: (-group[1].total, group[0]))
    for place, (name, counts) in enumerate(largest):
        label = (name or "none") if place < MOST_GROUPS else "other"
        before = found.get(label, Counts())
        found[label] = Counts(*(one + other for one, other in zip(astuple(before), astuple(counts), strict=True)))
    return found


def _gauge(name: str, meaning: str, labels: tuple[str, ...], samples: _Samples) -> Metric:
    family = GaugeMetricFamily(f"evoproxy_{name}", meaning, labels=labels)
    for key, value in samples:
        family.add_metric(key, value)
    return family


def _total(name: str, meaning: str, label: str, values: Mapping[str, int]) -> Metric:
    family = CounterMetricFamily(f"evoproxy_{name}", meaning, labels=(label,))
    for key, value in values.items():
        family.add_metric((key,), value)
    return family
