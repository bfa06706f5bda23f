"""Lists: opaque cursors, and pages whose cost is bounded however rare the matches are."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

from service.errors import InvalidInputError

EXAMINED = 1000
"""Most entries that one request looks at."""

_STEP = 200

T = TypeVar("T")


def encode(position: str) -> str | None:
    """A cursor for what comes after ``position``; ``None`` for ``""``, the end."""
    return base64.urlsafe_b64encode(position.encode()).decode().rstrip("=") if position else None


def decode(cursor: str) -> str:
    """Raises :class:`InvalidInputError` for what :func:`encode` never gave."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        position = base64.b64decode(padded.encode("ascii"), altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeError):
        raise InvalidInputError(field="cursor", reason="unknown_cursor") from None
    if encode(position) != (cursor or None):
        raise InvalidInputError(field="cursor", reason="unknown_cursor")
    return position


def cut(
    entries: Iterable[T], position_of: Callable[[T], str], *, cursor: str, limit: int
) -> tuple[str | None, list[T]]:
    """The next cursor and up to ``limit`` of ``entries``, all of which are at hand, by their positions."""
    position = decode(cursor)
    rest = sorted((entry for entry in entries if position_of(entry) > position), key=position_of)
    return encode(position_of(rest[limit - 1])) if len(rest) > limit else None, rest[:limit]


async def gather(
    read: Callable[[str, int], Awaitable[tuple[str, list[T]]]],
    position_of: Callable[[T], str],
    wanted: Callable[[T], bool],
    *,
    cursor: str,
    limit: int,
) -> tuple[str | None, list[T]]:
    """The next cursor and up to ``limit`` entries that are ``wanted``, of at most :data:`EXAMINED`."""
    position, found = decode(cursor), []
    for _ in range(EXAMINED // _STEP):
        following, entries = await read(position, _STEP)
        for index, entry in enumerate(entries):
            if wanted(entry):
                found.append(entry)
                if len(found) == limit:
                    last = index == len(entries) - 1 and not following
                    return None if last else encode(position_of(entry)), found
        position = following
        if not position:
            break
    return encode(position), found
