"""What was answered to an operation, for those who ask again with the same id."""

from __future__ import annotations

from service.pool.runner import Runner

_KEPT_MS = 600_000
"""As long as the scripts keep theirs (lua/lib/replay.lua)."""


class Answers(Runner):
    """Raises :class:`service.errors.StoreUnavailableError`."""

    async def answer_to(self, op_id: str) -> list[str] | None:
        """The words kept for this operation."""
        words: list[str] = await self.reading(self.redis.lrange(self._key(op_id), 0, -1))
        return words or None

    async def keep_answer(self, op_id: str, *words: str) -> None:
        """Keeps ``words`` for ten minutes. Never a secret: they are stored as they are."""
        async with self.redis.pipeline(transaction=True) as pipeline:
            pipeline.delete(self._key(op_id))
            pipeline.rpush(self._key(op_id), *words)
            pipeline.pexpire(self._key(op_id), _KEPT_MS)
            await self.reading(pipeline.execute())

    def _key(self, op_id: str) -> str:
        return self.keys.named(f"op:{op_id}:answer")  # beside what the scripts keep under the id itself
