"""POST /proxy/set, GET /proxy/find and the proxy test, which create makes as well (EVOLUTION.md, 7 and 8)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from service.evolution.simulator.answers import (
    PROTOTYPE_NAMES,
    Answer,
    Refusal,
    Request,
    invalid_proxy,
    schema_error,
    type_errors,
    unknown_instance,
)
from service.evolution.simulator.instance import Instance, proxy_json
from service.evolution.simulator.proxies import OFF, Condition, ProxyRow, UnusableProxyError, exit_of
from service.evolution.simulator.warts import applies
from service.evolution.simulator.world import World
from service.models import FIELD_LIMIT

_FIELDS = {"enabled": bool, "host": str, "port": str, "protocol": str, "username": str, "password": str}
_REQUIRED = frozenset({"enabled", "host", "port", "protocol"})


class ProxyTest:
    """The fetch of icanhazip.com through the proxy, as far as the API shows it; and whether the save then works."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def check(self, row: ProxyRow) -> None:
        """Raises the refusal "Invalid proxy". A silent proxy holds the call until ``release()``, then passes."""
        warts = self._world.warts
        try:
            endpoint = exit_of(row, protocols=warts.protocols)
        except UnusableProxyError:
            raise invalid_proxy() from None
        if endpoint is None:
            return
        condition = self._world.conditions.get(endpoint, Condition.ALIVE)
        if condition is Condition.SILENT:
            await self._world.gate.wait()
        elif condition is not Condition.ALIVE or warts.fails_proxy_test(endpoint):
            raise invalid_proxy()

    def loses(self, row: ProxyRow) -> bool:
        """Whether the save of a row that passed the test is lost: too long for its column, or the wart (B1)."""
        if any(len(value) > FIELD_LIMIT for value in (row.host, row.port, row.protocol, row.username, row.password)):
            return True
        endpoint = exit_of(row, protocols=self._world.warts.protocols)
        return endpoint is not None and applies(self._world.warts.silent_loss, endpoint)


class ProxyRoutes:
    def __init__(self, world: World, test: ProxyTest) -> None:
        self._world = world
        self._test = test

    async def set(self, request: Request) -> Answer:
        """201 echoes the request; the save comes after the answer, and the save that comes last wins."""
        body = request.body
        if errors := type_errors(body, _FIELDS, required=_REQUIRED):
            raise schema_error(errors)
        if request.name in PROTOTYPE_NAMES:
            raise Refusal(500, ["TypeError: this.waMonitor.waInstances[...].setProxy is not a function"])
        instance = self._world.loaded(request.name)
        if instance is None:
            raise unknown_instance(request.name)
        if not body["enabled"]:
            echo = {"enabled": False, "host": "", "port": "", "protocol": "", "username": "", "password": ""}
            return self._answer(instance, echo, OFF)
        row = ProxyRow(**{field: body.get(field, "") for field in _FIELDS})
        await self._test.check(row)
        lost = not {"username", "password"} <= body.keys() or self._test.loses(row)
        return self._answer(instance, body, None if lost else row)

    async def find(self, request: Request) -> Answer:
        """``null`` for none, and also when the DB is down (B2)."""
        if request.name in PROTOTYPE_NAMES:
            return Answer(None)
        instance = self._world.loaded(request.name)
        if instance is None:
            raise unknown_instance(request.name)
        if self._world.warts.db_down or applies(self._world.warts.null_on_read, request.name):
            return Answer(None)
        return Answer(proxy_json(instance))

    def _answer(self, instance: Instance, echo: Mapping[str, Any], row: ProxyRow | None) -> Answer:
        payload = {"proxy": {"instanceName": instance.name, "proxy": echo}}
        return Answer(payload, 201, after=lambda: self._save_soon(instance, row))

    def _save_soon(self, instance: Instance, row: ProxyRow | None) -> None:
        def save() -> None:
            if row is not None and not self._world.warts.db_down:
                self._world.save(instance, row)

        delay = self._world.warts.save_delay
        if delay == 0:
            save()
        else:
            self._world.tasks.spawn(self._world.later(delay, save))
