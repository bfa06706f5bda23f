"""Who may use the service: tokens by name, of whose secrets only digests are kept."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from enum import StrEnum

from service.errors import InvalidInputError, RefusedError
from service.pool.runner import Runner

SUPERADMIN = "superadmin"
"""Name of the token that the settings or the first start give."""

_NAME = re.compile(r"[A-Za-z0-9.-]{1,64}")
_TEXT = re.compile(rf"evp_({_NAME.pattern})_[0-9a-f]{{64}}")


class Role(StrEnum):
    """What a token may do; each role may do what those before it may."""

    VIEWER = "viewer"
    ADMIN = "admin"
    SUPERADMIN = "superadmin"

    def covers(self, other: Role) -> bool:
        ranks = list(Role)
        return ranks.index(self) >= ranks.index(other)


@dataclass(frozen=True, slots=True)
class Token:
    """A token as it is kept. ``created_at`` in ms."""

    name: str
    role: Role
    created_at: int


class Tokens(Runner):
    """Methods raise what :meth:`Runner.run` raises."""

    async def create_token(self, name: str, role: Role, *, actor: str, op_id: str | None = None) -> str:
        """Answers the token's text: the only time that anybody can see it.

        Raises :class:`InvalidInputError` for a name that is not 1 to 64 letters, digits, ``.`` and ``-``. Refused:
        token_exists.
        """
        if not _NAME.fullmatch(name):
            raise InvalidInputError(field="name", reason="must be 1 to 64 letters, digits, . and -")
        text = token_text(name)
        await self._put(name, text, role, actor=actor, op_id=op_id)
        return text

    async def set_superadmin(self, text: str, *, actor: str = "auto") -> None:
        """From now on ``text``, of any shape, is the superadmin's token, and an earlier one no longer."""
        await self._put(SUPERADMIN, text, Role.SUPERADMIN, actor=actor, replace=True)

    async def make_superadmin(self, text: str, *, actor: str = "auto") -> bool:
        """``text`` is the superadmin's token unless there is one already; answers whether it is."""
        try:
            await self._put(SUPERADMIN, text, Role.SUPERADMIN, actor=actor)
        except RefusedError as error:
            if error.code != "token_exists":
                raise
            return False
        return True

    async def revoke_token(self, name: str, *, actor: str, op_id: str | None = None) -> None:
        """Refused: unknown_token."""
        await self.run("token_revoke", token=name, actor=actor, op_id=op_id)

    async def tokens(self) -> list[Token]:
        """All tokens in the order of their names."""
        held = await self.reading(self.redis.hgetall(self.keys.named("tokens")))
        return [_parse(name, value)[0] for name, value in sorted(held.items())]

    async def token_of(self, text: str) -> Token | None:
        """The token that this text is; compared in constant time."""
        match = _TEXT.fullmatch(text)
        names = [match[1], SUPERADMIN] if match else [SUPERADMIN]
        held = await self.reading(self.redis.hmget(self.keys.named("tokens"), names))
        digest = _digest(text)
        for name, value in zip(names, held, strict=True):
            if value:
                token, kept = _parse(name, value)
                if hmac.compare_digest(kept, digest):
                    return token
        return None

    async def _put(
        self, name: str, text: str, role: Role, *, actor: str, replace: bool = False, op_id: str | None = None
    ) -> None:
        await self.run(
            "token_create", token=name, digest=_digest(text), role=role.value, replace=replace, actor=actor, op_id=op_id
        )


def token_text(name: str) -> str:
    """A new secret for ``name``, which stands in it so that a lost token can be told apart."""
    return f"evp_{name}_{secrets.token_hex(32)}"


def _digest(text: str) -> str:
    """A plain hash is enough for 256 random bits; whoever chooses a token himself is told to choose a long one."""
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


def _parse(name: str, value: str) -> tuple[Token, str]:
    digest, role, created_at = value.split("\n")
    return Token(name, Role(role), int(created_at)), digest
