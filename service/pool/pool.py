"""The pool as the rest of evoproxy sees it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialWithJitterBackoff
from redis.exceptions import RedisError

from service.errors import StoreUnavailableError
from service.pool import scripts
from service.pool.answers import Answers
from service.pool.clock import Clock
from service.pool.holdings import Holdings
from service.pool.instances import Instances
from service.pool.jobs import Jobs
from service.pool.keys import Keys
from service.pool.leases import Leases
from service.pool.models import Rests
from service.pool.proxies import Proxies
from service.pool.reads import Reads
from service.pool.restoring import Restoring
from service.pool.runner import LOST, Runner
from service.pool.sealing import Sealing
from service.pool.sessions import Sessions
from service.pool.stream import Stream
from service.pool.tokens import Tokens
from service.pool.vault import Vault
from service.settings import Settings


class Pool(Proxies, Leases, Holdings, Instances, Tokens, Sessions, Answers, Jobs, Stream, Reads, Sealing, Restoring):
    """One pool: one method a script, typed.

    Every change of state is one atomic script; a call that is repeated with the same ``op_id`` changes nothing and
    answers the same. Safe for concurrent use by any number of tasks and processes.
    """

    def __init__(
        self,
        redis: Redis,
        name: str = "default",
        *,
        clock: Clock | None = None,
        vault: Vault | None = None,
        rests: Rests | None = None,
    ) -> None:
        Runner.__init__(self, redis, name, clock)
        self.vault = vault or Vault()
        self.rests = rests or Rests()


async def _renew_epoch(connection: AbstractConnection, name: str, clock: Clock) -> None:
    """Before its first command each connection sees to it that the pool's epoch fits the server's life.

    A restart or a fail-over closes every connection, so no command can reach a Redis that may have lost writes before
    this one has begun a new epoch there.
    """
    await connection.on_connect()
    life = []
    for section, field in (("server", "run_id"), ("replication", "master_replid")):
        await connection.send_command("INFO", section)
        text = await connection.read_response()
        lines = (text if isinstance(text, str) else text.decode()).splitlines()
        life += [line.partition(":")[2].strip() for line in lines if line.startswith(field + ":")]
    script, keys = scripts.load_all()["renew_epoch"], Keys(name)
    argv = script.argv({"now_ms": clock.now(), "op_id": "", "actor": "auto", "life": ":".join(life), "behind": False})
    await connection.send_command(
        "EVAL", script.text, len(script.keys), *(keys.named(key) for key in script.keys), *argv
    )
    await connection.read_response()


@asynccontextmanager
async def open_pool(
    url: str,
    name: str,
    *,
    clock: Clock | None = None,
    vault: Vault | None = None,
    rests: Rests | None = None,
    call_limit: float = 5.0,
    connections: int = 32,
) -> AsyncIterator[Pool]:
    """A pool on the Redis at ``url`` (``redis://``, ``rediss://``, ``unix://``), closed in the end.

    A call waits at most ``call_limit`` seconds for an answer and is retried; raises :class:`StoreUnavailableError` when
    the server can't be reached now.
    """
    measured = clock or Clock()

    async def on_connect(connection: AbstractConnection) -> None:
        await _renew_epoch(connection, name, measured)

    connections_of_url = BlockingConnectionPool.from_url(
        url,
        timeout=call_limit,
        decode_responses=True,
        socket_timeout=call_limit,
        socket_connect_timeout=call_limit,
        max_connections=connections,
        retry=Retry(ExponentialWithJitterBackoff(base=0.05, cap=1.0), 3),
        redis_connect_func=on_connect,
    )
    redis = Redis.from_pool(connections_of_url)
    try:
        try:
            await measured.measure(redis)
        except (RedisError, *LOST) as error:
            raise StoreUnavailableError(store="redis", reason=str(error)) from error
        yield Pool(redis, name, clock=measured, vault=vault, rests=rests)
    finally:
        await redis.aclose()


def open_pool_of(settings: Settings, url: str) -> AbstractAsyncContextManager[Pool]:
    """The pool that the settings name, on the Redis at ``url``; see :func:`open_pool`."""
    keys = [key.get_secret_value() for key in settings.encryption_key]
    rests = Rests(round(settings.set_settle * 1000), round(settings.return_memory * 1000))
    return open_pool(url, settings.pool, vault=Vault(keys), rests=rests)
