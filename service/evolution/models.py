"""What an Evolution server says about an instance and its proxy, as values that never show a password."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal
from urllib.parse import unquote

from service.models import ProxySpec, canonical_host, canonical_protocol, proxy_id

State = Literal["open", "connecting", "close", "unknown"]
"""A connection's state; ``unknown`` is a word that this release does not know, or none at all."""

_PORT = re.compile("[0-9]{1,5}")


def decoded(stored: str) -> str:
    """The literal credential that a row's text stands for.

    Evolution percent-decodes what it stores (EVOLUTION.md, 7), so valid %-escapes are decoded. An escape that can't
    be read, and a text whose escapes are not UTF-8, are literal.
    """
    try:
        return unquote(stored, errors="strict")
    except UnicodeDecodeError:
        return stored


@dataclass(frozen=True, slots=True)
class Row:
    """An instance's Proxy row as stored: a proxy, or with ``enabled=False`` an explicit "switched off".

    All texts are raw: any spelling of protocol and host, credentials percent-encoded by us or typed raw by an
    operator. No row at all is ``None`` wherever a ``Row | None`` is given. ``instance_id`` is the owner that
    the row names, ``None`` if it names none.
    """

    enabled: bool
    protocol: str = ""
    host: str = ""
    port: str = ""
    username: str = ""
    password: str = field(default="", repr=False)
    instance_id: str | None = None

    @property
    def endpoint_id(self) -> str | None:
        """The pool's id of the proxy that the row names, whatever its spelling.

        ``None`` when switched off, and when protocol, host or port name no endpoint that a pool could hold.
        """
        if not (self.enabled and self.host and _PORT.fullmatch(self.port) and 0 < int(self.port) < 65536):
            return None
        try:
            protocol = canonical_protocol(self.protocol)
        except ValueError:
            return None
        return proxy_id(protocol, canonical_host(self.host), int(self.port), decoded(self.username))

    def same_endpoint(self, proxy_id: str) -> bool:
        """Whether the row names the proxy of this id. Its password may still be an old one: see :meth:`names`."""
        return self.endpoint_id == proxy_id

    def belongs_to(self, instance_id: str) -> bool:
        """Whether the row may be that instance's: one that tells no owner is taken for that of the name asked for."""
        return self.instance_id in (None, instance_id)

    def names(self, spec: ProxySpec) -> bool:
        """Whether the row is right for ``spec``: the same endpoint and the same credentials, password included."""
        return self.endpoint_id == spec.id and decoded(self.password) == spec.password


@dataclass(frozen=True, slots=True)
class Observation:
    """What one server's instance list says about one instance.

    ``state`` is the database column: ``open`` all through a reconnect loop (EVOLUTION.md, 4). ``row`` is ``None``
    when none was ever set, or when the list does not tell rows at all (version 1: ``row_listed`` is false, ask
    :meth:`~service.evolution.client.EvolutionClient.find_proxy`). ``owner`` is the number's digits once it was
    paired. ``disconnection_code`` and ``disconnection_at`` (milliseconds UTC) tell of the last final close and are
    never cleared by the server, so an old pair proves nothing.
    """

    server: str
    id: str
    name: str
    state: State
    integration: str
    row: Row | None = None
    row_listed: bool = True
    owner: str | None = None
    disconnection_code: int | None = None
    disconnection_at: int | None = None


@dataclass(frozen=True, slots=True)
class Webhook:
    """An instance's own webhook, beside the server's global one (EVOLUTION.md, 11).

    ``events`` are named as in ``LOGOUT_INSTANCE``; empty means all of them. ``url`` and ``headers`` may hold a
    secret.
    """

    url: str = field(repr=False)
    enabled: bool = True
    events: frozenset[str] = frozenset()
    headers: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)


class RestartAnswer(StrEnum):
    """What a restart answered; each comes with status 200 (EVOLUTION.md, 6). None proves a new connection."""

    ACCEPTED = "accepted"
    """It was open and begins to reconnect (or is no Baileys instance, and nothing happens): the state told is stale."""
    QR = "qr"
    """It was connecting and connects anew. The QR code is a leftover and means nothing."""
    REFUSED = "refused"
    """Nothing was done: the instance is closed, or was in the moment between two attempts."""
