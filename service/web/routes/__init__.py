"""The routes, by subject. Each module declares its own in ``ROUTES``."""

from service.web.routes import (
    bulk,
    drift,
    events,
    export,
    history,
    imports,
    instances,
    jobs,
    proxies,
    reservations,
    servers,
    session,
    snapshots,
    stats,
    tokens,
)

ALL = [
    *stats.ROUTES,
    *history.ROUTES,
    *snapshots.ROUTES,
    *imports.ROUTES,
    *export.ROUTES,
    *proxies.ROUTES,
    *instances.ROUTES,
    *bulk.ROUTES,
    *jobs.ROUTES,
    *reservations.ROUTES,
    *servers.ROUTES,
    *drift.ROUTES,
    *events.ROUTES,
    *tokens.ROUTES,
    *session.ROUTES,
]
