"""Who may use the service, as the API shows it: tokens, sessions, and who is asking."""

from __future__ import annotations

from pydantic import Field

from service.pool.sessions import Session
from service.pool.tokens import Role, Token
from service.web.models import ApiModel, Time


class TokenOut(ApiModel):
    """``token`` is there once, when it is made. ``last_used_at`` is right to the minute; ``rate_limit`` is in requests
    a minute, ``null`` for any number."""

    id: str
    name: str
    role: Role
    created_at: Time
    expires_at: Time
    last_used_at: Time
    rate_limit: int | None
    token: str | None = Field(default=None, repr=False)

    @classmethod
    def of(cls, token: Token) -> TokenOut:
        return cls(
            id=token.name,
            name=token.name,
            role=token.role,
            created_at=token.created_at,
            expires_at=token.expires_at,
            last_used_at=token.last_used_at,
            rate_limit=token.rate_limit,
        )


class MeOut(ApiModel):
    """Who is asking. With a session: what a write has to send as ``X-CSRF-Token``, when the session ends at the latest,
    and after how many seconds without a request; else when the token or JWT ends."""

    actor: str
    role: Role
    csrf: str | None = Field(repr=False)
    expires_at: Time
    idle_seconds: int | None


class SessionOut(ApiModel):
    """One login to the dashboard. ``last_seen_at`` is right to the minute; ``current`` is the one that asks."""

    id: str
    actor: str
    role: Role
    created_at: Time
    last_seen_at: Time
    expires_at: Time
    address: str
    user_agent: str
    current: bool

    @classmethod
    def of(cls, session: Session, *, current: bool) -> SessionOut:
        return cls(
            id=session.id,
            actor=session.actor,
            role=session.role,
            created_at=session.created_at,
            last_seen_at=session.seen_at,
            expires_at=session.expires_at,
            address=session.address,
            user_agent=session.agent,
            current=current,
        )
