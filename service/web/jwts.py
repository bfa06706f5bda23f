"""JWTs of the operator's own application: who it vouches for, with a role, until when."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from typing import Any

import jwt
from aiohttp import web
from jwt.types import Options

from service.background import Loop
from service.pool.tokens import Role
from service.settings import Settings
from service.web.context import Caller
from service.web.jwks import Jwks
from service.web.models import LATEST

logger = logging.getLogger(__name__)

_SHAPE = re.compile(r"ey[\w-]+\.[\w-]+\.[\w-]*", re.ASCII)
_LEEWAY = 30
"""Seconds that the clocks of the two servers may differ."""
_LONGEST_SUB = 128
_LONGEST_REASON = 200


class Jwts:
    """Verifies HS256 with ``secret`` and signatures of public keys with ``keys``; each JWT has to name ``audience`` and
    ``issuer`` where they are given."""

    def __init__(self, secret: str | None, keys: Jwks | None, audience: str | None, issuer: str | None) -> None:
        self._secret = secret
        self._keys = keys
        self._audience = audience
        self._issuer = issuer
        self._options: Options = {
            "require": ["exp", "sub"],
            "verify_aud": audience is not None,
            "enforce_minimum_key_length": True,
        }

    @property
    def loops(self) -> Sequence[Loop]:
        """Those that read the keys."""
        return [self._keys.loop] if self._keys else []

    async def caller_of(self, text: str) -> Caller | None:
        """``jwt:<sub>`` with the role of the claim ``role``; ``None``, and a line in the log, for an invalid one.

        Raises :class:`~service.errors.StoreUnavailableError` when the keys can't be had.
        """
        try:
            return _caller(await self._claims(text))
        # Beyond its own errors older PyJWT lets through what int() raises for claims of a wrong type.
        except (jwt.PyJWTError, ValueError, TypeError, OverflowError) as error:
            logger.info("a JWT was refused", extra={"reason": str(error)[:_LONGEST_REASON]})
            return None

    async def _claims(self, text: str) -> dict[str, Any]:
        """The key decides which algorithms are right, the JWT only which key."""
        header = jwt.get_unverified_header(text)
        key: Any
        if header.get("alg") == "HS256" and self._secret is not None:
            key, algorithms = self._secret, ["HS256"]
        elif self._keys is not None and (found := await self._keys.key(header.get("kid", ""))):
            key, algorithms = found.public, list(found.algorithms)
        else:
            raise jwt.InvalidKeyError("no key for this algorithm and kid")
        return jwt.decode(
            text,
            key,
            algorithms=algorithms,
            audience=self._audience,
            issuer=self._issuer,
            leeway=_LEEWAY,
            options=self._options,
        )


JWTS: web.AppKey[Jwts | None] = web.AppKey("jwts")


def jwt_loops(app: web.Application) -> Sequence[Loop]:
    """Those that read the keys of JWTs."""
    jwts = app[JWTS]
    return jwts.loops if jwts else []


def looks_like_jwt(text: str) -> bool:
    return _SHAPE.fullmatch(text) is not None


def add_jwts(app: web.Application, settings: Settings) -> None:
    """JWTs are taken when the settings say how to verify them."""
    keys = Jwks(settings.jwks_url) if settings.jwks_url else None
    if keys is not None:
        app.cleanup_ctx.append(keys.running)
    secret = settings.jwt_secret.get_secret_value() if settings.jwt_secret else None
    app[JWTS] = Jwts(secret, keys, settings.jwt_audience, settings.jwt_issuer) if secret or keys else None


def _caller(claims: dict[str, Any]) -> Caller:
    """Raises ``ValueError``."""
    sub, exp = claims["sub"], claims["exp"]
    if not 0 < len(sub) <= _LONGEST_SUB or not sub.isprintable():
        raise ValueError(f"sub must be 1 to {_LONGEST_SUB} printable characters")
    if type(exp) not in (int, float):
        raise ValueError("exp must be a number")
    if claims.get("role") not in list(Role):
        raise ValueError("role must be viewer, admin or superadmin")
    return Caller(f"jwt:{sub}", Role(claims["role"]), expires_at=min((int(exp) + _LEEWAY) * 1000, LATEST))
