"""What clients send that is no HTTP, in the log: their mistake, not the service's."""

from __future__ import annotations

import logging

from aiohttp.http_exceptions import HttpProcessingError


class _NoHttp(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, HttpProcessingError) and record.levelno > logging.INFO:
            record.levelno, record.levelname = logging.INFO, logging.getLevelName(logging.INFO)
            record.msg, record.exc_info = f"{record.msg}: {type(error).__name__}", None
        return True


_NO_HTTP = _NoHttp()


def quiet() -> None:
    """From now on aiohttp tells of such a request (a line or header too long, garbage) in one line of level info, with
    nothing of what was sent; it would be an error with a traceback that quotes the path."""
    logging.getLogger("aiohttp.server").addFilter(_NO_HTTP)
