"""Reads what an Evolution server answers: JSON values into models, error bodies into a short text. No I/O."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any, cast, get_args

from service.evolution.models import Observation, RestartAnswer, Row, State, Webhook

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_OWNER = re.compile(r"(\d+)(?::\d+)?@(?:s\.whatsapp\.net|c\.us)")
_STATES = frozenset(get_args(State))


class UnknownShapeError(ValueError):
    """An answer that is not what this release knows. The text is ours and never quotes the answer."""


def read_observations(server: str, body: Any) -> list[Observation]:
    """The whole list of ``server``, in any order; every element read, or :class:`UnknownShapeError`.

    A list read in part would look like instances that are gone, so one unreadable element spoils it, and so does
    an id or a name that appears twice.
    """
    if not isinstance(body, list):
        raise UnknownShapeError("not a list of instances")
    found = [_observation(server, element) for element in body]
    if len({each.row_listed for each in found}) > 1:
        raise UnknownShapeError("elements of two versions")
    if len({each.id for each in found}) < len(found):
        raise UnknownShapeError("an instance id appears twice")
    if len({each.name for each in found}) < len(found):
        raise UnknownShapeError("an instance name appears twice")
    return found


def _observation(server: str, element: Any) -> Observation:
    match element:
        case {"id": str(id_), "name": str(name), "Proxy": row} if id_:
            return Observation(
                server=server,
                id=id_,
                name=name,
                state=_state(element.get("connectionStatus")),
                integration=_optional_text(element.get("integration")) or "",
                row=read_row(row),
                owner=_owner(element.get("ownerJid")),
                disconnection_code=_code(element.get("disconnectionReasonCode")),
                disconnection_at=_milliseconds(element.get("disconnectionAt")),
            )
        case {"instance": {"instanceId": str(id_), "instanceName": str(name), "status": status, **rest}} if id_:
            return Observation(
                server=server,
                id=id_,
                name=name,
                state=_state(status),
                integration=_version_1_integration(rest.get("integration")),
                row_listed=False,
                owner=_owner(rest.get("owner")),
            )
        case _:
            raise UnknownShapeError("an element is no instance of a known version")


def _version_1_integration(value: Any) -> str:
    """Version 1 names it bare, inside an object, or not at all while there was only Baileys."""
    match value:
        case None:
            return "WHATSAPP-BAILEYS"
        case str(name) | {"integration": str(name)}:
            return name
        case _:
            return ""


def read_row(value: Any) -> Row | None:
    """A Proxy row, from the list or from ``/proxy/find``; ``None`` for JSON ``null``."""
    match value:
        case None:
            return None
        case {"enabled": False}:
            return Row(enabled=False, instance_id=_optional_text(value.get("instanceId")))
        case {"enabled": True, "protocol": protocol, "host": host, "port": port}:
            return Row(
                enabled=True,
                protocol=_text(protocol),
                host=_text(host),
                port=_text(port),
                username=_text(value.get("username")),
                password=_text(value.get("password")),
                instance_id=_optional_text(value.get("instanceId")),
            )
        case _:
            raise UnknownShapeError("a proxy row without enabled, protocol, host or port")


def read_observation(server: str, name: str, body: Any) -> Observation | None:
    """The one instance of this name; ``None`` for an empty list. Version 1 answers it without a list."""
    found = read_observations(server, [body] if isinstance(body, dict) else body)
    if not found:
        return None
    if len(found) > 1 or found[0].name != name:
        raise UnknownShapeError("not the one instance that was asked for")
    return found[0]


def read_state(name: str, body: Any) -> State | None:
    """The live state of ``name``; ``None`` when the server has no connection of it in memory."""
    match body:
        case {"instance": {"instanceName": str(told), **rest}} if told == name:
            state = rest.get("state")
            return None if state is None else _state(state)
        case _:
            raise UnknownShapeError("no state of this instance")


def read_restart(body: Any) -> RestartAnswer:
    """Which of the three answers that all come with status 200 this is."""
    match body:
        case {"error": True}:
            return RestartAnswer.REFUSED
        case {"instance": {}}:
            return RestartAnswer.ACCEPTED
        case {"count": int()} | {"code": str()}:
            return RestartAnswer.QR
        case _:
            raise UnknownShapeError("no known answer to a restart")


def read_set(body: Any) -> None:
    """Nothing but that it is Evolution's answer: it echoes the request, not what was saved (EVOLUTION.md, 7)."""
    match body:
        case {"proxy": {}}:
            return
        case _:
            raise UnknownShapeError("no answer of proxy/set")


def read_webhook(body: Any) -> Webhook | None:
    """The instance's own webhook; ``None`` for JSON ``null``."""
    match body:
        case None:
            return None
        case {"url": str(url), "enabled": bool(enabled)}:
            events, headers = frozenset(_event_names(body.get("events"))), body.get("headers")
            return Webhook(url, enabled, events, headers if isinstance(headers, dict) else {})
        case _:
            raise UnknownShapeError("no webhook")


def read_set_webhook(body: Any) -> None:
    """Nothing but that it is Evolution's answer, bare or inside ``webhook``."""
    match body:
        case {"url": str()} | {"webhook": {}}:
            return
        case _:
            raise UnknownShapeError("no answer of webhook/set")


def error_text(body: Any) -> str | None:
    """``response.message`` of Evolution's error shape as one text; ``None`` when ``body`` has another shape.

    The message is a string, a list of strings or a list of lists (EVOLUTION.md, 1).
    """
    match body:
        case {"response": {"message": message}}:
            return "; ".join(_texts(message, depth=2))
        case _:
            return None


def _texts(value: Any, depth: int) -> list[str]:
    if isinstance(value, list) and depth:
        return [text for item in value for text in _texts(item, depth - 1)]
    return [value] if isinstance(value, str) else []


def _event_names(value: Any) -> list[str]:
    if value is None:
        return []
    if isinstance(value, list) and all(isinstance(name, str) for name in value):
        return value
    raise UnknownShapeError("the events of a webhook are no list of names")


def _state(value: Any) -> State:
    return cast(State, value) if isinstance(value, str) and value in _STATES else "unknown"


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise UnknownShapeError("a field of a proxy row is no text")


def _optional_text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _owner(value: Any) -> str | None:
    match_ = _OWNER.fullmatch(value) if isinstance(value, str) else None
    return match_[1] if match_ else None


def _code(value: Any) -> int | None:
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    raise UnknownShapeError("a disconnection code is no number")


def _milliseconds(value: Any) -> int | None:
    if value is None:
        return None
    try:
        return (datetime.fromisoformat(value) - _EPOCH) // timedelta(milliseconds=1)
    except (TypeError, ValueError):
        raise UnknownShapeError("a disconnection time is no RFC 3339 time") from None
