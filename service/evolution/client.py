"""A client for one Evolution server, with exactly the calls that evoproxy makes.

There is no method for ``GET /instance/connect``: on a paired instance it starts further sessions of the same
number, some of them without the proxy (EVOLUTION.md, part B 4).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from urllib.parse import quote

import aiohttp
import orjson
from pydantic import SecretStr

from service.errors import EvolutionUnavailableError, InvalidInputError
from service.evolution import answers
from service.evolution.models import Observation, RestartAnswer, Row, State, Webhook
from service.evolution.transport import OnCall, Transport, open_session
from service.evolution.verdict import Request
from service.models import FIELD_LIMIT, Protocol, ProxySpec, bracketed

_LIST_BYTES = 256 << 20

_SWITCHED_OFF = orjson.dumps({"enabled": False, "host": "off", "port": "1", "protocol": "http"})
"""Evolution ignores the three texts, yet refuses to switch off without them (EVOLUTION.md, 7)."""

_PROTOCOL_WORDS = {Protocol.SOCKS5: "socks"}
"""2.3.6 and older refuse ``socks5``; every version takes ``socks`` for it (EVOLUTION.md, introduction and 7)."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds that a call may take in all. ``connect`` is the part in which no byte has been sent yet."""

    fetch_instances: float = 10
    connection_state: float = 5
    find_proxy: float = 5
    set_proxy: float = 30
    restart: float = 10
    connect: float = 5
    webhook: float = 5


DEFAULT_LIMITS = Limits()


class EvolutionClient:
    """The calls to one server; ``name`` is its name in the settings.

    Every call ends within its limit. Each raises, and nothing else but cancellation:

    - :class:`~service.errors.EvolutionUnauthorizedError`: 401.
    - :class:`~service.errors.EvolutionNotFoundError`: a 404 of Evolution itself that quotes the instance's name.
      Just after a server start it may mean "not loaded yet".
    - :class:`~service.errors.EvolutionRejectedError`: changes only, an explicit 400, 403 or 422 of
      Evolution itself; nothing was changed.
    - :class:`~service.errors.EvolutionUnavailableError`: for a read, no answer that can be understood; for a change,
      it was not carried out, because no connection was made or something in front of Evolution answered.
    - :class:`~service.errors.EvolutionUnknownError`: changes only; they were sent and may yet be carried out (time
      limit, cut connection, 408, 5xx, an answer that can't be understood).
    - :class:`~service.errors.InvalidInputError` before anything is sent: a name that no route can carry, or
      credentials that Evolution would take and not save.

    Redirects are not followed. No error carries a body, the key or a credential.
    """

    def __init__(
        self,
        name: str,
        base_url: str,
        api_key: SecretStr,
        session: aiohttp.ClientSession,
        *,
        limits: Limits = DEFAULT_LIMITS,
        on_call: OnCall | None = None,
    ) -> None:
        """Raises :class:`~service.errors.InvalidInputError` for a base URL or key that can't be used."""
        self.name = name
        self._limits = limits
        self._transport = Transport(base_url, api_key, session, limits.connect, on_call)

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        name: str,
        base_url: str,
        api_key: SecretStr,
        *,
        connections: int = 32,
        limits: Limits = DEFAULT_LIMITS,
        on_call: OnCall | None = None,
    ) -> AsyncIterator[EvolutionClient]:
        """A client with a session of its own, closed at the end. At most ``connections`` at once: keep it above the
        number of sets in flight, so that slow sets never hold up a read."""
        async with open_session(connections) as session:
            yield cls(name, base_url, api_key, session, limits=limits, on_call=on_call)

    async def fetch_instances(self) -> list[Observation]:
        """All instances of the server, in no order. Complete, or an error: one unreadable element spoils the list."""
        path = "/instance/fetchInstances"
        request = Request(self.name, "fetch_instances", "GET", path, self._limits.fetch_instances, _LIST_BYTES)
        return await self._transport.send(request, lambda body: answers.read_observations(self.name, body))

    async def fetch_instance(self, name: str) -> Observation | None:
        """The instance of this name with its row; ``None`` when it lives in memory and its row was deleted.

        A 404 also comes for a row that is not in the server's memory. Dearer than its share of the list: use it for
        one, not for many (EVOLUTION.md, 12). Where the answer does not tell the row (version 1), it is asked for.
        """
        found = await self._listed(name)
        if found is None or found.row_listed:
            return found
        row = await self.find_proxy(name)
        again = found if row is not None else await self._listed(name)  # null may be a DB that is down: this errs then
        if again is None or again.id != found.id or (row is not None and not row.belongs_to(found.id)):
            raise EvolutionUnavailableError(
                server=self.name, call="fetch_instance", instance=name, reason="the name passed to another instance"
            )
        return replace(again, row=row, row_listed=True)

    async def _listed(self, name: str) -> Observation | None:
        path = f"/instance/fetchInstances?instanceName={_segment(name)}"
        request = Request(self.name, "fetch_instance", "GET", path, self._limits.fetch_instances, instance=name)
        return await self._transport.send(request, lambda body: answers.read_observation(self.name, name, body))

    async def connection_state(self, name: str) -> State | None:
        """The live state; ``None`` when the server has no connection of it in memory.

        ``close`` is seen for moments in each reconnect, so one reading proves nothing.
        """
        path = f"/instance/connectionState/{_segment(name)}"
        request = Request(self.name, "connection_state", "GET", path, self._limits.connection_state, instance=name)
        return await self._transport.send(request, lambda body: answers.read_state(name, body))

    async def find_proxy(self, name: str) -> Row | None:
        """The Proxy row. ``None`` is no evidence: Evolution answers ``null`` both for none and while its DB is down."""
        path = f"/proxy/find/{_segment(name)}"
        request = Request(self.name, "find_proxy", "GET", path, self._limits.find_proxy, instance=name)
        return await self._transport.send(request, answers.read_row)

    async def set_proxy(self, name: str, spec: ProxySpec) -> None:
        """Has the proxy tested and written. Success is not yet a saved row: read it back (EVOLUTION.md, part B 1).

        Credentials are sent percent-encoded, and none as an empty text: a field left out would not be saved.
        """
        fields = _fields(spec)
        secrets = (spec.username, spec.password, fields["username"], fields["password"])
        await self._set("set_proxy", name, orjson.dumps({"enabled": True, **fields}), secrets)

    async def clear_proxy(self, name: str) -> None:
        """Switches the proxy off; the live socket keeps it until the next connect. Read it back, as after a set."""
        await self._set("clear_proxy", name, _SWITCHED_OFF)

    async def restart(self, name: str) -> RestartAnswer:
        """Asks for a reconnect. Never while :meth:`fetch_instances` fails: with its DB down the server would show the
        instance open for ever, without a session (EVOLUTION.md, part B 11)."""
        path = f"/instance/restart/{_segment(name)}"
        request = Request(self.name, "restart", "POST", path, self._limits.restart, instance=name)
        return await self._transport.send(request, answers.read_restart)

    async def find_webhook(self, name: str) -> Webhook | None:
        """The instance's own webhook. ``None`` is no evidence, as in :meth:`find_proxy`."""
        path = f"/webhook/find/{_segment(name)}"
        request = Request(self.name, "find_webhook", "GET", path, self._limits.webhook, instance=name)
        return await self._transport.send(request, answers.read_webhook)

    async def set_webhook(
        self, name: str, url: str, events: Iterable[str], headers: Mapping[str, str] | None = None
    ) -> None:
        """Has ``events`` (none: all) of the instance posted to ``url``, with ``headers`` as given but for ``jwt_key``,
        which becomes a bearer token signed with it (EVOLUTION.md, 11). Replaces the webhook that is there."""
        headers = dict(headers or {})
        switches = {"enabled": True, "byEvents": False, "base64": False}
        body = orjson.dumps({"webhook": {**switches, "url": url, "events": sorted(events), "headers": headers}})
        path, limit, secrets = f"/webhook/set/{_segment(name)}", self._limits.webhook, (url, *headers.values())
        request = Request(self.name, "set_webhook", "POST", path, limit, instance=name, body=body, secrets=secrets)
        await self._transport.send(request, answers.read_set_webhook)

    async def _set(self, call: str, name: str, body: bytes, secrets: tuple[str, ...] = ()) -> None:
        path, limit = f"/proxy/set/{_segment(name)}", self._limits.set_proxy
        request = Request(self.name, call, "POST", path, limit, instance=name, body=body, secrets=secrets)
        await self._transport.send(request, answers.read_set)


def _segment(name: str) -> str:
    """``name`` as one path segment or query value. ``.`` and ``..`` too are encoded, so that nobody resolves them."""
    if not name:
        # An empty filter would fetch all instances, an empty segment is no route (EVOLUTION.md, 4).
        raise InvalidInputError(field="instance", reason="is empty")
    encoded = _quoted("instance", name)
    return encoded.replace(".", "%2E") if name in (".", "..") else encoded


def _fields(spec: ProxySpec) -> dict[str, str]:
    """The five texts of a row that names ``spec``.

    Credentials are percent-encoded because Evolution decodes them. For socks ``+`` stays: media transfers send the
    text as it is stored (EVOLUTION.md, part B 12). A field longer than :data:`~service.models.FIELD_LIMIT` would be
    answered with 201 and not saved.
    """
    safe = "+" if spec.protocol is Protocol.SOCKS5 else ""
    fields = {
        "host": bracketed(spec.host),
        "port": str(spec.port),
        "protocol": _PROTOCOL_WORDS.get(spec.protocol, spec.protocol.value),
        "username": _quoted("username", spec.username, safe),
        "password": _quoted("password", spec.password, safe),
    }
    for field, text in fields.items():
        if len(text) > FIELD_LIMIT:
            raise InvalidInputError(field=field, reason=f"is longer than {FIELD_LIMIT} characters once percent-encoded")
    return fields


def _quoted(field: str, text: str, safe: str = "") -> str:
    with suppress(UnicodeEncodeError):  # it would hold the text
        return quote(text, safe=safe)
    raise InvalidInputError(field=field, reason="is no Unicode text")
