"""The /instance routes but for create (EVOLUTION.md, 4 to 6)."""

from __future__ import annotations

from urllib.parse import parse_qsl

from service.evolution.simulator.answers import (
    REFUSED,
    Answer,
    Refusal,
    Request,
    database_error,
    unauthorized,
    unknown_instance,
)
from service.evolution.simulator.instance import Instance, element, element_of_version_1
from service.evolution.simulator.proxies import UnusableProxyError
from service.evolution.simulator.warts import applies
from service.evolution.simulator.world import QR, World

_LOGGED_OUT = Answer({"status": "SUCCESS", "error": False, "response": {"message": "Instance logged out"}})
_DELETED = Answer({"status": "SUCCESS", "error": False, "response": {"message": "Instance deleted"}})


def parse_query(text: str) -> tuple[tuple[str, str], ...]:
    """The parameters in order, empty ones kept."""
    return tuple(parse_qsl(text, keep_blank_values=True))


class InstanceRoutes:
    def __init__(self, world: World) -> None:
        self._world = world

    async def list_all(self, request: Request, *, of_token: bool) -> Answer:
        """GET /instance/fetchInstances; ``of_token``: asked with an instance's token, which sees that one only."""
        world = self._world
        if world.warts.db_down:
            raise unauthorized() if of_token else database_error()
        query = request.query
        if any(name.startswith("instanceName[") for name, _ in query):
            raise Refusal(500, ["Error: Argument `name`: Invalid value provided."])
        name = ",".join(value for key, value in query if key == "instanceName")
        filters = dict(query)
        if of_token:
            owned = [one for one in world.database.values() if one.token == request.key]
            if not owned or name not in ("", owned[0].name):
                raise unauthorized()
            return self._elements(owned)
        if wanted := filters.get("instanceId") or filters.get("number"):
            return self._elements(self._by_id_or_number(wanted))
        if name:
            if world.loaded(name) is None:
                raise Refusal(404, [f'Instance "{name}" not found'])
            return self._elements([world.database[name]] if name in world.database else [])
        return self._elements([one for one in world.database.values() if not applies(world.warts.hidden, one.name)])

    def _by_id_or_number(self, wanted: str) -> list[Instance]:
        found = [one for one in self._world.database.values() if wanted in (one.id, one.number)]
        if not found:
            raise Refusal(404, [f'Instance "{wanted}" not found'])
        return found

    def _elements(self, instances: list[Instance]) -> Answer:
        if self._world.warts.version_1:
            texts = [element_of_version_1(one) for one in instances]
        else:
            shown = self._world.warts.shown_status
            texts = [element(one, status=shown.get(one.name)) for one in instances]
        return Answer(b"[" + b",".join(texts) + b"]")

    async def connection_state(self, request: Request) -> Answer:
        """The live state; it lacks where memory has no such instance (B14)."""
        shown: dict[str, str] = {"instanceName": request.name}
        instance = self._world.loaded(request.name)
        state = instance.state if instance else None
        if request.name in self._world.warts.shown_state:
            shown_state = self._world.warts.shown_state[request.name]
            return Answer({"instance": shown | ({"state": shown_state} if shown_state else {})})
        return Answer({"instance": shown | ({"state": state} if state else {})})

    async def restart(self, request: Request) -> Answer:
        """Always 200; "open" is what was before, for the reconnect has only begun (B13)."""
        warts = self._world.warts
        instance = self._world.loaded(request.name)
        if instance is None or instance.state == "close" or applies(warts.restart_refused, request.name):
            return REFUSED
        answer = _open(instance) if instance.state == "open" else Answer({**QR, "count": 1})
        if instance.baileys and not instance.falsely_open and not applies(warts.restart_ignored, request.name):
            self._world.connector.restart(instance)
        return answer

    async def connect(self, request: Request) -> Answer:
        """Pairing; on a paired instance that reconnects it opens further sockets (B4)."""
        instance = self._world.loaded(request.name)
        if instance is None:
            return REFUSED
        if instance.state == "open":
            return _open(instance)
        try:
            if instance.state == "connecting":
                if instance.paired:
                    self._world.connector.open_parallel(instance)
                return Answer({**QR, "count": 1})
            await self._world.sleep(self._world.paces.qr)
            return Answer({**QR, "count": 1} if self._world.show_qr(instance) else {"count": 0})
        except UnusableProxyError:
            return REFUSED

    async def logout(self, request: Request) -> Answer:
        instance = self._world.loaded(request.name)
        if instance is None:
            return _LOGGED_OUT
        if instance.state == "close":
            raise Refusal(400, [f'The "{request.name}" instance is not connected'])
        if instance.falsely_open:
            raise Refusal(500, ["Error: Connection Closed"])
        self._world.logout(instance.name)
        return _LOGGED_OUT

    async def delete(self, request: Request) -> Answer:
        instance = self._world.database.get(request.name)
        if instance is None:
            raise unknown_instance(request.name)
        self._world.request_delete(instance)
        return _DELETED


def _open(instance: Instance) -> Answer:
    return Answer({"instance": {"instanceName": instance.name, "state": "open"}})
