"""Where lives come from that get killed: a process that forks for each."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import traceback
from collections.abc import Callable, Coroutine
from typing import Any, TextIO

import orjson

LONGEST = 60.0
"""Seconds that no life needs."""


def fork_each(live: Callable[[dict[str, Any], TextIO], Coroutine[Any, Any, None]]) -> None:
    """Reads orders from stdin, a JSON object a line, until it is closed, and lets each be lived in a fork, which tells
    the FIFO that the order names as ``fifo``. A life that only fails says why on stderr."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        if os.fork() == 0:
            order = orjson.loads(line)
            try:
                with open(order["fifo"], "w") as told:
                    asyncio.run(live(order, told))
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(1)
