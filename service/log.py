"""Log lines for people (``console``) or machines (``json``), and the last guard against a secret in one.

Modules log through the standard library: ``logger.info("assigned", extra={"instance": name, "server": server})``.
What stands in ``extra`` becomes the line's fields. Code never logs a secret; :func:`mask` is the second line of
defence, for what others (an exception of a library, a URL in the access log) may carry.
"""

from __future__ import annotations

import logging
import re
import sys
import traceback
from datetime import UTC, datetime
from typing import Any, Literal, TextIO
from urllib.parse import quote

import orjson

MASK = "***"

_STANDARD = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "color_message", "taskName"}
_WEBHOOK = re.compile(r"(/webhooks/evolution/[^/\s?]*/)[^/\s?\"']+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_SHORTEST = 6
_secrets: set[str] = set()


def mask(secret: str) -> None:
    """From now on ``secret`` (also percent-encoded) is shown as ``***`` in every line.

    Values under 6 characters are left alone: they would blot out ordinary words.
    """
    if len(secret) >= _SHORTEST:
        _secrets.update((secret, quote(secret), quote(secret, safe="")))


def masked(text: str) -> str:
    """``text`` without known secrets and without the secret segment of a webhook's path."""
    for secret in sorted(_secrets, key=len, reverse=True):
        text = text.replace(secret, MASK)
    return _WEBHOOK.sub(rf"\1{MASK}", text)


def configure(
    log_format: Literal["console", "json"], *, level: int = logging.INFO, stream: TextIO | None = None
) -> None:
    """Send every logger's lines to ``stream`` (stderr by default), replacing earlier handlers of the root."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter() if log_format == "json" else ConsoleFormatter(color=handler.stream.isatty()))
    logging.captureWarnings(True)
    logging.basicConfig(handlers=[handler], level=level, force=True)
    logging.getLogger("alembic").setLevel(max(level, logging.WARNING))  # it tells of each look at a version


class JsonFormatter(logging.Formatter):
    """One JSON object a line: ``time`` (RFC 3339 UTC), ``level``, ``logger``, ``message``, the fields, ``error``."""

    def format(self, record: logging.LogRecord) -> str:
        entry = _fields(record) | {
            "time": _time(record).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if error := _error(record):
            entry["error"] = error
        return orjson.dumps(_clean(entry)).decode()


class ConsoleFormatter(logging.Formatter):
    """``12:00:00 INFO    message  field=value``, the time in the reader's zone; an error's traceback below.

    An empty field is left out.
    """

    _COLORS = {logging.WARNING: "33", logging.ERROR: "31", logging.CRITICAL: "31;1", logging.DEBUG: "2"}  # noqa: RUF012 - a constant

    def __init__(self, *, color: bool = False) -> None:
        super().__init__()
        self._color = color

    def format(self, record: logging.LogRecord) -> str:
        fields = "".join(f"  {name}={value}" for name, value in _fields(record).items() if value != "")
        text = _CONTROL.sub(lambda found: repr(found[0])[1:-1], record.getMessage() + fields)
        level = f"{record.levelname:<7}"
        if self._color and (code := self._COLORS.get(record.levelno)):
            level = f"\x1b[{code}m{level}\x1b[0m"
        line = f"{_time(record).astimezone():%H:%M:%S} {level} {text}"
        error = _error(record)
        return masked(f"{line}\n{error}" if error else line)


def _time(record: logging.LogRecord) -> datetime:
    return datetime.fromtimestamp(record.created, UTC)


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    return {name: value for name, value in record.__dict__.items() if name not in _STANDARD}


def _error(record: logging.LogRecord) -> str:
    if not record.exc_info or record.exc_info[1] is None:
        return ""
    return "".join(traceback.format_exception(record.exc_info[1])).rstrip()


def _clean(value: Any) -> Any:
    """``value`` masked at every depth. Anything that is no plain JSON value becomes its text."""
    if value is None or isinstance(value, bool | float) or (isinstance(value, int) and abs(value) < 2**63):
        return value
    if isinstance(value, dict):
        return {_clean(str(key)): _clean(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean(item) for item in value]
    return masked(str(value)).encode(errors="backslashreplace").decode()
