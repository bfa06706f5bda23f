"""A human's repair of drift: a look at once, and then what only a human may decide."""

from __future__ import annotations

from service.control import byhand
from service.control.controller import Controller
from service.control.drift import Drift, Kind, Remedy, unconfigured
from service.control.server import ServerControl
from service.errors import RefusedError
from service.pool.models import Evidence


async def repair(controller: Controller, drift_id: str, *, actor: str, op_id: str | None = None) -> Drift | None:
    """What is left of the drift: ``None`` when it is over, else what goes on to repair itself.

    Raises :class:`RefusedError` (unknown_drift, nothing_to_repair, needs_forgetting, observe_mode, and as the functions
    of :mod:`~service.control.byhand`), and what keeps the server from being asked.
    """
    control = await _server_of(controller, drift_id)
    if control.observe_only:
        raise RefusedError("observe_mode")
    await control.look_at([control.drift[drift_id].name])
    drift = control.drift.get(drift_id)
    if drift is None:
        return None
    if drift.remedy is None:
        controller.look_soon(control.context.server)
        return drift
    await _remedy(control, drift, drift.remedy, actor, op_id)
    controller.look_soon(control.context.server)
    return None


async def _server_of(controller: Controller, drift_id: str) -> ServerControl:
    for control in controller.servers.values():
        if drift_id in control.drift:
            return control
    for server, leases in (await controller.pool.stats()).former.items():
        if unconfigured(server, leases).id == drift_id:
            raise RefusedError("needs_forgetting", server=server)
    raise RefusedError("unknown_drift")


async def _remedy(control: ServerControl, drift: Drift, remedy: Remedy, actor: str, op_id: str | None) -> None:
    await _unchanged(control, drift)
    lease = drift.lease
    match remedy:
        case Remedy.ASSIGN:
            await byhand.assign(control, drift.name, actor=actor, op_id=op_id)
        case Remedy.ROTATE:
            await byhand.rotate(control, drift.name, actor=actor, op_id=op_id, lease=lease)
        case Remedy.RELEASE:
            await byhand.release(control, drift.name, actor=actor, lease=lease)
        case Remedy.FORCE if lease is not None:
            await control.pool.finish_release(lease, Evidence.FORCED, actor=actor, op_id=op_id)


async def _unchanged(control: ServerControl, drift: Drift) -> None:
    """What a human saw is what is still there. Raises :class:`RefusedError` (nothing_to_repair)."""
    if drift.lease is None:
        same = await control.pool.instance_id(drift.server, drift.name) == drift.instance
    else:
        now = await control.pool.lease(drift.lease.proxy_id)
        same = now is not None and now.token == drift.lease.token and (drift.kind is not Kind.STUCK or now.stuck)
    if not same:
        raise RefusedError("nothing_to_repair")
