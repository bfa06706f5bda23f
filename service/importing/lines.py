"""Text arrives in chunks of any size; these are its lines."""

from __future__ import annotations

from collections.abc import Iterator

from service.importing.outcomes import LineError

LINE_LIMIT = 8192
"""Longest line in characters; of a longer one no more than this is ever kept."""


class Lines:
    """Splits text at ``\\n``. Answers (number from 1, line), or the reason why there is no line."""

    def __init__(self) -> None:
        self._number = 0
        self._tail = ""
        self._too_long = False

    def feed(self, text: str) -> Iterator[tuple[int, str | LineError]]:
        """The lines that ``text`` completes. The answer must be used up before the next call."""
        *whole, tail = (self._tail + text).split("\n")
        for line in whole:
            yield self._line(line)
        self._too_long = self._too_long or len(tail) > LINE_LIMIT
        self._tail = "" if self._too_long else tail

    def close(self) -> Iterator[tuple[int, str | LineError]]:
        """The last line, when it does not end with ``\\n``."""
        if self._tail or self._too_long:
            yield self._line(self._tail)

    def _line(self, line: str) -> tuple[int, str | LineError]:
        self._number += 1
        too_long = self._too_long or len(line) > LINE_LIMIT
        self._too_long = False
        if too_long:
            return self._number, LineError("too_long", f"the line is over {LINE_LIMIT} characters")
        return self._number, line
