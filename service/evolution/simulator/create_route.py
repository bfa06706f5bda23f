"""POST /instance/create (EVOLUTION.md, 3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from service.evolution.simulator.answers import PROTOTYPE_NAMES, Answer, Refusal, Request, schema_error, type_errors
from service.evolution.simulator.instance import BAILEYS, INTEGRATIONS, SETTINGS, Instance
from service.evolution.simulator.proxies import ProxyRow
from service.evolution.simulator.proxy_routes import ProxyTest
from service.evolution.simulator.webhook_routes import local_webhook
from service.evolution.simulator.world import QR, World

_PROXY_FIELDS = {
    "proxyHost": "host",
    "proxyPort": "port",
    "proxyProtocol": "protocol",
    "proxyUsername": "username",
    "proxyPassword": "password",
}
_NAME_LIMIT = 255


class CreateRoute:
    def __init__(self, world: World, test: ProxyTest) -> None:
        self._world = world
        self._test = test

    async def create(self, request: Request) -> Answer:
        """201; a bad proxy is 400 and leaves the instance there for a moment (B16)."""
        body = request.body
        if errors := type_errors(body, dict.fromkeys(_PROXY_FIELDS, str), required=frozenset()):
            raise schema_error(errors)
        name = self._free_name(body)
        integration = body.get("integration")
        if integration not in INTEGRATIONS:
            raise Refusal(400, ["Invalid integration"])
        if integration == "WHATSAPP-BUSINESS" and not (body.get("token") and body.get("number")):
            raise Refusal(400, ["token and number are required"])
        webhook = body.get("webhook") or {}
        if webhook and "events" not in webhook:
            raise Refusal(400, ["Cannot read properties of undefined (reading 'length')"])
        instance = self._world.create(name, integration=integration, token=body.get("token"), number=body.get("number"))
        if webhook:
            instance.webhook = local_webhook(webhook)
        await self._set_proxy(instance, body)
        qrcode = await self._qrcode(instance) if body.get("qrcode") and integration == BAILEYS else {}
        return Answer(_created(instance, webhook) | qrcode, 201)

    def _free_name(self, body: Mapping[str, Any]) -> str:
        """The name to create. Raises the refusals of a name that is taken, too long or no text."""
        world = self._world
        name = body.get("instanceName")
        if name is None:
            if world.database:
                raise _taken("undefined")
            raise Refusal(400, ["Invalid integration"])
        if not isinstance(name, str):
            raise Refusal(500, "\nInvalid `prisma.instance.findMany()` invocation")
        if name in world.memory or name in world.database or name in PROTOTYPE_NAMES:
            raise _taken(name)
        if len(name) > _NAME_LIMIT:
            raise Refusal(400, ["\nInvalid `prisma.instance.create()` invocation:\n\n\nThe provided value is too long"])
        return name

    async def _set_proxy(self, instance: Instance, body: Mapping[str, Any]) -> None:
        """As proxy/set: tested, and lost without a word when username or password is left out (B1)."""
        if not all(body.get(field) for field in ("proxyHost", "proxyPort", "proxyProtocol")):
            return
        row = ProxyRow(enabled=True, **{field: body.get(sent, "") for sent, field in _PROXY_FIELDS.items()})
        try:
            await self._test.check(row)
        except Refusal:
            self._world.tasks.spawn(self._world.later(self._world.paces.rejected_create, lambda: self._undo(instance)))
            raise
        if {"proxyUsername", "proxyPassword"} <= body.keys() and not self._test.loses(row):
            self._world.save(instance, row)

    def _undo(self, instance: Instance) -> None:
        if self._world.memory.get(instance.name) is instance:
            self._world.delete(instance.name)

    async def _qrcode(self, instance: Instance) -> dict[str, Any]:
        shown = self._world.show_qr(instance)
        await self._world.sleep(self._world.paces.create_qr)
        return {"qrcode": {**QR, "count": 1} if shown else {"count": 0}}


def _taken(name: str) -> Refusal:
    return Refusal(403, [f'This name "{name}" is already in use.'])


def _created(instance: Instance, webhook: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "instance": {
            "instanceName": instance.name,
            "instanceId": instance.id,
            "integration": instance.integration,
            "webhookWaBusiness": None,
            "accessTokenWaBusiness": "",
            "status": instance.state,
        },
        "hash": instance.token,
        "webhook": webhook,
        **{channel: {} for channel in ("websocket", "rabbitmq", "nats", "sqs")},
        "settings": SETTINGS,
    }
