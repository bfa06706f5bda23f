"""The state of one simulated Evolution API server, and everything that can happen to it."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any
from uuid import uuid4

import orjson

from service.evolution.simulator.concurrency import Changes, Gate, Tasks
from service.evolution.simulator.connector import Connector, Emit, Sleep
from service.evolution.simulator.instance import BAILEYS, Instance, State, iso
from service.evolution.simulator.paces import Paces
from service.evolution.simulator.proxies import Condition, Endpoint, ProxyRow
from service.evolution.simulator.sockets import Socket, Sockets, Violation
from service.evolution.simulator.warts import Warts, applies
from service.models import ProxySpec


class World:
    """Instances in memory and in the DB, by name, and their live sockets.

    The methods that tests call are what happens by itself or by another hand: they take effect at once, need no key
    and mind no wart. They raise ``KeyError`` for a name that is not there.
    """

    def __init__(
        self,
        *,
        emit: Emit,
        sleep: Sleep,
        tasks: Tasks,
        warts: Warts | None = None,
        paces: Paces | None = None,
        sockets: Sockets | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.warts = warts or Warts()
        self.paces = paces or Paces()
        self.sockets = sockets or Sockets()
        self.memory: dict[str, Instance] = {}
        self.database: dict[str, Instance] = {}
        self.ghosts: list[Instance] = []
        self.changes = Changes()
        self.gate = Gate()
        self.tasks = tasks
        self.sleep = sleep
        self._emit = emit
        self.now = now
        self.connector = Connector(
            sockets=self.sockets,
            warts=self.warts,
            paces=self.paces,
            tasks=tasks,
            changes=self.changes,
            emit=emit,
            sleep=sleep,
        )
        self.conditions: dict[Endpoint, Condition] = self.connector.conditions
        """What each proxy does; one that is not named is alive. May be changed at any time."""
        self.violations: list[Violation] = self.sockets.violations
        """Every moment at which two instances went out through one proxy."""

    # What a test reads.

    def exits(self) -> dict[Socket, Endpoint | None]:
        """Each live socket and where it goes out; ``None`` is direct."""
        return self.sockets.exits()

    def assert_no_shared_exit(self) -> None:
        """Raises ``AssertionError`` if two instances have ever gone out through one proxy at one time."""
        self.sockets.assert_no_shared_exit()

    async def until(self, condition: Callable[[], bool], limit: float = 5.0) -> None:
        """Return once ``condition()``, on this simulator, holds. Raises ``TimeoutError`` after ``limit`` seconds."""
        await self.changes.until(condition, limit)

    def release(self) -> None:
        """Let go of all that is held now: hanging calls, silent proxies, late saves, late deletes."""
        self.gate.release()

    # What happens to instances.

    def create(
        self,
        name: str,
        *,
        integration: str = BAILEYS,
        state: State = "close",
        row: ProxyRow | ProxySpec | None = None,
        token: str | None = None,
        number: str | None = None,
    ) -> Instance:
        """A new instance in memory and DB. With ``state="open"`` it is paired and goes out as ``row`` says."""
        instance = Instance(name, integration, token or str(uuid4()).upper(), number, iso(self.now()))
        self.memory[name] = self.database[name] = instance
        self._emit(instance, "instance.create", {"instanceName": name, "instanceId": instance.id})
        if row is not None:
            self.save(instance, row)
        if not instance.baileys:
            instance.state = instance.status = "open"
        elif state == "open":
            self.open(name)
        elif state == "connecting":
            self.show_qr(instance)
        self.touch(instance)
        return instance

    def open(self, name: str) -> None:
        """The number is paired (again) and connects now; with a dead proxy it begins its reconnect loop."""
        instance = self.memory[name]
        instance.paired = True
        instance.owner = instance.owner or f"{instance.number or 5511900000000 + len(self.database)}@s.whatsapp.net"
        instance.status = "open"
        self.connector.open(instance)
        self.touch(instance)

    def drop(self, name: str) -> None:
        """The connection is lost; the instance reconnects by itself. The DB column stays open."""
        self.connector.drop(self.memory[name])

    def hang(self, name: str) -> None:
        """The open connection went silent and the server noticed: connecting until a restart (B10)."""
        instance = self.memory[name]
        self.connector.stop(instance, "connecting")
        data = {"instance": name, "state": "connecting", "statusReason": 200}
        self._emit(instance, "connection.update", data)

    def disconnect(self, name: str) -> None:
        """Closed in memory and DB without a reason code, until ``open``."""
        instance = self.memory[name]
        self.connector.stop(instance)
        instance.status = "close"
        self.touch(instance)

    def logout(self, name: str, code: int = 401) -> None:
        """A final close (401, 402, 403 or 406): code, time and object are never cleared, the Proxy row stays (4, 6)."""
        instance = self.memory[name]
        self.connector.stop(instance)
        if not instance.baileys:
            return
        instance.paired = False
        instance.status = "close"
        instance.disconnection_code = code
        instance.disconnection_at = iso(self.now())
        data = {"tag": "conflict", "attrs": {"type": "device_removed"}}
        error = {"error": {"data": data, "output": {"statusCode": code}}}
        instance.disconnection_object = orjson.dumps(error).decode()
        self.touch(instance)
        closed = {
            "instance": name,
            "status": "closed",
            "disconnectionAt": instance.disconnection_at,
            "disconnectionReasonCode": code,
            "disconnectionObject": instance.disconnection_object,
        }
        self._emit(instance, "status.instance", closed)
        self._emit(instance, "logout.instance", None)
        self._emit(instance, "connection.update", {"instance": name, "state": "close", "statusReason": code})

    def delete(self, name: str) -> None:
        """Gone from memory and DB now; one that was reconnecting lives on as a ghost (B15)."""
        instance = self.memory[name]
        self._announce_delete(instance)
        self._forget(instance)
        self._remove_row(instance)

    def recreate(self, name: str, *, state: State = "close") -> Instance:
        """Delete it and create another of the same name, with another id."""
        self.delete(name)
        return self.create(name, state=state)

    def set_row_by_hand(self, name: str, row: ProxyRow | ProxySpec | None) -> None:
        """What an operator did in the DB: no test, no restart. ``None`` removes the row, ``OFF`` switches it off."""
        instance = self.database[name]
        if row is None:
            instance.row = None
            self.touch(instance)
        else:
            self.save(instance, row)

    def unload(self) -> None:
        """The server's process ends: memory, sockets and ghosts are gone, the DB stays."""
        for instance in (*self.memory.values(), *self.ghosts):
            self.connector.end(instance)
        self.memory.clear()
        self.ghosts.clear()

    def load(self) -> None:
        """The server starts: all rows come into memory, what the DB holds as open connects (11)."""
        self.memory.update(self.database)
        for instance in self.database.values():
            instance.sender = None
            if not instance.baileys:
                instance.state = instance.status
            elif instance.status == "open":
                self.connector.drop(instance)

    def restart_server(self) -> None:
        """The cure for ghosts and false opens (B11, B15)."""
        self.unload()
        self.load()

    # What the routes need.

    def loaded(self, name: str) -> Instance | None:
        """The instance if it is in memory."""
        return None if applies(self.warts.not_loaded, name) else self.memory.get(name)

    def show_qr(self, instance: Instance) -> bool:
        """Begin pairing; whether a QR code came. Raises ``UnusableProxyError`` for a row that can't be used."""
        shown = self.connector.open_for_pairing(instance)
        instance.status = "connecting"
        self.touch(instance)
        if shown:
            self._emit(instance, "qrcode.updated", {"qrcode": {"instance": instance.name, **QR}})
        return shown

    def save(self, instance: Instance, row: ProxyRow | ProxySpec) -> None:
        """Write the Proxy row, or nothing when the instance is no longer in the DB. Sockets keep their exit (10)."""
        if self.database.get(instance.name) is not instance:
            return
        if isinstance(row, ProxySpec):
            row = ProxyRow.of(row)
        now = iso(self.now())
        old = instance.row
        created = (old.id, old.created_at) if old else (f"c{uuid4().hex[:24]}", now)
        instance.row = replace(row, id=created[0], created_at=created[1], updated_at=now)
        self.touch(instance)

    def touch(self, instance: Instance) -> None:
        """The DB row changed: it moves in the list, which has no order (4)."""
        instance.updated_at = iso(self.now())
        instance.element = None
        if self.database.get(instance.name) is instance:
            self.database[instance.name] = self.database.pop(instance.name)
        self.changes.notify()

    def request_delete(self, instance: Instance) -> None:
        """Delete as the API does: answered at once, carried out a moment or much later (6, B17)."""
        if instance.baileys and instance.state == "open":
            self.logout(instance.name)
        self._announce_delete(instance)
        if self.warts.delete_delay == 0:
            self._forget(instance)
            self.tasks.spawn(self.later(self.paces.delete, lambda: self._remove_row(instance)))
        else:
            self.tasks.spawn(self.later(self.warts.delete_delay, lambda: self._forget(instance, with_row=True)))

    async def later(self, delay: float | None, act: Callable[[], None]) -> None:
        """Run ``act`` after ``delay`` seconds; ``None``: at the next ``release()``."""
        waiting: Awaitable[None] = self.gate.wait() if delay is None else self.sleep(delay)
        await waiting
        act()

    def _announce_delete(self, instance: Instance) -> None:
        data = {"instanceName": instance.name, "instanceId": instance.id}
        self._emit(instance, "instance.delete", data)
        self._emit(instance, "remove.instance", None)

    def _forget(self, instance: Instance, *, with_row: bool = False) -> None:
        if self.memory.get(instance.name) is instance:
            del self.memory[instance.name]
            if instance.reconnecting and self.warts.ghosts:
                self.ghosts.append(instance)
            else:
                self.connector.end(instance)
        if with_row:
            self._remove_row(instance)

    def _remove_row(self, instance: Instance) -> None:
        if self.database.get(instance.name) is instance:
            del self.database[instance.name]
        self.changes.notify()


QR: dict[str, Any] = {"pairingCode": None, "code": "2@simulated", "base64": "data:image/png;base64,iVBORw0KGgo="}
"""A QR code as restart, connect and qrcode.updated give it; the real picture is about 11 KB."""
