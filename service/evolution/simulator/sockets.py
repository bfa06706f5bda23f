"""The live WhatsApp sockets of one or several simulated servers, and the proof that no two instances share a proxy."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Literal

from service.evolution.simulator.proxies import Endpoint

Kind = Literal["session", "parallel"]


@dataclass(frozen=True, eq=False, slots=True)
class Socket:
    """One live socket. ``exit`` is ``None`` for a direct one and never changes: a new proxy needs a new socket."""

    instance_id: str
    name: str
    exit: Endpoint | None
    kind: Kind = "session"


@dataclass(frozen=True, slots=True)
class Violation:
    """Two instances went out through one proxy at one time. ``names``: the older holders, then the newcomer."""

    exit: Endpoint
    names: tuple[str, ...]


class Sockets:
    """All live sockets; every opening is checked. One object may serve several simulators that share a pool.

    ``violations`` only grows. Parallel sockets of one instance may share its proxy; sockets of two instances
    (ids, so also a deleted one that lives on and its successor of the same name) may not.
    """

    def __init__(self) -> None:
        self.violations: list[Violation] = []
        self._live: dict[Socket, None] = {}
        self._through: defaultdict[Endpoint, list[Socket]] = defaultdict(list)

    def open(self, socket: Socket) -> Socket:
        self._live[socket] = None
        if socket.exit is not None:
            sharing = self._through[socket.exit]
            others = tuple(other.name for other in sharing if other.instance_id != socket.instance_id)
            if others:
                self.violations.append(Violation(socket.exit, (*others, socket.name)))
            sharing.append(socket)
        return socket

    def close(self, socket: Socket) -> None:
        del self._live[socket]
        if socket.exit is not None:
            self._through[socket.exit].remove(socket)
            if not self._through[socket.exit]:
                del self._through[socket.exit]

    def exits(self) -> dict[Socket, Endpoint | None]:
        """Each live socket and where it goes out."""
        return {socket: socket.exit for socket in self._live}

    def assert_no_shared_exit(self) -> None:
        """Raises ``AssertionError`` if two instances have ever gone out through one proxy at one time."""
        assert not self.violations, f"{len(self.violations)} shared exits, first {self.violations[0]}"
