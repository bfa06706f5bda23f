"""Bearer tokens, roles, and a limit on failed logins."""

from __future__ import annotations

import time
from collections.abc import Callable

from aiohttp import web

from service.pool.tokens import Role, Token
from service.web.context import CALLER, POOL, Caller
from service.web.problems import ProblemError

_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="evoproxy"'}


class Logins:
    """Counts failed logins by address: more than ``most`` within ``seconds`` are told to wait.

    A valid token is never made to wait: behind one address may be many people.
    """

    def __init__(
        self, most: int = 10, seconds: float = 60, *, now: Callable[[], float] = time.monotonic, addresses: int = 10_000
    ) -> None:
        self._most = most
        self._seconds = seconds
        self._now = now
        self._addresses = addresses
        self._failed: dict[str, tuple[float, int]] = {}

    def failed(self, address: str) -> float:
        """Counts one; answers the seconds that this address has to wait, 0 for none."""
        now = self._now()
        since, count = self._failed.pop(address, (now, 0))
        if now - since >= self._seconds:
            since, count = now, 0
        if len(self._failed) >= self._addresses:
            self._failed.pop(next(iter(self._failed)))
        self._failed[address] = (since, count + 1)
        return since + self._seconds - now if count >= self._most else 0.0


LOGINS: web.AppKey[Logins] = web.AppKey("logins", Logins)


async def authenticate(request: web.Request) -> None:
    """Remembers who is asking. Raises :class:`ProblemError` (unauthorized, too_many_logins)."""
    if not bearer(request):
        raise ProblemError("unauthorized", headers=_CHALLENGE)
    token = await token_of(request)
    if token is None:
        if wait := request.app[LOGINS].failed(request.remote or ""):
            raise ProblemError("too_many_logins", headers={"Retry-After": str(int(wait) + 1)})
        raise ProblemError("unauthorized", headers=_CHALLENGE)
    request[CALLER] = Caller(f"token:{token.name}", token.role)


async def token_of(request: web.Request) -> Token | None:
    """The token that was sent, ``None`` if it is not, or no longer, known."""
    return await request.app[POOL].token_of(bearer(request))


def bearer(request: web.Request) -> str:
    """The token of the Authorization header, ``""`` without one."""
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    return text.strip() if scheme.lower() == "bearer" else ""


def authorize(request: web.Request, role: Role) -> None:
    """Raises :class:`ProblemError` (forbidden) unless the caller's role covers ``role``."""
    if not request[CALLER].role.covers(role):
        raise ProblemError("forbidden", role=role.value)
