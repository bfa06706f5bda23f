"""Private database servers of the tests' own. A database server refuses to run as root: as root it runs as nobody."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]

from tests.helpers import require

_START_LIMIT = 60.0
_PASSWORD = "p@ss/w%rd"
QUOTED = "p%40ss%2Fw%25rd"


class Server:
    """A database server that can be killed and started again, on the same port and data."""

    def __init__(
        self, name: str, scheme: str, command: list[str], folder: Path, port: int, ready: Callable[[], bool]
    ) -> None:
        self._name, self._command, self._folder = name, command, folder
        self._scheme, self._port, self._ready = scheme, port, ready
        self._process: subprocess.Popen[bytes] | None = None
        self.first = "postgres" if scheme == "postgresql" else "mysql"
        """A database that is always there."""

    def url(self, database: str) -> str:
        user = "postgres" if self._scheme == "postgresql" else "evoproxy"
        return f"{self._scheme}://{user}:{QUOTED}@127.0.0.1:{self._port}/{database}"

    def start(self) -> None:
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log, **_unprivileged())
        end = time.monotonic() + _START_LIMIT
        while not self._ready():
            assert self._process.poll() is None, (self._folder / "log").read_text()
            assert time.monotonic() < end, f"{self._name} does not start"
            time.sleep(0.05)

    def kill(self) -> None:
        """As a power cut does."""
        assert self._process is not None
        children = self._processes()[1:]
        self._process.kill()
        self._process.wait()
        for child in children:  # one that works on would keep the next start from its data
            with suppress(psutil.NoSuchProcess):
                child.kill()
        psutil.wait_procs(children)

    def freeze(self) -> None:
        """It stands still: it accepts connections, as the kernel does that, and answers nothing."""
        for process in self._processes():
            process.suspend()

    def thaw(self) -> None:
        """It goes on where it stood."""
        for process in reversed(self._processes()):
            process.resume()

    def _processes(self) -> list[psutil.Process]:
        """Its first process, and its children."""
        assert self._process is not None
        first = psutil.Process(self._process.pid)
        return [first, *first.children(recursive=True)]


@contextmanager
def postgresql() -> Iterator[Server]:
    """A PostgreSQL whose superuser is ``postgres``."""
    programs = _programs("postgres", "initdb", "pg_isready")
    with _folder("postgres") as folder:
        secret = folder / "password"
        secret.write_text(_PASSWORD)
        secret.chmod(0o644)
        data = folder / "data"
        access = ("-U", "postgres", "-A", "scram-sha-256", f"--pwfile={secret}")
        _run(programs["initdb"], "-D", data, "-E", "UTF8", *access)
        port = _free_port()
        options = ["fsync=off", "listen_addresses=127.0.0.1", f"unix_socket_directories={folder}"]
        options += ["shared_buffers=32MB", "max_connections=40"]
        command = [programs["postgres"], "-D", str(data), "-p", str(port)]
        for option in options:
            command += ["-c", option]
        # It listens before it lets anybody in.
        ask = [programs["pg_isready"], "--quiet", "--host=127.0.0.1", f"--port={port}"]
        ready = partial(_succeeds, ask)
        yield from _running(Server("PostgreSQL", "postgresql", command, folder, port, ready))


@contextmanager
def mariadb() -> Iterator[Server]:
    """A MariaDB with a user ``evoproxy`` who may do everything."""
    programs = _programs("mariadbd", "mariadb-install-db")
    with _folder("mariadb") as folder:
        data = folder / "data"
        _run(programs["mariadb-install-db"], "--no-defaults", f"--datadir={data}", "--skip-test-db")
        first = folder / "first.sql"
        first.write_text(
            f"CREATE USER IF NOT EXISTS evoproxy@'127.0.0.1' IDENTIFIED BY '{_PASSWORD}';\n"
            "GRANT ALL ON *.* TO evoproxy@'127.0.0.1' WITH GRANT OPTION;"
        )
        first.chmod(0o644)
        port = _free_port()
        command = [programs["mariadbd"], "--no-defaults", f"--datadir={data}", f"--port={port}"]
        command += [f"--tmpdir={folder}"]  # of its own: another server that starts empties the common one
        command += ["--bind-address=127.0.0.1", f"--socket={folder}/sock", f"--init-file={first}"]
        command += ["--skip-name-resolve", "--innodb-flush-log-at-trx-commit=2", "--innodb-buffer-pool-size=32M"]
        yield from _running(Server("MariaDB", "mysql", command, folder, port, partial(_listens, port)))


def _succeeds(command: list[str]) -> bool:
    return subprocess.run(command, check=False).returncode == 0


def _running(server: Server) -> Iterator[Server]:
    server.start()
    try:
        yield server
    finally:
        server.kill()


def _programs(*names: str) -> dict[str, str]:
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    path = os.pathsep.join([*os.get_exec_path(), "/usr/sbin", *map(str, folders)])
    found = {name: shutil.which(name, path=path) for name in names}
    for name, program in found.items():
        require(name, program)
    return {name: str(program) for name, program in found.items()}


def _unprivileged() -> dict[str, Any]:
    return {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.getuid() == 0 else {}


@contextmanager
def _folder(name: str) -> Iterator[Path]:
    """Not pytest's: those are closed to other users."""
    folder = Path(tempfile.mkdtemp(prefix=f"evoproxy-{name}-"))
    if os.getuid() == 0:
        shutil.chown(folder, "nobody")
        folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run(*command: str | Path) -> None:
    ended = subprocess.run(
        list(map(str, command)), capture_output=True, text=True, check=False, cwd="/", **_unprivileged()
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def _listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False
