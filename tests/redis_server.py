"""A redis-server of the tests' own: to share, to restart, to give it a cluster's or a user's manners."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from redis import Redis as BlockingRedis
from redis.exceptions import ConnectionError as RedisConnectionError

from service.embedded import find_binary
from service.errors import SettingsError
from tests.helpers import LONG, require


def binary() -> Path:
    """The machine's redis-server, else the one of the ``embedded`` extra; required."""
    try:
        return find_binary()
    except SettingsError:
        require("redis-server", False)
        raise


@contextmanager
def running(folder: Path, *options: str, port: int = 0) -> Iterator[str]:
    """Runs redis-server in ``folder`` with ``options`` and gives its URL once it answers. Killed in the end, as in a
    crash."""
    socket = folder / "redis.sock"
    place = ["--port", str(port), "--unixsocket", str(socket), "--dir", str(folder)]
    with (folder / "log").open("ab") as log:
        server = subprocess.Popen([str(binary()), *place, "--save", "", *options], stdout=log, stderr=log)
    try:
        with BlockingRedis.from_url(f"unix://{socket}") as client:
            end = time.monotonic() + LONG
            while True:
                try:
                    client.ping()
                    break
                except RedisConnectionError:
                    assert server.poll() is None, (folder / "log").read_text()
                    assert time.monotonic() < end
                    time.sleep(0.01)
        yield f"unix://{socket}"
    finally:
        server.kill()
        server.wait()
