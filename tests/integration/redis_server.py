"""A redis-server of the test's own: to restart it, to give it a cluster's or a user's manners."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from redis import Redis as BlockingRedis
from redis.exceptions import ConnectionError as RedisConnectionError

from tests.helpers import require


@contextmanager
def running(folder: Path, *options: str, port: int = 0) -> Iterator[str]:
    """Runs redis-server in ``folder`` with ``options`` and gives its URL. Killed in the end, as in a crash."""
    binary = shutil.which("redis-server")
    require("redis-server", binary)
    socket = folder / "redis.sock"
    command = [
        str(binary),
        "--port",
        str(port),
        "--unixsocket",
        str(socket),
        "--dir",
        str(folder),
        "--save",
        "",
        *options,
    ]
    with (folder / "log").open("ab") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        with BlockingRedis.from_url(f"unix://{socket}") as client:
            end = time.monotonic() + 10
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
