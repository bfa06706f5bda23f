"""The routes, by subject. Each module declares its own in ``ROUTES``."""

from service.web.routes import imports, instances, proxies, reservations, servers, stats, tokens

ALL = [
    *stats.ROUTES,
    *imports.ROUTES,
    *proxies.ROUTES,
    *instances.ROUTES,
    *reservations.ROUTES,
    *servers.ROUTES,
    *tokens.ROUTES,
]
