"""JSON: the elements of a large document one by one, without ever holding the document."""

from __future__ import annotations

import re
from collections.abc import Iterator

import orjson

from service.importing import text, vendors
from service.importing.draft import Draft
from service.importing.outcomes import LineError

RECORD_LIMIT = 65536
"""Longest element in characters; of a longer one no more than this is ever kept."""

_WRAPPERS = frozenset({"results", "proxies", "data", "items"})
_OUTSIDE = re.compile(r'"[^"\\\n]*"|["{}\[\],]')
_INSIDE = re.compile(r'["\\\n]')


def read(element: str) -> list[Draft]:
    """The equally likely readings of one JSON element: an object with vendors' keys, or a string that is a text line.

    None for a blank element. Raises ``LineError``.
    """
    if not element.strip():
        return []
    try:
        value = orjson.loads(element)
    except orjson.JSONDecodeError:
        raise LineError("json", "this is not valid JSON") from None
    if isinstance(value, str):
        return text.read(value)
    if isinstance(value, dict):
        return vendors.read(value.items())
    raise LineError("json", "a proxy in JSON is an object or a string")


class Elements:
    """Splits a JSON document into elements: (line it starts on, its text), or the reason why there is no text.

    Elements are the members of a top-level array, those of an array under ``results``, ``proxies``, ``data`` or
    ``items`` (also inside an object under one of these), and top-level objects without such an array. Inside an
    element only quotes and brackets are looked at, so a broken one costs its neighbours nothing as long as its
    brackets match; a string ends with its line at the latest.
    """

    def __init__(self) -> None:
        self._depth = 0
        self._array: int | None = None  # depth of the members of the array that is being split
        self._object = 1  # depth of the members of the object whose keys may name such an array
        self._wrapped = False  # such an array was found, so the object around it is no element
        self._key = ""  # the last string seen among those members
        self._in_string = False
        self._escaped = False
        self._line = 1  # where the kept text starts
        self._kept = ""
        self._size = 0
        self._newlines = 0

    def feed(self, text: str) -> Iterator[tuple[int, str | LineError]]:
        """The elements that ``text`` completes. The answer must be used up before the next call."""
        begin = position = 0
        while position < len(text):
            if self._in_string:
                position = self._through_string(text, position)
                continue
            token = _OUTSIDE.search(text, position)
            if token is None:
                break
            position = token.end()
            mark = token[0]
            if mark[0] == '"':
                self._in_string = len(mark) == 1
                if self._depth == self._object and self._array is None:
                    self._key = mark.strip('"')
            elif mark in "{[":
                self._depth += 1
                if self._opens_array(mark):
                    yield from self._take(text[begin:position], wanted=False)
                    begin = position
            elif self._depth == (self._array or 0):
                # A comma, or a bracket that closes the array. At depth 0 it separates documents, or is superfluous.
                yield from self._take(text[begin : token.start()])
                begin = position
                if mark != ",":
                    self._array = None
                    self._close_bracket()
            elif mark != ",":
                self._close_bracket()
                if self._depth == 0:
                    yield from self._take(text[begin:position], wanted=not self._wrapped)
                    begin = position
                    self._wrapped = False
        self._keep(text[begin:])

    def close(self) -> Iterator[tuple[int, str | LineError]]:
        """What is left when the document ends: nothing, unless it was cut."""
        last_line = self._line + self._newlines
        if self._depth == 0 or self._array is not None:
            yield from self._take("")
        if self._depth > 0:
            yield last_line, LineError("json", "the document ends before its brackets are closed")

    def _through_string(self, text: str, position: int) -> int:
        if self._escaped:
            self._escaped = False
            return position + 1
        end = _INSIDE.search(text, position)
        if self._depth == self._object and self._array is None and len(self._key) < 64:
            self._key += text[position : end.start() if end else None]
        if end is None:
            return len(text)
        if end[0] == "\\":
            self._escaped = True
        else:
            self._in_string = False
        return end.end()

    def _opens_array(self, mark: str) -> bool:
        if self._array is not None:
            return False
        named = self._depth == self._object + 1 and self._key in _WRAPPERS
        if mark == "[" and (self._depth == 1 or named):
            self._array = self._depth
            self._wrapped = named
            return True
        if mark == "{" and named:
            self._object = self._depth
        return False

    def _close_bracket(self) -> None:
        self._depth = max(self._depth - 1, 0)
        self._object = max(min(self._object, self._depth), 1)

    def _take(self, text: str, wanted: bool = True) -> Iterator[tuple[int, str | LineError]]:
        self._keep(text)
        if wanted and self._size > RECORD_LIMIT:
            yield self._line, LineError("too_long", f"the element is over {RECORD_LIMIT} characters")
        elif wanted and self._kept:
            yield self._line, self._kept
        self._line += self._newlines
        self._kept = ""
        self._size = self._newlines = 0

    def _keep(self, text: str) -> None:
        if not self._size:
            stripped = text.lstrip()
            self._line += text.count("\n", 0, len(text) - len(stripped))
            text = stripped
        self._newlines += text.count("\n")
        self._size += len(text)
        if self._size <= RECORD_LIMIT:
            self._kept += text
