"""A TCP proxy in front of Redis that can lose an answer: the command arrives, its reply does not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Lossy:
    """Forwards connections to the Redis at ``socket``. While :attr:`armed` is above zero, the next answer to a script
    is swallowed and counted, and its connection cut."""

    def __init__(self, socket: str) -> None:
        self._socket = socket
        self._open: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self.armed = 0
        self.lost = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open[task] = writer
        from_redis, to_redis = await asyncio.open_unix_connection(self._socket)
        scripts: list[bool] = []

        async def requests() -> None:
            while data := await reader.read(1 << 16):
                scripts[:] = [b"EVALSHA" in data]
                to_redis.write(data)
            to_redis.close()

        async def replies() -> None:
            while data := await from_redis.read(1 << 16):
                if self.armed and scripts == [True] and not data.startswith(b"-"):
                    self.armed -= 1
                    self.lost += 1
                    break
                writer.write(data)
            writer.close()

        await asyncio.gather(requests(), replies(), return_exceptions=True)
        del self._open[task]

    async def close(self) -> None:
        """Hangs up on everybody."""
        for writer in self._open.values():
            writer.close()
        await asyncio.gather(*self._open)


@asynccontextmanager
async def lossy(socket: str) -> AsyncIterator[tuple[Lossy, str]]:
    """A :class:`Lossy` in front of the Redis at ``socket``, and its URL."""
    proxy = Lossy(socket)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1")
    try:
        yield proxy, f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        await proxy.close()
