"""CSV: a header row with vendors' names, then one proxy a line."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass

from service.importing import vendors
from service.importing.draft import Draft
from service.importing.outcomes import LineError

_DELIMITERS = ",;\t|"
_PORT = re.compile(r"(?:^|:)[0-9]")


@dataclass(frozen=True, slots=True)
class Table:
    """How to read the rows below one header."""

    delimiter: str
    names: tuple[str, ...]

    @classmethod
    def from_header(cls, line: str) -> Table | None:
        """The table that ``line`` begins; None for a line that names no host column or holds a port, as proxies do."""
        best: Table | None = None
        for delimiter in _DELIMITERS:
            try:
                table = cls(delimiter, tuple(_cells(line, delimiter)))
            except LineError:
                continue
            fields = {known[0] for name in table.names if (known := vendors.known_field(name))}
            if "host" not in fields or any(_PORT.search(name) for name in table.names):
                continue
            if best is None or len(table.names) > len(best.names):
                best = table
        return best

    @property
    def unknown(self) -> tuple[str, ...]:
        """The columns that say nothing to evoproxy."""
        return tuple(name for name in self.names if name and not vendors.known_field(name))

    def read(self, line: str) -> list[Draft]:
        """The equally likely readings of one row; none for a blank line, a comment or the header again.

        A row ends with its line, also inside quotes, so that a stray quote costs one row. Raises ``LineError``.
        """
        text = line.strip("\ufeff").strip()
        if not text or text.startswith(("#", "//")):
            return []
        cells = _cells(line, self.delimiter)
        if tuple(cells) == self.names or not any(cells):
            return []
        if any(cells[len(self.names) :]):
            raise LineError("columns", "the row has more cells than the header; quote a cell that holds the delimiter")
        return vendors.read(zip(self.names, cells, strict=False))


def _cells(line: str, delimiter: str) -> list[str]:
    text = line.strip("\ufeff").strip(" ")
    try:
        row = next(csv.reader([text], delimiter=delimiter, skipinitialspace=True, strict=True))
    except csv.Error:
        raise LineError("quotes", "a quote in this row is not closed or followed by more text") from None
    return [cell if _is_quoted(cell, text) else cell.strip() for cell in row]


def _is_quoted(cell: str, row: str) -> bool:
    """Whether its outer blanks belong to it."""
    return cell != cell.strip() and '"' + cell.replace('"', '""') + '"' in row
