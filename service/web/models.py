"""What the API gives, in camelCase. Times are RFC 3339 UTC. A password is there only where it was asked for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, WithJsonSchema
from pydantic.alias_generators import to_camel

from service import messages
from service.control.import_report import ImportReport, Judged, Verdict
from service.evolution.models import Observation
from service.importing import Rejected, Warned
from service.messages import Locale
from service.models import Protocol
from service.pool.choice import Choice, Why
from service.pool.models import Applied, Instance, Lease, Phase, Proxy, Status, Waits

EARLIEST, LATEST = -62_135_596_800_000, 253_402_300_799_000
"""Milliseconds UTC of the first and the last second that RFC 3339 can write."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def rfc3339(ms: int | None) -> str | None:
    """``2026-01-31T12:00:00.000Z`` of milliseconds UTC; the nearest that can be written when that one can't."""
    if ms is None:
        return None
    ms = min(max(ms, EARLIEST), LATEST)
    moment = _EPOCH + timedelta(milliseconds=ms)  # a float of seconds would lose the last digit
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


Time = Annotated[
    int | None,
    PlainSerializer(rfc3339),
    WithJsonSchema({"type": ["string", "null"], "format": "date-time"}, mode="serialization"),
]

T = TypeVar("T")


class ApiModel(BaseModel):
    model_config = ConfigDict(
        alias_generator=to_camel,
        validate_by_name=True,
        extra="forbid",
        hide_input_in_errors=True,
        json_schema_serialization_defaults_required=True,
    )


class ChoiceOut(ApiModel):
    """Why the lease's proxy, and from what it was chosen: the pool, or ``group``, at that moment
    (:class:`service.pool.choice.Counts`). ``why`` is pin, memory, group, line or row (adopted, without counts)."""

    why: Why
    group: str | None
    candidates: int | None = None
    kept: int | None = None
    resting: int | None = None
    elsewhere: int | None = None
    quarantined: int | None = None
    used: int | None = None
    disabled: int | None = None
    shunned: int | None = None

    @classmethod
    def of(cls, choice: Choice) -> ChoiceOut:
        counts = asdict(choice.counts) if choice.counts else {}
        return cls(why=choice.why, group=choice.group or None, **counts)


class ProxyOut(ApiModel):
    """One proxy with its lease. ``password`` is null unless it is revealed."""

    id: str
    host: str
    port: int
    username: str
    password: str | None = Field(default=None, repr=False)
    protocol: Protocol
    is_used: bool
    assigned_instance_name: str | None
    is_active: bool
    created_at: Time
    updated_at: Time
    status: Status
    group: str
    labels: list[str]
    server: str | None
    instance_id: str | None
    phase: Phase | None
    waits: Waits | None
    applied: Applied | None
    stuck: bool
    reason: str | None
    actor: str | None
    since: Time
    reservation_id: str | None
    choice: ChoiceOut | None
    available_at: Time
    expires_at: Time
    disabled_reason: str | None
    quarantine_reason: str | None
    rest_reason: str | None
    strikes: int
    rev: str

    @classmethod
    def of(cls, proxy: Proxy, *, password: str | None = None) -> ProxyOut:
        lease = proxy.lease
        reserved = lease is not None and lease.reservation is not None
        return cls(
            id=proxy.id,
            host=proxy.host,
            port=proxy.port,
            username=proxy.username,
            password=password,
            protocol=proxy.protocol,
            is_used=proxy.status is Status.USED,
            assigned_instance_name=lease.name if lease else None,
            is_active=proxy.active,
            created_at=proxy.created_at,
            updated_at=proxy.updated_at,
            status=proxy.status,
            group=proxy.group,
            labels=list(proxy.labels),
            server=lease.server if lease else None,
            instance_id=lease.instance if lease and not reserved else None,
            phase=lease.phase if lease else None,
            waits=lease.waits if lease else None,
            applied=lease.applied if lease else None,
            stuck=bool(lease and lease.stuck),
            reason=_reason(lease),
            actor=lease.actor if lease else None,
            since=lease.since if lease else None,
            reservation_id=lease.reservation if lease else None,
            choice=ChoiceOut.of(lease.chosen) if lease else None,
            available_at=proxy.available_at,
            expires_at=proxy.expires_at,
            disabled_reason=proxy.disabled_reason or None if not proxy.active else None,
            quarantine_reason=proxy.quarantine_reason or None,
            rest_reason=proxy.rest_reason or None,
            strikes=proxy.strikes,
            rev=proxy.rev,
        )


class InstanceOut(ApiModel):
    """One instance as last observed, with its lease. ``row`` is what its Proxy row names: a proxy of the pool, ``off``,
    or nothing known; ``address`` the row's host and port. ``troubled_since``: it can't connect since then, whatever
    ``state`` says; ``waits_for_human``: and policy may not rotate its proxy any more. ``reason``: why it got its proxy,
    or why it lets go of it."""

    server: str
    id: str
    name: str
    state: str
    integration: str
    managed: bool
    unmanaged: bool
    owner: str | None
    row: str | None
    address: str | None
    disconnection_code: int | None
    state_since: Time
    seen_at: Time
    proxy_id: str | None
    phase: Phase | None
    waits: Waits | None
    applied: Applied | None
    stuck: bool
    reason: str | None
    choice: ChoiceOut | None
    troubled_since: Time
    waits_for_human: bool

    @classmethod
    def of(cls, instance: Instance) -> InstanceOut:
        return cls(
            server=instance.server,
            id=instance.id,
            name=instance.name,
            state=instance.state,
            integration=instance.integration,
            managed=instance.managed and not instance.unmanaged,
            unmanaged=instance.unmanaged,
            owner=instance.owner or None,
            row=instance.row or None,
            address=instance.address or None,
            disconnection_code=int(instance.code) if instance.code else None,
            state_since=instance.state_since,
            seen_at=instance.seen_at,
            **_lease(instance.lease),
        )

    @classmethod
    def seen(cls, observation: Observation, at: int, lease: Lease | None, *, managed: bool) -> InstanceOut:
        """One that was asked for and never polled yet."""
        row = observation.row
        named = row is not None and row.enabled
        return cls(
            server=observation.server,
            id=observation.id,
            name=observation.name,
            state=observation.state,
            integration=observation.integration,
            managed=managed,
            unmanaged=False,
            owner=observation.owner,
            row=(row.endpoint_id if row.enabled else "off") if row else None,
            address=f"{row.host}:{row.port}" if row and named else None,
            disconnection_code=observation.disconnection_code,
            state_since=None,
            seen_at=at,
            **_lease(lease),
        )


def _reason(lease: Lease | None) -> str | None:
    return (lease.release_reason or lease.reason or None) if lease else None


def _lease(lease: Lease | None) -> dict[str, Any]:
    return {
        "proxy_id": lease.proxy_id if lease else None,
        "phase": lease.phase if lease else None,
        "waits": lease.waits if lease else None,
        "applied": lease.applied if lease else None,
        "stuck": bool(lease and lease.stuck),
        "reason": _reason(lease),
        "choice": ChoiceOut.of(lease.chosen) if lease else None,
        "troubled_since": lease.troubled_since if lease else None,
        "waits_for_human": bool(lease and lease.spent),
    }


class Reservation(ApiModel):
    """``proxy`` holds the password: it is for the maker of the reservation, to be sent with ``/instance/create``."""

    reservation_id: str
    proxy: ProxyOut
    expires_at: Time


class Page(ApiModel, Generic[T]):
    """``next_cursor`` is null at the end. A page may hold fewer items than asked for, even none, and go on: what a
    request looks at is bounded."""

    items: list[T]
    next_cursor: str | None
    total: int | None


class ProxyPage(Page[ProxyOut]):
    """``as_of`` is null for what Redis told alone. What was searched or sorted came from SQL: what was changed since
    then may be missing, or stand elsewhere."""

    as_of: Time


class Said(ApiModel):
    code: str
    reason: str


class Remark(ApiModel):
    line: int
    code: str
    reason: str


def _said(one: Rejected | Warned, locale: Locale) -> dict[str, str]:
    return {"code": one.code, "reason": messages.remark(one.code, locale, one.reason)}


class LineOut(ApiModel):
    """What would become of one line. ``line`` is null for a ``drained`` proxy, which no line names; ``changed`` names
    fields of the proxy. Nothing is repeated of a line that gave none."""

    line: int | None
    verdict: Verdict
    protocol: Protocol | None
    host: str | None
    port: int | None
    changed: list[str]
    remarks: list[Said]

    @classmethod
    def of(cls, judged: Judged, locale: Locale) -> LineOut:
        protocol, host, port = judged.endpoint or (None, None, None)
        return cls(
            line=judged.line,
            verdict=judged.verdict,
            protocol=protocol,
            host=host,
            port=port,
            changed=[to_camel(name) for name in judged.changed],
            remarks=[Said(**_said(one, locale)) for one in judged.remarks],
        )


class ImportOut(ApiModel):
    """The counts are of all lines; ``rejected`` and ``warnings`` end at a thousand each.

    Only a dry run has ``verdicts``, which count all lines, and ``lines``: the first thousand of each verdict and those
    whose warnings are listed; ``linesOmitted`` counts the others.
    """

    added: int
    updated: int
    unchanged: int
    disabled: int
    drained: int
    rejected: list[Remark]
    rejected_count: int
    warnings: list[Remark]
    warnings_count: int
    verdicts: dict[Verdict, int]
    lines: list[LineOut]
    lines_omitted: int
    dry_run: bool

    @classmethod
    def of(cls, report: ImportReport, locale: Locale) -> ImportOut:
        """Remarks in the words of ``locale``."""

        def told(remarks: Iterable[Rejected | Warned]) -> list[Remark]:
            return [Remark(line=one.line, **_said(one, locale)) for one in remarks]

        return cls(
            added=report.added,
            updated=report.updated,
            unchanged=report.unchanged,
            disabled=report.disabled,
            drained=report.drained,
            rejected=told(report.rejected),
            rejected_count=report.rejected_count,
            warnings=told(report.warnings),
            warnings_count=report.warnings_count,
            verdicts=report.verdicts,
            lines=[LineOut.of(one, locale) for one in report.in_order()],
            lines_omitted=report.verdicts.total() - len(report.lines),
            dry_run=report.dry_run,
        )
