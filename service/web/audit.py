"""The audit as the API shows it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Generic, TypeVar

from pydantic import Field
from pydantic.alias_generators import to_camel

from service.audit import Tenancy
from service.models import Protocol
from service.pool.stream import Event
from service.web.figures import CountsOut
from service.web.models import ApiModel, Page, Time

T = TypeVar("T")

_RESERVATION = "~"
_OF_EVENT = frozenset(("proxy", "server", "instance", "name", "token", "reason"))


class AuditPage(Page[T], Generic[T]):
    """``as_of``: everything up to then is in SQL, so nothing older is missing here."""

    as_of: Time


class EventOut(ApiModel):
    """One event. ``data`` is what else its script said of it, all text. ``instance_id`` is null for a reservation."""

    id: str
    type: str
    level: str
    at: Time
    actor: str
    proxy_id: str | None
    server: str | None
    instance_id: str | None
    reservation_id: str | None
    name: str | None
    token: str | None
    reason: str | None
    data: dict[str, Any]

    @classmethod
    def of(cls, event: Event) -> EventOut:
        fields = event.fields
        return cls(
            id=str(event.id),
            type=event.type,
            level=event.level,
            at=event.at,
            actor=event.actor,
            proxy_id=fields.get("proxy"),
            server=fields.get("server"),
            **_holder(fields.get("instance")),
            name=fields.get("name"),
            token=fields.get("token"),
            reason=fields.get("reason"),
            data={to_camel(name): value for name, value in fields.items() if name not in _OF_EVENT},
        )


class BeginningOut(ApiModel):
    """``event`` is null where it was lost. ``chosen`` says why this proxy: pin, memory, group, line or row."""

    event: str | None
    actor: str | None
    reason: str | None
    chosen: str | None


class EndingOut(ApiModel):
    """``actor`` and ``reason`` are those of the release, ``event`` and ``evidence`` those of the end: both null while
    the release goes on, and where the end was lost."""

    event: str | None
    actor: str | None
    reason: str | None
    evidence: str | None


class TenancyOut(ApiModel):
    """An instance had the proxy ``from`` then ``to`` then, null: it has it still. ``active_from`` is when it was first
    set and read back, ``applied_from`` when the instance was first seen to connect through it. ``ended`` is null before
    a release begins. ``instance_id`` is null for a reservation that no instance fulfilled."""

    proxy_id: str
    protocol: Protocol | None
    host: str | None
    port: int | None
    server: str
    instance_id: str | None
    reservation_id: str | None
    name: str | None
    since: Time = Field(alias="from")
    active_from: Time
    applied_from: Time
    until: Time = Field(alias="to")
    began: BeginningOut
    ended: EndingOut | None

    @classmethod
    def of(cls, tenancy: Tenancy) -> TenancyOut:
        one = tenancy
        ending = EndingOut(event=one.ended, actor=one.release_actor, reason=one.release_reason, evidence=one.evidence)
        return cls(
            proxy_id=one.proxy,
            protocol=Protocol(one.protocol) if one.protocol else None,
            host=one.host,
            port=one.port,
            server=one.server,
            **_holder(one.instance),
            name=one.name,
            since=one.began_at,
            active_from=one.active_at,
            applied_from=one.applied_at,
            until=one.ended_at,
            began=BeginningOut(event=one.began, actor=one.began_actor, reason=one.began_reason, chosen=one.chosen),
            ended=ending if one.ended_at is not None or one.release_actor is not None else None,
        )


class CountsPointOut(CountsOut):
    """The counts of one group as they were then."""

    at: Time


class PointOut(CountsPointOut):
    """The figures of GET /stats as they were then."""

    reserved: int
    releasing: int
    stuck: int
    external: int
    unprotected: int
    not_applied: int
    reservations: int
    instances: dict[str, int]
    mirror_lag: float | None

    @classmethod
    def of(cls, point: Mapping[str, Any]) -> PointOut:
        known = {name: point[name] for name in cls.model_fields}
        return cls(**known | {"instances": point["states"]})


class HistoryOut(ApiModel):
    """In each ``step`` seconds of the range the last snapshot, if there was one; of one group its counts, where that
    snapshot knew the group."""

    since: Time = Field(alias="from")
    until: Time = Field(alias="to")
    step: int
    points: list[PointOut] | list[CountsPointOut]


def _holder(instance: str | None) -> dict[str, str | None]:
    reserved = instance is not None and instance.startswith(_RESERVATION)
    return {
        "instance_id": None if reserved else instance,
        "reservation_id": instance.removeprefix(_RESERVATION) if instance and reserved else None,
    }
