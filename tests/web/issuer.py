"""The operator's own application: it signs JWTs and publishes its keys."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from typing import Any

import jwt
import orjson
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as generate_ec_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as generate_rsa_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

PrivateKey = RSAPrivateKey | EllipticCurvePrivateKey | Ed25519PrivateKey

SECRET = "a secret of the application, long enough"


@cache
def rsa_key(number: int = 0, bits: int = 2048) -> RSAPrivateKey:
    return generate_rsa_key(65537, bits)


@cache
def ec_key() -> EllipticCurvePrivateKey:
    return generate_ec_key(SECP256R1())


@cache
def ed_key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.generate()


def claims(**changed: Any) -> dict[str, Any]:
    """Good ones, but for what is ``changed``: a time is given as from now on, and ``...`` leaves a claim out."""
    now = int(time.time())
    good = {"sub": "ana", "role": "admin", "exp": now + 600, **changed}
    return {
        name: now + int(value.total_seconds()) if isinstance(value, timedelta) else value
        for name, value in good.items()
        if value is not ...
    }


def signed(key: Any = SECRET, algorithm: str = "HS256", *, kid: Any = None, **changed: Any) -> str:
    headers = {} if kid is None else {"kid": kid}
    return jwt.encode(claims(**changed), key, algorithm, headers=headers)


def jwk(key: PrivateKey, **fields: Any) -> dict[str, Any]:
    """The public half as a JWKS holds it."""
    match key:
        case RSAPrivateKey():
            made = RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
        case EllipticCurvePrivateKey():
            made = ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
        case _:
            made = OKPAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return {**made, **fields}


def pem(key: PrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


@dataclass
class Published:
    """Serves ``keys``, or whatever ``answer`` gives, and counts how often it is asked."""

    keys: list[Any] = field(default_factory=list)
    answer: Callable[[web.Request], Awaitable[web.StreamResponse]] | None = None
    asked: int = 0

    async def serve(self, request: web.Request) -> web.StreamResponse:
        self.asked += 1
        if self.answer is not None:
            return await self.answer(request)
        return web.Response(body=orjson.dumps({"keys": self.keys}), content_type="application/json")
