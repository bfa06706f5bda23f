"""Logins to the dashboard: kept in Redis under a digest of their cookie's secret, so they survive a restart."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass

from service.pool.runner import Runner
from service.pool.tokens import Role, Token, named_by

IDLE_MS = 8 * 3_600_000
"""A session that is not used for so long ends."""

LONGEST_MS = 7 * 24 * 3_600_000
"""No session lasts longer."""

NOTED_MS = 60_000
"""How often at most it is written down that a token or a session is in use."""

_SECRET = re.compile(r"[A-Za-z0-9_-]{43}")
_ADDRESS_LIMIT, _AGENT_LIMIT = 45, 120


@dataclass(frozen=True, slots=True)
class Session:
    """A session as it is kept; times in ms. ``expires_at``: its latest end. ``seen_at`` is right to the minute."""

    id: str
    actor: str
    role: Role
    created_at: int
    seen_at: int
    expires_at: int
    address: str
    agent: str
    rate_limit: int | None = None

    @property
    def token(self) -> str:
        """The name of the token that opened it, ``""`` for a JWT."""
        return named_by(self.actor)


class Sessions(Runner):
    """Methods raise what :meth:`Runner.run` raises."""

    async def open_session(
        self,
        actor: str,
        role: Role,
        *,
        token: Token | None = None,
        expires_at: int | None = None,
        address: str = "",
        agent: str = "",
        op_id: str | None = None,
        secret: str | None = None,
    ) -> tuple[str, Session]:
        """Opens one for ``actor``, proved by ``token``, or by a JWT without one; answers the cookie's secret, too.

        It ends with ``token``: when that expires, is revoked or replaced; at ``expires_at`` (ms); :data:`LONGEST_MS`
        from now; or when idle. Refused: unknown_token, when the token went just now.
        """
        secret = secret or secrets.token_urlsafe(32)
        session_id, address, agent = _id_of(secret), _shown(address, _ADDRESS_LIMIT), _shown(agent, _AGENT_LIMIT)
        rate_limit = token.rate_limit if token else None
        ends = [end for end in (expires_at, token.expires_at if token else None) if end is not None]
        created, ending = await self.run(
            "session_open",
            actor=actor,
            session=session_id,
            digest=token.digest if token else "",
            role=role.value,
            rate_limit=rate_limit or 0,
            expires_at=min([self.clock.now() + LONGEST_MS, *ends]),
            idle_ms=IDLE_MS,
            address=address,
            agent=agent,
            op_id=op_id,
        )
        opened = int(created)
        return secret, Session(session_id, actor, role, opened, opened, int(ending), address, agent, rate_limit)

    async def session_of(self, secret: str) -> Session | None:
        """The session of a cookie's secret, ``None`` when it is over or was never given out.

        Nothing is compared: the secret is looked up by its digest, so the time tells nothing about others.
        """
        if not _SECRET.fullmatch(secret):
            return None
        session = _parse(_id_of(secret), await self.reading(self.redis.hgetall(self.keys.session(_id_of(secret)))))
        return session if session and self._live(session) else None

    async def sessions(self) -> dict[str, int]:
        """The latest end, in ms, of every session by its id; some may be over because they were idle."""
        members = await self.reading(
            self.redis.zrangebyscore(self.keys.named("sessions"), f"({self.clock.now()}", "+inf", withscores=True)
        )
        return {member.rpartition("\n")[2]: int(end) for member, end in members}

    async def sessions_by(self, ids: Iterable[str]) -> list[Session]:
        """Those of ``ids`` that are not over."""
        wanted = list(ids)
        async with self.redis.pipeline(transaction=False) as pipeline:
            for one in wanted:
                pipeline.hgetall(self.keys.session(one))
            found = map(_parse, wanted, await self.reading(pipeline.execute()))
        return [session for session in found if session and self._live(session)]

    async def end_session(self, session_id: str, *, reason: str, actor: str, op_id: str | None = None) -> None:
        """``reason``: logout, or ended by another. Refused: unknown_session."""
        await self.run("session_end", session=session_id, reason=reason, actor=actor, op_id=op_id)

    async def seen(self, *, token: str = "", session: str = "") -> None:
        """Notes that they are in use now."""
        await self.run("seen", token=token, session=session, idle_ms=IDLE_MS, op_id="")

    def _live(self, session: Session) -> bool:
        return self.clock.now() < min(session.expires_at, session.seen_at + IDLE_MS)


def csrf_of(secret: str) -> str:
    """What the page has to send along with the cookie that it can't read; nobody finds one from the other."""
    return hashlib.sha256(b"csrf\n" + secret.encode()).hexdigest()


def _id_of(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _shown(text: str, limit: int) -> str:
    return "".join(one if one.isprintable() else "?" for one in text[:limit])


def _parse(session_id: str, held: dict[str, str]) -> Session | None:
    if not held:
        return None
    return Session(
        id=session_id,
        actor=held["actor"],
        role=Role(held["role"]),
        created_at=int(held["created_at"]),
        seen_at=int(held["seen_at"]),
        expires_at=int(held["expires_at"]),
        address=held["address"],
        agent=held["agent"],
        rate_limit=int(held["rate_limit"]) or None,
    )
