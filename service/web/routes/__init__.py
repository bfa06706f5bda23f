"""The routes, by subject. Each module declares its own in ``ROUTES``."""

from service.web.routes import drift, export, imports, instances, proxies, reservations, servers, stats, tokens

ALL = [
    *stats.ROUTES,
    *imports.ROUTES,
    *export.ROUTES,
    *proxies.ROUTES,
    *instances.ROUTES,
    *reservations.ROUTES,
    *servers.ROUTES,
    *drift.ROUTES,
    *tokens.ROUTES,
]
