"""Text lines: the many orders in which people write host, port, username and password.

======================================  =============================================================
``host:port``                           also ``[ipv6]:port``; the same in all rows below
``host:port:user:pass``                 a password may hold ``:``, what is left is joined
``host:port@user:pass``
``user:pass@host:port``                 valid %-escapes of the credentials are decoded
``user:pass:host:port``
``scheme://`` and any of these          %-escapes are decoded; ``#label`` at the end is a label
blanks, commas, semicolons or pipes     between the fields, in both orders, with CSV quotes if need be
======================================  =============================================================

A line that can be read in two orders is decided by the surer host: an IP literal before a dotted name before a bare
word. Where that is a draw, :func:`read` answers both readings.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import unquote

from service.importing.draft import Draft, Note, Order
from service.importing.fields import host_rank, parse_host, parse_port, parse_protocol
from service.importing.outcomes import LineError

COMMENT = re.compile(r"#|;|//|sep=.?$")
"""How a line begins that says nothing about proxies; ``sep=`` is what spreadsheets write."""

_HOST = r"(\[[^\[\]\s]*\]|[^\s\[\]:@/,;|#?\"']+)"
_PORT = r"([0-9]+)"
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_HOST_FIRST = re.compile(rf"{_HOST}:{_PORT}(?:/|[:@](.*))?")
_HOST_LAST = re.compile(rf"([^:]*):(.*):{_HOST}:{_PORT}/?")
_HOST_AFTER_AT = re.compile(rf"([^:]*)(?::(.*))?@{_HOST}:{_PORT}/?(?:#(.*))?")
_ENDPOINT = re.compile(rf"{_HOST}:{_PORT}")
_SEPARATOR = re.compile(r"\s*([,;|])\s*|\s+")
_LINK = re.compile(r"(.+?)[\s,;|:]+[\"']?https?://.*", re.IGNORECASE)
_TRAILING_COMMENT = re.compile(r"\s(?:#|//).*")
_BARE_IPV6 = re.compile(r"(?:.*@)?(?:[0-9a-f:]*::|(?:[0-9a-f]{1,4}:){6})", re.IGNORECASE)

_LINK_DROPPED = Note("change_link", "the change-IP link at the end was dropped; evoproxy does not call it")
_LABEL_TAKEN = Note(
    "label_taken", "what follows # was read as a label; a # in a password after a scheme is written %23"
)


class _Option(NamedTuple):
    """One order that fits the look of a line; host and port are not yet checked."""

    order: Order | None
    host: str
    port: str
    username: str = ""
    password: str = ""
    label: str = ""


def read(line: str) -> list[Draft]:
    """The equally likely readings of one line, the more usual one first; none for a blank line or a comment.

    Raises ``LineError`` for a line without any reading.
    """
    text = line.strip("\ufeff").strip()
    if not text or COMMENT.match(text):
        return []
    text = _unquoted(_TRAILING_COMMENT.sub("", text))
    notes = []
    if "://" in text[8:] and (link := _LINK.fullmatch(text)):
        text = _unquoted(link[1])
        notes.append(_LINK_DROPPED)
    protocol = None
    if scheme := _SCHEME.match(text):
        protocol = parse_protocol(scheme[1])
        text = text[scheme.end() :]
    drafts = _surest(text, _options(text, url=protocol is not None))
    for draft in drafts:
        draft.protocol = protocol
        draft.notes += notes
        if draft.labels and draft.order is Order.HOST_FIRST:
            draft.notes.append(_LABEL_TAKEN)
    return drafts


def _unquoted(text: str) -> str:
    text = text.rstrip(", \t")
    if len(text) > 2 and text[0] == text[-1] and text[0] in "\"'" and text[0] not in text[1:-1]:
        return text[1:-1].strip()
    return text


def _options(text: str, *, url: bool) -> Iterator[_Option]:
    if "@" in text and (match := _HOST_AFTER_AT.fullmatch(text)):
        username, password, host, port, label = (group or "" for group in match.groups())
        yield _Option(Order.HOST_LAST, host, port, _decoded(username), _decoded(password), label)
        if url:
            return  # The standard's order (RFC 3986, 3.2): after a scheme nothing competes with it.
    if url:
        text, _, label = text.partition("#")
        for option in _literal_options(text):
            yield option._replace(username=_decoded(option.username), password=_decoded(option.password), label=label)
    else:
        yield from _literal_options(text)


def _literal_options(text: str) -> Iterator[_Option]:
    if first := _HOST_FIRST.fullmatch(text):
        username, _, password = (first[3] or "").partition(":")
        yield _Option(Order.HOST_FIRST if first[3] else None, first[1], first[2], username, password)
    # A password with colons before a bare word is more likely a piece of an IPv6 address.
    if (last := _HOST_LAST.fullmatch(text)) and (":" not in last[2] or host_rank(last[3])):
        yield _Option(Order.HOST_LAST, last[3], last[4], last[1], last[2])
    if separator := _SEPARATOR.search(text):
        yield from _cell_options(_cells(text, separator[1]))


def _cells(text: str, separator: str | None) -> list[str]:
    if separator is None:
        return text.split()
    try:
        cells = next(csv.reader([text], delimiter=separator, skipinitialspace=True, strict=True))
    except csv.Error:
        return []
    while cells and not cells[-1].strip():
        cells.pop()
    return [cell.strip() for cell in cells]


def _cell_options(cells: list[str]) -> Iterator[_Option]:
    if len(cells) > 1 and cells[1].isdigit():
        yield from _with_credentials(Order.HOST_FIRST, cells[0], cells[1], cells[2:])
    elif cells and (endpoint := _ENDPOINT.fullmatch(cells[0])):
        yield from _with_credentials(Order.HOST_FIRST, endpoint[1], endpoint[2], cells[1:])
    if len(cells) > 2 and cells[-1].isdigit():
        yield from _with_credentials(Order.HOST_LAST, cells[-2], cells[-1], cells[:-2])
    elif len(cells) > 1 and (endpoint := _ENDPOINT.fullmatch(cells[-1])):
        yield from _with_credentials(Order.HOST_LAST, endpoint[1], endpoint[2], cells[:-1])


def _with_credentials(order: Order, host: str, port: str, rest: list[str]) -> Iterator[_Option]:
    if not rest:
        yield _Option(None, host, port)
    elif len(rest) == 1:
        username, _, password = rest[0].partition(":")
        yield _Option(order, host, port, username, password)
    elif len(rest) == 2:
        yield _Option(order, host, port, *rest)


def _surest(text: str, options: Iterator[_Option]) -> list[Draft]:
    best: list[Draft] = []
    best_rank = -1
    refusal: LineError | None = None
    address_refused = False
    for option in options:
        try:
            draft = Draft(
                parse_host(option.host),
                parse_port(option.port),
                username=option.username,
                password=option.password,
                labels=[option.label] if option.label else [],
                order=option.order,
            )
        except LineError as error:
            looks_like_address = host_rank(option.host) > 0
            if refusal is None or (looks_like_address and not address_refused):
                refusal = error
            address_refused = address_refused or looks_like_address
            continue
        rank = host_rank(draft.host)
        if rank > best_rank:
            best, best_rank = [draft], rank
        elif rank == best_rank:
            best.append(draft)
    if best_rank > 0:
        return best
    if _BARE_IPV6.match(text):
        raise LineError("host", "an IPv6 address is written in brackets: [2001:db8::1]:8080")
    if best and not address_refused:
        return best
    raise refusal or LineError("shape", "no known order of host, port, username and password")


def _decoded(text: str) -> str:
    """``text`` with its %-escapes decoded; literally ``text`` when they are not UTF-8."""
    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError:
        return text
