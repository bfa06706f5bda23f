"""What the scripts that work on a batch take of each item, and what they answer to it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sighting:
    """What ``observe`` takes of one instance: ``row`` is a proxy id, ``off`` or ``""`` (no evidence)."""

    instance: str
    name: str
    state: str
    integration: str
    managed: bool
    owner: str = ""
    row: str = ""
    address: str = ""
    code: str = ""
    disc_at: str = ""


@dataclass(frozen=True, slots=True)
class Wish:
    """What ``acquire`` takes of one instance. ``owner`` is its phone number's digits, as far as they are known; ``pin``
    a proxy id, ``group`` a preference, binding if ``strict``."""

    instance: str
    name: str
    owner: str = ""
    disc_at: str = ""
    opened: bool = False
    pin: str = ""
    group: str = ""
    strict: bool = False


@dataclass(frozen=True, slots=True)
class Claim:
    """What ``adopt`` takes of one instance: its row's proxy id."""

    instance: str
    name: str
    row: str
    owner: str = ""
    disc_at: str = ""
    opened: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What ``acquire`` and ``adopt`` answer for one instance: ``word`` as in the script's header."""

    word: str
    proxy_id: str
    token: str


@dataclass(frozen=True, slots=True)
class Imported:
    """What ``import_proxies`` answers for one proxy."""

    word: str
    status: str
    other_protocols: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Foretold(Imported):
    """What ``preview`` answers for one proxy. ``changed`` names what an update would change, as its event does:
    ``password``, ``group``, ``labels``, ``expires_at``."""

    changed: tuple[str, ...] = ()
