"""Whether a Redis is fit to hold a pool."""

from __future__ import annotations

import logging

from service.errors import SettingsError
from service.pool.runner import Runner

logger = logging.getLogger(__name__)


async def check_server(pool: Runner) -> None:
    """Warns of a server without AOF, whose restart loses leases.

    Raises :class:`SettingsError` when the server may evict keys: it would forget who holds what.
    """
    info = await pool.reading(pool.redis.info())
    policy = str(info.get("maxmemory_policy", "noeviction"))
    if policy != "noeviction":
        raise SettingsError(
            problems=[
                f"REDIS_URL: the server's maxmemory-policy is {policy}; it must be noeviction, or leases get lost"
            ]
        )
    if not int(info.get("aof_enabled", 0)):
        logger.warning("Redis runs without AOF (appendonly no): a restart of it can lose the latest changes")
