"""What a bulk action does to proxies."""

from __future__ import annotations

from service.control import byhand
from service.control.bulk import Batch, Task, Thing, matching, named
from service.control.controller import Controller
from service.errors import RefusedError
from service.importing.draft import LABELS_LIMIT
from service.pool.models import Lease, Proxy, Status

_ATTEMPTS = 5
"""Times that labels are read again because somebody else has changed the proxy."""


class OnProxies:
    """See :class:`service.control.bulk.Kind`."""

    def __init__(self, controller: Controller, task: Task) -> None:
        self._controller = controller
        self._pool = controller.pool
        self._task = task
        self.paced = task.action in ("rotate", "release") or task.force

    async def batch(self, cursor: str, most: int) -> Batch[Proxy]:
        if search := self._task.proxies:
            found, following = await matching(self._pool.page, lambda proxy: proxy.id, search.meets, cursor, most)
            return Batch([Thing(proxy.id, proxy) for proxy in found], following)
        ids, following = named(self._task.ids, cursor, most)
        now = await self._pool.proxies_at(ids)
        return Batch([Thing(one, now.get(one), "unknown_proxy") for one in ids], following)

    def hindrance(self, found: Proxy, after: int) -> str:
        return hindrance(self._task, found, after)

    async def act(self, found: Proxy, *, actor: str, op_id: str) -> None:
        pool, task = self._pool, self._task
        match task.action:
            case "disable":
                await pool.disable(found.id, reason="by_hand", actor=actor, op_id=op_id)
                if task.force and found.lease and byhand.movable(found.lease):
                    await self._rotate(found.lease, actor, f"{op_id}:rotate")
            case "enable":
                await pool.enable(found.id, actor=actor, op_id=op_id)
            case "remove":
                await pool.remove(found.id, actor=actor, op_id=op_id)
            case "setGroup":
                await pool.update(found.id, group=task.group, actor=actor, op_id=op_id)
            case "rotate" if found.lease:
                await self._rotate(found.lease, actor, op_id)
            case "release" if found.lease:
                control = self._controller.server(found.lease.server)
                await byhand.release(control, found.lease.name, actor=actor, force=task.force, lease=found.lease)
            case _:
                await self._label(found, actor, op_id)

    async def _rotate(self, lease: Lease, actor: str, op_id: str) -> None:
        control = self._controller.server(lease.server)
        await byhand.rotate(control, lease.name, actor=actor, group=self._task.group, lease=lease, op_id=op_id)

    async def _label(self, proxy: Proxy, actor: str, op_id: str) -> None:
        """What the labels become follows from what they are, so the script has to find the same revision."""
        for _ in range(_ATTEMPTS):
            try:
                labels = labels_of(self._task, proxy)
                await self._pool.update(proxy.id, labels=labels, rev=proxy.rev, actor=actor, op_id=op_id)
                return
            except RefusedError as error:
                now = await self._pool.proxy(proxy.id)
                if error.code != "rev_mismatch" or now is None:
                    raise
                proxy = now
        raise RefusedError("rev_mismatch", proxy=proxy.id)


def labels_of(task: Task, proxy: Proxy) -> tuple[str, ...]:
    """The labels that the proxy is to have."""
    match task.action:
        case "addLabels":
            return tuple(dict.fromkeys((*proxy.labels, *task.labels)))
        case "removeLabels":
            return tuple(label for label in proxy.labels if label not in task.labels)
    return task.labels


def hindrance(task: Task, proxy: Proxy, after: int) -> str:
    """Why nothing is to be done to the proxy as it is; see :meth:`service.control.bulk.Kind.hindrance`."""
    match task.action:
        case "disable":
            moves = task.force and proxy.lease is not None and byhand.movable(proxy.lease)
            return "" if proxy.active or moves else "unchanged"
        case "enable":
            return "unusable" if proxy.unusable else "unchanged" if proxy.active else ""
        case "remove":
            return "held" if proxy.status is Status.USED else ""
        case "setGroup":
            return "unchanged" if proxy.group == task.group else ""
        case "rotate" | "release":
            return _of_lease(task, proxy.lease, after)
    labels = labels_of(task, proxy)
    return "unchanged" if labels == proxy.labels else "too_many_labels" if len(labels) > LABELS_LIMIT else ""


def _of_lease(task: Task, lease: Lease | None, after: int) -> str:
    if lease is None:
        return "no_lease"
    if int(lease.token) > after:
        return "later_lease"
    ends = task.action == "release" and task.force and not lease.tail and not lease.reservation
    return "" if ends or byhand.movable(lease) else "wrong_phase"
