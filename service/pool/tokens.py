"""Who may use the service: tokens by name, of whose secrets only digests are kept."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field
from enum import StrEnum

from service.errors import InvalidInputError, RefusedError
from service.pool.runner import Runner

SUPERADMIN = "superadmin"
"""Name of the token that the settings or the first start give."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,63}")
_TEXT = re.compile(r"evp_([A-Za-z0-9.-]{1,64})_[0-9a-f]{64}")
"""Older releases took names that begin with ``.`` or ``-``, too; no HTTP client sends ``/tokens/..``."""

_ACTOR = "token:"


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
    """A token as it is kept; times in ms. ``last_used_at`` is right to the minute, ``rate_limit`` in requests a minute.

    ``digest`` is that of its secret, which tells it from a later one of the same name.
    """

    name: str
    role: Role
    created_at: int
    expires_at: int | None = None
    rate_limit: int | None = None
    last_used_at: int | None = None
    digest: str = field(default="", repr=False, compare=False)

    @property
    def actor(self) -> str:
        return _ACTOR + self.name


class Tokens(Runner):
    """Methods raise what :meth:`Runner.run` raises."""

    async def create_token(
        self,
        name: str,
        role: Role,
        *,
        expires_at: int | None = None,
        rate_limit: int | None = None,
        actor: str,
        op_id: str | None = None,
    ) -> str:
        """Answers the token's text: the only time that anybody can see it. ``expires_at`` in ms, ``rate_limit`` in
        requests a minute.

        Raises :class:`InvalidInputError` for a name that is not 1 to 64 letters, digits, ``.`` and ``-`` after a letter
        or digit, and for an end that is not to come. Refused: token_exists.
        """
        if not _NAME.fullmatch(name):
            raise InvalidInputError(field="name", reason="token_name")
        if expires_at is not None and expires_at <= self.clock.now():
            raise InvalidInputError(field="expiresAt", reason="past")
        text = token_text(name)
        await self._put(name, text, role, expires_at=expires_at, rate_limit=rate_limit, actor=actor, op_id=op_id)
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
        """All tokens in the order of their names, with those that have expired and were not revoked yet."""
        held = await self.reading(self.redis.hgetall(self.keys.named("tokens")))
        uses = await self.reading(self.redis.hgetall(self.keys.named("token_uses")))
        return [_parse(name, value, uses.get(name)) for name, value in sorted(held.items())]

    async def token_of(self, text: str) -> Token | None:
        """The token that this text is, unless it has expired; compared in constant time."""
        match = _TEXT.fullmatch(text)
        names = [match[1], SUPERADMIN] if match else [SUPERADMIN]
        async with self.redis.pipeline(transaction=False) as pipeline:
            pipeline.hmget(self.keys.named("tokens"), names)
            pipeline.hmget(self.keys.named("token_uses"), names)
            held, uses = await self.reading(pipeline.execute())
        digest = _digest(text)
        for name, value, used in zip(names, held, uses, strict=True):
            if value:
                token = _parse(name, value, used)
                if hmac.compare_digest(token.digest, digest):
                    return token if token.expires_at is None or self.clock.now() < token.expires_at else None
        return None

    async def _put(
        self,
        name: str,
        text: str,
        role: Role,
        *,
        actor: str,
        expires_at: int | None = None,
        rate_limit: int | None = None,
        replace: bool = False,
        op_id: str | None = None,
    ) -> None:
        await self.run(
            "token_create",
            token=name,
            digest=_digest(text),
            role=role.value,
            expires_at=expires_at or 0,
            rate_limit=rate_limit or 0,
            replace=replace,
            actor=actor,
            op_id=op_id,
        )


def named_by(actor: str) -> str:
    """The name of the token that acts as ``actor``, ``""`` for any other actor."""
    return actor.removeprefix(_ACTOR) if actor.startswith(_ACTOR) else ""


def token_text(name: str) -> str:
    """A new secret for ``name``, which stands in it so that a lost token can be told apart."""
    return f"evp_{name}_{secrets.token_hex(32)}"


def _digest(text: str) -> str:
    """A plain hash is enough for 256 random bits; whoever chooses a token himself is told to choose a long one."""
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


def _parse(name: str, value: str, used: str | None) -> Token:
    digest, role, created_at, *later = value.split("\n")  # older releases kept no more than these three
    expires_at, rate_limit = (int(one) or None for one in later or ("0", "0"))
    return Token(name, Role(role), int(created_at), expires_at, rate_limit, int(used) if used else None, digest)
