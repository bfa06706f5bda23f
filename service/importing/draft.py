"""From one way to read a line to a checked proxy with its warnings."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum

from service.importing.fields import check_credential
from service.importing.outcomes import LineError
from service.models import FIELD_LIMIT, USABLE_PROTOCOLS, Protocol, ProxySpec

LABELS_LIMIT = 16
"""Most labels that one proxy keeps."""

_SOCKS_SAFE = re.compile(r"[A-Za-z0-9_.+-]*")


class Order(Enum):
    """Where a line with credentials has its host."""

    HOST_FIRST = "host first"
    HOST_LAST = "host last"


@dataclass(frozen=True, slots=True)
class Note:
    """A warning that has no line number yet."""

    code: str
    reason: str


UNUSABLE_PROTOCOL = Note(
    "unusable_protocol", "the Evolution API can use http and socks5 only; the proxy stays disabled"
)
HALF_CREDENTIALS = Note(
    "half_credentials", "a username without password, or the reverse: the Evolution API would send neither"
)
SOCKS_PASSWORD = Note(
    "socks_password",
    "a socks password with other characters than letters, digits and -_.+ fails when media is sent",
)
LABEL_DROPPED = Note(
    "label_dropped", f"labels over {FIELD_LIMIT} characters, unprintable or beyond {LABELS_LIMIT} were dropped"
)


@dataclass(slots=True)
class Draft:
    """One way to read a line: host and port are valid and canonical, the rest is as the source has it.

    ``protocol`` is None where the source names none, ``order`` where it leaves no choice.
    """

    host: str
    port: int
    protocol: Protocol | None = None
    username: str = ""
    password: str = field(default="", repr=False)
    group: str = ""
    labels: list[str] = field(default_factory=list)
    expires_at: int | None = None
    order: Order | None = None
    notes: list[Note] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Reading:
    """A draft that passed every check."""

    order: Order | None
    spec: ProxySpec
    notes: tuple[Note, ...]


def check(draft: Draft, protocol: Protocol, group: str) -> Reading:
    """The proxy that ``draft`` means, with ``protocol`` and ``group`` where it names none; else ``LineError``.

    EVOLUTION.md, B12 and B23, say what the warnings rest on.
    """
    check_credential("username", draft.username)
    check_credential("password", draft.password)
    if len(draft.group) > FIELD_LIMIT or not draft.group.isprintable():
        raise LineError("group", f"the group is over {FIELD_LIMIT} characters or can't be printed")
    notes = list(draft.notes)
    spec = ProxySpec(
        protocol=draft.protocol or protocol,
        host=draft.host,
        port=draft.port,
        username=draft.username,
        password=draft.password,
        group=draft.group or group,
        labels=_labels(draft.labels, notes) if draft.labels else (),
        expires_at=draft.expires_at,
    )
    if spec.protocol not in USABLE_PROTOCOLS:
        notes.append(UNUSABLE_PROTOCOL)
    if bool(spec.username) != bool(spec.password):
        notes.append(HALF_CREDENTIALS)
    if spec.protocol is Protocol.SOCKS5 and not _SOCKS_SAFE.fullmatch(spec.password):
        notes.append(SOCKS_PASSWORD)
    return Reading(draft.order, spec, tuple(notes))


def _labels(raw: list[str], notes: list[Note]) -> tuple[str, ...]:
    tidy = dict.fromkeys(" ".join(label.split()) for label in raw)
    kept = [label for label in tidy if label and len(label) <= FIELD_LIMIT and label.isprintable()][:LABELS_LIMIT]
    if len(kept) < len([label for label in tidy if label]):
        notes.append(LABEL_DROPPED)
    return tuple(kept)
