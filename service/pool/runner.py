"""Calls the scripts: fills KEYS and ARGV by the header, and turns each reply into values or an error."""

from __future__ import annotations

import re
import uuid
from collections.abc import Awaitable, Sequence
from typing import Any, cast

from redis.asyncio import Redis
from redis.commands.core import AsyncScript
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import MasterDownError, NoPermissionError, OutOfMemoryError, ReadOnlyError, ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

from service.errors import RefusedError, StoreUnavailableError
from service.pool import scripts
from service.pool.clock import Clock
from service.pool.keys import Keys

_DONE = frozenset({"OK", "RENEWED"})
LOST = (
    RedisConnectionError,
    RedisTimeoutError,
    ReadOnlyError,
    OutOfMemoryError,
    MasterDownError,
    NoPermissionError,
)
_UNWRITABLE = re.compile(r"(?:^|: -)(MISCONF|OOM|READONLY)\b")
"""How Redis begins the error of a write that it can't take: its disk is full (redis-py has no class for that), or, told
by 6.2 from inside a script, its memory, or it became a replica."""


class Runner:
    """One pool's scripts on one Redis.

    ``run`` is the only place that reads a reply's word. A transition gets an operation id of its own, so that a retry
    by the Redis client is a replay; a caller that may itself repeat the call passes ``op_id``.
    """

    def __init__(self, redis: Redis, name: str, clock: Clock | None = None) -> None:
        self.redis = redis
        self.name = name
        self.keys = Keys(name)
        self.clock = clock or Clock()
        self._scripts: dict[str, AsyncScript] = {}

    async def run(
        self, name: str, rows: Sequence[object] = (), /, *, op_id: str | None = None, **values: Any
    ) -> list[Any]:
        """What follows the word OK.

        Raises :class:`RefusedError` with the word of the refusal and what came with it, and
        :class:`StoreUnavailableError` when Redis can't be reached or does not answer.
        """
        script = scripts.load_all()[name]
        taken = {argument.name for argument in script.arguments}
        if "now_ms" in taken:
            values.setdefault("now_ms", self.clock.now())
        if "op_id" in taken:
            values["op_id"] = uuid.uuid4().hex if op_id is None else op_id
        argv = script.argv(values, rows)
        compiled = self._scripts.get(name)
        if compiled is None:
            compiled = self._scripts[name] = self.redis.register_script(script.text)
        reply = await self.reading(compiled(keys=[self.keys.named(key) for key in script.keys], args=argv))
        word, *rest = cast("list[Any]", reply)
        if word not in _DONE:
            raise RefusedError(str(word).lower(), details=tuple(str(item) for item in rest))
        return rest

    async def reading(self, answer: Awaitable[Any]) -> Any:
        """Awaits an answer of Redis; what keeps it away becomes a :class:`StoreUnavailableError`."""
        try:
            return await answer
        except LOST as error:
            raise StoreUnavailableError(store="redis", reason=type(error).__name__) from error
        except ResponseError as error:
            unwritable = _UNWRITABLE.search(str(error))
            if unwritable is None:
                raise
            raise StoreUnavailableError(store="redis", reason=unwritable[1]) from error
