"""POST /webhook/set and GET /webhook/find: the per-instance webhook (EVOLUTION.md, 11)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from service.evolution.simulator.answers import Answer, Refusal, Request, schema_error, unknown_instance
from service.evolution.simulator.webhooks import EVENTS
from service.evolution.simulator.world import World

_OTHER_EVENTS = ("MESSAGES_UPSERT", "MESSAGES_UPDATE", "SEND_MESSAGE", "CONTACTS_UPSERT", "CHATS_UPSERT", "CALL")
_EVENT_NAMES = {event.upper().replace(".", "_") for event in EVENTS} | {*_OTHER_EVENTS}


def local_webhook(sent: Mapping[str, Any]) -> dict[str, Any]:
    """The stored form; ``events`` empty means all."""
    return {
        "enabled": sent.get("enabled", True),
        "url": sent["url"],
        "events": list(sent["events"]),
        "webhookByEvents": sent.get("byEvents", False),
        "webhookBase64": sent.get("base64", False),
        "headers": sent.get("headers"),
    }


class WebhookRoutes:
    def __init__(self, world: World) -> None:
        self._world = world

    async def set(self, request: Request) -> Answer:
        sent = request.body.get("webhook")
        if not isinstance(sent, dict) or not isinstance(sent.get("url"), str):
            raise schema_error(['instance requires property "webhook"'])
        if "events" not in sent:
            raise Refusal(500, ["TypeError: Cannot read properties of undefined (reading 'length')"])
        if unknown := set(sent["events"]) - _EVENT_NAMES:
            raise schema_error([f"webhook.events[0] is not one of enum values: {sorted(unknown)[0]}"])
        instance = self._world.loaded(request.name)
        if instance is None:
            raise unknown_instance(request.name)
        instance.webhook = local_webhook(sent)
        return Answer(instance.webhook, 201)

    async def find(self, request: Request) -> Answer:
        instance = self._world.loaded(request.name)
        if instance is None:
            raise unknown_instance(request.name)
        return Answer(instance.webhook)
