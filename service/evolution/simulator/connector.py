"""How an instance's socket is lost, remade and stuck (EVOLUTION.md, 6, 10, B4, B5, B9 to B11)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from typing import TypeAlias

from service.evolution.simulator.concurrency import Changes, Tasks
from service.evolution.simulator.instance import Instance, State
from service.evolution.simulator.paces import Paces
from service.evolution.simulator.proxies import Condition, Endpoint, UnusableProxyError, exit_of
from service.evolution.simulator.sockets import Kind, Socket, Sockets
from service.evolution.simulator.warts import Warts, applies

Emit: TypeAlias = Callable[[Instance, str, object], None]
"""Announce an event of an instance: name (``connection.update``) and data."""
Sleep: TypeAlias = Callable[[float], Awaitable[None]]

_STUCK = frozenset({Condition.SILENT, Condition.REFUSING})


class Connector:
    """Opens and closes sockets. Each opening reads the row anew; an open one keeps its exit whatever the row says."""

    def __init__(
        self, *, sockets: Sockets, warts: Warts, paces: Paces, tasks: Tasks, changes: Changes, emit: Emit, sleep: Sleep
    ) -> None:
        self.conditions: dict[Endpoint, Condition] = {}
        self._sockets = sockets
        self._warts = warts
        self._paces = paces
        self._tasks = tasks
        self._changes = changes
        self._emit = emit
        self._sleep = sleep

    def restart(self, instance: Instance) -> None:
        """Lose the socket a moment later and reconnect; a reconnect under way is replaced, never doubled (6)."""
        self._start(instance, self._restart(instance))

    def drop(self, instance: Instance) -> None:
        """The connection is lost now; reconnect."""
        if self._lose(instance):
            self._start(instance, self._connect(instance))

    def open(self, instance: Instance) -> None:
        """Open at once if the row allows; else begin the reconnect loop."""
        exit_, condition = self._way_out(instance)
        if condition in (Condition.ALIVE, Condition.SAME_EXIT):
            self.stop(instance)
            self._open(instance, exit_)
        else:
            self.drop(instance)

    def stop(self, instance: Instance, state: State = "close") -> None:
        """End the session's socket and any reconnect; parallel sockets survive."""
        if instance.reconnect is not None:
            instance.reconnect.cancel()
            instance.reconnect = None
        self._hang_up(instance)
        self._enter(instance, state)

    def end(self, instance: Instance) -> None:
        """End all its sockets, as when the server's process ends."""
        self.stop(instance)
        while instance.parallel:
            self._sockets.close(instance.parallel.pop())

    def open_parallel(self, instance: Instance) -> None:
        """A further socket of a paired instance (B4): every second one, and any that finds no way, is direct."""
        exit_, condition = self._way_out(instance)
        direct = len(instance.parallel) % 2 == 0 or condition is not Condition.ALIVE
        instance.parallel.append(self._socket(instance, None if direct else exit_, "parallel"))

    def open_for_pairing(self, instance: Instance) -> bool:
        """The socket over which a QR code comes; whether one came. Raises ``UnusableProxyError``."""
        exit_, condition = self._way_out(instance)
        self.stop(instance, "connecting")
        if condition is Condition.ALIVE:
            instance.socket = self._socket(instance, exit_)
        return condition is Condition.ALIVE

    def _start(self, instance: Instance, connecting: Coroutine[None, None, None]) -> None:
        if instance.reconnect is not None:
            instance.reconnect.cancel()
        instance.reconnect = self._tasks.spawn(connecting)

    def _lose(self, instance: Instance) -> bool:
        """End the socket; false if that leaves a false open: memory and DB keep saying open (B11)."""
        self._hang_up(instance)
        if self._warts.db_down and instance.state == "open":
            return False
        self._enter(instance, "close")
        return True

    async def _restart(self, instance: Instance) -> None:
        await self._sleep(self._paces.close)
        if self._lose(instance):
            await self._connect(instance)

    async def _connect(self, instance: Instance) -> None:
        await self._sleep(self._paces.connecting)
        while True:
            try:
                exit_, condition = self._way_out(instance)
            except UnusableProxyError:
                return
            self._enter(instance, "connecting")
            self._emit(instance, "connection.update", self._update(instance))
            if condition in _STUCK:
                return
            if condition is Condition.DEAD:
                await self._sleep(self._paces.attempt / 2)
                self._enter(instance, "close")
                await self._sleep(self._paces.attempt / 2)
            else:
                await self._sleep(self._paces.open)
                self._open(instance, exit_)
                return

    def _way_out(self, instance: Instance) -> tuple[Endpoint | None, Condition]:
        row = instance.row if instance.row is not None and instance.row.enabled else self._warts.default_proxy
        exit_ = exit_of(row, protocols=self._warts.protocols)
        if exit_ is None or applies(self._warts.direct_reconnect, instance.name):
            return None, Condition.ALIVE
        return exit_, self.conditions.get(exit_, Condition.ALIVE)

    def _open(self, instance: Instance, exit_: Endpoint | None) -> None:
        instance.socket = self._socket(instance, exit_)
        if instance.paired:
            instance.sender = instance.owner
            self._enter(instance, "open")
            self._emit(instance, "connection.update", self._update(instance))

    def _socket(self, instance: Instance, exit_: Endpoint | None, kind: Kind = "session") -> Socket:
        socket = self._sockets.open(Socket(instance.id, instance.name, exit_, kind))
        self._changes.notify()
        return socket

    def _hang_up(self, instance: Instance) -> None:
        if instance.socket is not None:
            self._sockets.close(instance.socket)
            instance.socket = None
            self._changes.notify()

    def _enter(self, instance: Instance, state: State) -> None:
        instance.state = state
        self._changes.notify()

    def _update(self, instance: Instance) -> dict[str, object]:
        update: dict[str, object] = {"instance": instance.name}
        if instance.state == "open":
            update |= {"wuid": instance.owner, "profileName": instance.name, "profilePictureUrl": None}
        return {**update, "state": instance.state, "statusReason": 200}
