"""A human's word that a server is gone for good."""

from __future__ import annotations

from service.pool.instances import Forgotten
from service.pool.pool import Pool


async def forget_server(
    pool: Pool, server: str, *, actor: str, rest_ms: int, limit: int = 200, op_id: str | None = None
) -> Forgotten:
    """Ends and forgets all that a former server holds, ``limit`` things a script; answers how much that was.

    A call that was cut off is finished by the next one, with the same ``op_id`` or without. Raises
    :class:`service.errors.RefusedError` (still_configured, unknown_server).
    """
    leases = instances = batch = 0
    while True:
        one = op_id and f"{op_id}:{batch}"
        done = await pool.forget_server(server, actor=actor, rest_ms=rest_ms, limit=limit, op_id=one)
        leases, instances, batch = leases + done.leases, instances + done.instances, batch + 1
        if not done.more:
            return Forgotten(leases, instances, more=False)
