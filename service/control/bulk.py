"""One action on many things: what is asked for, and which things it is about."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from pydantic import TypeAdapter

from service.audit import InstanceSearch, ProxySearch
from service.pool.jobs import Target

PAGE = 200
"""Things that one step looks at."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Task:
    """``action`` on the proxies or instances that ``ids`` name (of instances their names, on ``server`` where one is
    given), or else on all that the search finds when the work comes to them."""

    target: Target
    action: str
    ids: tuple[str, ...] = ()
    proxies: ProxySearch | None = None
    instances: InstanceSearch | None = None
    server: str | None = None
    group: str | None = None
    labels: tuple[str, ...] = ()
    force: bool = False

    @property
    def total(self) -> int | None:
        """How many things there are, ``None`` where a search will tell."""
        return len(self.ids) or None

    def text(self) -> str:
        """For :meth:`of`."""
        return _TASK.dump_json(self).decode()

    @classmethod
    def of(cls, text: str) -> Task:
        """Raises ``ValueError`` for what :meth:`text` never made."""
        return _TASK.validate_json(text)


_TASK = TypeAdapter(Task)


@dataclass(frozen=True, slots=True)
class Thing(Generic[T]):
    """``found`` is what the pool knows of it now; ``missing`` the code of why that is ``None``."""

    id: str
    found: T | None
    missing: str = ""


@dataclass(frozen=True, slots=True)
class Batch(Generic[T]):
    """Some things, and where to go on after them; ``""`` at the end."""

    things: Sequence[Thing[T]]
    following: str


class Kind(Protocol[T]):
    """What there is many of, and what may be done to one."""

    paced: bool
    """Whether Evolution has a part in it, so that a few at a time are enough."""

    async def batch(self, cursor: str, most: int) -> Batch[T]: ...

    def hindrance(self, found: T, after: int) -> str:
        """Why nothing is to be done to it, ``""`` when there is something. ``after``: leases with a greater token were
        not there when the work was asked for, and are none of its business."""

    async def act(self, found: T, *, actor: str, op_id: str) -> None:
        """Raises :class:`service.errors.RefusedError` where nothing was done. Harmless when it is repeated."""


def named(ids: Sequence[str], cursor: str, most: int) -> tuple[Sequence[str], str]:
    """Up to ``most`` of ``ids`` from ``cursor`` on, and the next cursor."""
    begin = int(cursor or 0)
    end = begin + most
    return ids[begin:end], str(end) if end < len(ids) else ""


async def matching(
    read: Callable[[str, int], Awaitable[tuple[str, list[T]]]],
    position_of: Callable[[T], str],
    wanted: Callable[[T], bool],
    cursor: str,
    most: int,
) -> tuple[list[T], str]:
    """Up to ``most`` of the next page that are ``wanted``, perhaps none, and the next cursor."""
    following, entries = await read(cursor, PAGE)
    found = [entry for entry in entries if wanted(entry)]
    if len(found) > most:
        return found[:most], position_of(found[most - 1])
    return found, following
