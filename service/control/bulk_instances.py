"""What a bulk action does to instances."""

from __future__ import annotations

from service.control import byhand
from service.control.bulk import Batch, Task, Thing, matching, named
from service.control.controller import Controller
from service.pool.models import Instance, Phase


class OnInstances:
    """See :class:`service.control.bulk.Kind`. An instance that no tick has seen yet is unknown."""

    paced = True

    def __init__(self, controller: Controller, task: Task) -> None:
        self._controller = controller
        self._pool = controller.pool
        self._task = task

    async def batch(self, cursor: str, most: int) -> Batch[Instance]:
        if search := self._task.instances:
            which = search.list or "instances"

            async def read(position: str, count: int) -> tuple[str, list[Instance]]:
                return await self._pool.page_instances(position, count, which)

            found, following = await matching(read, lambda one: one.position, search.meets, cursor, most)
            return Batch([Thing(f"{one.server}/{one.name}", one) for one in found], following)
        names, following = named(self._task.ids, cursor, most)
        return Batch([await self._named(name) for name in names], following)

    async def _named(self, name: str) -> Thing[Instance]:
        servers = [self._task.server] if self._task.server else list(self._controller.servers)
        known = [(server, one) for server in servers if (one := await self._pool.instance_id(server, name))]
        if len(known) > 1:
            return Thing(name, None, "ambiguous_instance")
        found = await self._pool.instance(*known[0]) if known else None
        return Thing(f"{found.server}/{found.name}" if found else name, found, "unknown_instance")

    def hindrance(self, found: Instance, after: int) -> str:
        return hindrance(self._task, found, after)

    async def act(self, found: Instance, *, actor: str, op_id: str) -> None:
        control, task = self._controller.server(found.server), self._task
        match task.action:
            case "assign":
                await byhand.assign(control, found.name, actor=actor, group=task.group, op_id=op_id)
            case "rotate":
                await byhand.rotate(control, found.name, actor=actor, group=task.group, lease=found.lease, op_id=op_id)
            case "release":
                await byhand.release(control, found.name, actor=actor, force=task.force, lease=found.lease)


def hindrance(task: Task, instance: Instance, after: int) -> str:
    """Why nothing is to be done to the instance as it is; see :meth:`service.control.bulk.Kind.hindrance`."""
    lease = instance.lease
    releasing = lease is not None and lease.phase is Phase.RELEASING
    if task.action == "assign":
        return "" if lease is None or releasing or instance.unmanaged else "unchanged"
    if lease is None:
        return "no_lease"
    if int(lease.token) > after:
        return "later_lease"
    return "wrong_phase" if releasing and not (task.action == "release" and task.force) else ""
