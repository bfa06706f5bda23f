"""On which server an instance lives, by its name alone."""

from __future__ import annotations

from service.control import byhand
from service.control.controller import Controller
from service.control.server import ServerControl
from service.errors import RefusedError


async def locate(controller: Controller, name: str, server: str | None = None) -> ServerControl:
    """The server named ``server``, else the only one that knows the instance; one not yet polled is asked for.

    Raises :class:`RefusedError` (not_configured, unknown_instance, ambiguous_instance), and what keeps a server that
    would have to be asked from answering.
    """
    if server is not None:
        return controller.server(server)
    controls = list(controller.servers.values())
    if len(controls) == 1:
        return controls[0]
    known = [control for control in controls if await controller.pool.instance_id(control.context.server, name)]
    if not known:
        known = [control for control in controls if await _lives_on(control, name)]
    if len(known) > 1:
        names = ", ".join(control.context.server for control in known)
        raise RefusedError("ambiguous_instance", instance=name, server=names)
    if not known:
        raise RefusedError("unknown_instance", instance=name)
    return known[0]


async def _lives_on(control: ServerControl, name: str) -> bool:
    try:
        await byhand.look(control.context, name)
    except RefusedError:
        return False
    return True
