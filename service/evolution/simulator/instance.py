"""One simulated WhatsApp instance: its memory half, its DB half and its element of fetchInstances."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import uuid4

import orjson

from service.evolution.simulator.proxies import ProxyRow
from service.evolution.simulator.sockets import Socket

State = Literal["open", "connecting", "close"]
BAILEYS = "WHATSAPP-BAILEYS"
INTEGRATIONS = frozenset({BAILEYS, "WHATSAPP-BUSINESS", "EVOLUTION"})

SETTINGS: dict[str, Any] = {
    "rejectCall": False,
    "msgCall": "",
    "groupsIgnore": False,
    "alwaysOnline": False,
    "readMessages": False,
    "readStatus": False,
    "syncFullHistory": False,
    "wavoipToken": "",
}


def iso(seconds: float) -> str:
    """Epoch seconds as the API writes times: UTC, milliseconds, ``Z``."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(eq=False, slots=True)
class Instance:
    """``state`` is the live one, in memory; ``status`` the DB column connectionStatus: they differ (EVOLUTION.md, B8).

    ``row`` is what the DB holds; ``socket`` went out through what it held at that time. ``parallel`` are the further
    sockets that connect started (B4). Change rows and states through the simulator only: it keeps times and cache.
    """

    name: str
    integration: str
    token: str
    number: str | None
    created_at: str
    id: str = field(default_factory=lambda: str(uuid4()))
    state: State = "close"
    status: State = "close"
    paired: bool = False
    owner: str | None = None
    sender: str | None = None
    row: ProxyRow | None = None
    webhook: dict[str, Any] | None = None
    disconnection_code: int | None = None
    disconnection_at: str | None = None
    disconnection_object: str | None = None
    updated_at: str = ""
    socket: Socket | None = None
    parallel: list[Socket] = field(default_factory=list)
    reconnect: asyncio.Task[None] | None = None
    element: bytes | None = field(default=None, repr=False)

    @property
    def baileys(self) -> bool:
        return self.integration == BAILEYS

    @property
    def reconnecting(self) -> bool:
        return self.reconnect is not None and not self.reconnect.done()

    @property
    def falsely_open(self) -> bool:
        """Open in memory and DB, with no session (B11)."""
        return self.baileys and self.state == "open" and self.socket is None


def proxy_json(instance: Instance) -> dict[str, Any] | None:
    """The row as proxy/find and fetchInstances give it; ``None`` if never set."""
    row = instance.row
    if row is None:
        return None
    return {
        "id": row.id,
        "enabled": row.enabled,
        "host": row.host,
        "port": row.port,
        "protocol": row.protocol,
        "username": row.username,
        "password": row.password,
        "createdAt": row.created_at,
        "updatedAt": row.updated_at,
        "instanceId": instance.id,
    }


def element(instance: Instance, *, status: str | None = None) -> bytes:
    """The element of fetchInstances (EVOLUTION.md, 4), cached until a change. ``status`` overrides the column."""
    if status is not None:
        return _render(instance, status)
    if instance.element is None:
        instance.element = _render(instance, instance.status)
    return instance.element


def _render(instance: Instance, status: str) -> bytes:
    times = {"createdAt": instance.created_at, "updatedAt": instance.updated_at}
    return orjson.dumps(
        {
            "id": instance.id,
            "name": instance.name,
            "connectionStatus": status,
            "ownerJid": instance.owner,
            "profileName": instance.name if instance.owner else None,
            "profilePicUrl": None,
            "integration": instance.integration,
            "number": instance.number,
            "businessId": None,
            "token": instance.token,
            "clientName": "evolution",
            "disconnectionReasonCode": instance.disconnection_code,
            "disconnectionObject": instance.disconnection_object,
            "disconnectionAt": instance.disconnection_at,
            **times,
            "Chatwoot": None,
            "Proxy": proxy_json(instance),
            "Rabbitmq": None,
            "Nats": None,
            "Sqs": None,
            "Websocket": None,
            "Setting": {"id": "setting", **SETTINGS, **times, "instanceId": instance.id},
            "_count": {"Message": 0, "Contact": 0, "Chat": 0},
        }
    )


def element_of_version_1(instance: Instance) -> bytes:
    """The element of version 1, as far as EVOLUTION.md gives it."""
    return orjson.dumps(
        {
            "instance": {
                "instanceName": instance.name,
                "instanceId": instance.id,
                "owner": instance.owner,
                "profileName": instance.name if instance.owner else None,
                "profilePictureUrl": None,
                "status": instance.status,
            }
        }
    )
