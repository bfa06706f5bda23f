"""The public keys that an application signs its JWTs with, as it publishes them (RFC 7517)."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import jwt
import orjson
from aiohttp import ClientError, ClientSession, ClientTimeout, DummyCookieJar, web

from service.background import Loop
from service.errors import StoreUnavailableError

logger = logging.getLogger(__name__)

_EVERY = 300.0
_AGAIN = 30.0
_TRUSTED = 24 * 3600.0
"""Seconds: between two readings; between two readings for an unknown key; that keys are used while none succeeds."""

_LIMIT = 5.0
_BYTES = 256 << 10
_KEYS = 100

_FITTING: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("RSA", ""): ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    ("EC", "P-256"): ("ES256",),
    ("EC", "P-384"): ("ES384",),
    ("EC", "P-521"): ("ES512",),
    ("OKP", "Ed25519"): ("EdDSA",),
    ("OKP", "Ed448"): ("EdDSA",),
}
"""The algorithms of a type and curve of key: public keys only, so that none is ever taken for an HMAC secret."""


@dataclass(frozen=True, slots=True)
class Key:
    """A public key and the algorithms that it verifies."""

    public: Any = field(repr=False)
    algorithms: tuple[str, ...]


class Jwks:
    """The keys at ``url`` by their ``kid``, ``""`` for one without.

    Read every five minutes, and for an unknown key at once, though at most every 30 seconds: a new key works when it
    is first used, and nobody makes us hammer the URL. While it can't be read the keys known last go on for a day.
    """

    def __init__(self, url: str, *, now: Callable[[], float] = time.monotonic) -> None:
        self.loop = Loop("jwks", _EVERY, self._refresh, limit=_LIMIT)
        self._url = url
        self._now = now
        self._keys: dict[str, Key] = {}
        self._read_at: float | None = None
        self._tried_at = -_AGAIN
        self._one_at_a_time = asyncio.Lock()

    async def running(self, app: web.Application) -> AsyncIterator[None]:
        """Reads the keys for as long as ``app`` runs."""
        timeout = ClientTimeout(total=_LIMIT)
        async with ClientSession(timeout=timeout, cookie_jar=DummyCookieJar(), auto_decompress=False) as session:
            self._session = session
            self.loop.start()
            yield
            await self.loop.stop(_LIMIT)

    async def key(self, kid: str) -> Key | None:
        """Raises :class:`StoreUnavailableError` when the keys could not be read for a day, or not yet."""
        if self._due(kid):
            async with self._one_at_a_time:
                if self._due(kid):
                    await self._try()
        if self._read_at is None or self._now() - self._read_at > _TRUSTED:
            raise StoreUnavailableError(store="JWKS")
        return self._keys.get(kid)

    def _due(self, kid: str) -> bool:
        return kid not in self._keys and self._now() - self._tried_at >= _AGAIN

    async def _try(self) -> None:
        try:
            await self._read()
        except StoreUnavailableError as error:
            logger.warning("the JWKS can't be read", extra={"reason": error.params["reason"]})

    async def _refresh(self) -> None:
        async with self._one_at_a_time:
            await self._read()

    async def _read(self) -> None:
        """Raises :class:`StoreUnavailableError`, and the keys stay as they are."""
        try:
            document = await self._document()
        finally:
            self._tried_at = self._now()  # not before: who asks meanwhile waits for the outcome
        found = keys_of(document)
        if not found:
            raise StoreUnavailableError(store="JWKS", reason="no usable key")
        self._keys, self._read_at = found, self._now()

    async def _document(self) -> bytes:
        try:
            # A redirect could lead anywhere, into the private network, too.
            async with self._session.get(
                self._url, allow_redirects=False, headers={"Accept-Encoding": "identity"}
            ) as response:
                if response.status != 200:
                    raise StoreUnavailableError(store="JWKS", reason=f"status {response.status}")
                document = bytearray()
                async for chunk in response.content.iter_chunked(65536):
                    document += chunk
                    if len(document) > _BYTES:
                        raise StoreUnavailableError(store="JWKS", reason=f"over {_BYTES} bytes")
        except (ClientError, TimeoutError, OSError, ValueError) as error:
            raise StoreUnavailableError(store="JWKS", reason=type(error).__name__) from error
        return bytes(document)


def keys_of(document: bytes) -> dict[str, Key]:
    """The keys of a JWKS that verify signatures; what else is in it is left out."""
    try:
        value = orjson.loads(document)
    except orjson.JSONDecodeError:
        return {}
    listed = value.get("keys") if isinstance(value, dict) else None
    found: dict[str, Key] = {}
    for one in listed[:_KEYS] if isinstance(listed, list) else ():
        if isinstance(one, dict) and (key := _key_of(one)) and isinstance(kid := one.get("kid", ""), str):
            found[kid] = key
    return found


def _key_of(jwk: dict[str, Any]) -> Key | None:
    kind, curve = jwk.get("kty"), jwk.get("crv", "")
    if not isinstance(kind, str) or not isinstance(curve, str):
        return None
    fitting = _FITTING.get((kind, curve), ())
    algorithms = fitting if "alg" not in jwk else tuple(one for one in fitting if one == jwk["alg"])
    if not algorithms or jwk.get("use", "sig") != "sig" or "d" in jwk:  # a private key is no secret once published
        return None
    try:
        return Key(jwt.PyJWK(jwk, algorithms[0]).key, algorithms)
    except (jwt.PyJWTError, ValueError, TypeError):
        return None
