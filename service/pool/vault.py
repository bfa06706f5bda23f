"""Passwords at rest: sealed for storage, and compared without being opened."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from service.errors import EvoproxyError

PLAIN = "plain"
"""The id of no key: passwords under it are stored in clear."""

_PLAIN, _SEALED = "plain:", "sealed:"


class VaultError(EvoproxyError):
    """A stored password can't be opened with the keys at hand. Param ``proxy`` where it is known."""

    code = "wrong_encryption_key"


def _derive(key: str, purpose: bytes) -> bytes:
    return HKDF(SHA256(), 32, salt=None, info=b"evoproxy " + purpose).derive(key.encode())


class Vault:
    """Seals and opens passwords. Without a key they are stored in clear, marked as such.

    The first key seals, every key opens. Fingerprints are keyed as well, so that they say nothing about the password
    to whoever reads the store; scripts compare fingerprints only. ``key_id`` names the key that seals and ``known`` all
    that open, with :data:`PLAIN`; an id tells nothing of its key.
    """

    def __init__(self, keys: Sequence[str] = ()) -> None:
        fernets = [Fernet(base64.urlsafe_b64encode(_derive(key, b"password"))) for key in keys]
        self._newest = fernets[0] if fernets else None
        self._every = MultiFernet(fernets) if fernets else None
        self._fingerprint_keys = [*(_derive(key, b"fingerprint") for key in keys), b"evoproxy"]
        self.known = (*(_derive(key, b"id")[:8].hex() for key in keys), PLAIN)
        self.key_id = self.known[0]

    def seal(self, password: str) -> str:
        if not password:
            return ""
        if self._newest is None:
            return _PLAIN + password
        return _SEALED + self._newest.encrypt(password.encode()).decode()

    def open(self, secret: str) -> str:
        """The password. Raises :class:`VaultError` when no key opens it."""
        if secret.startswith(_PLAIN) or not secret:
            return secret.removeprefix(_PLAIN)
        if self._every is None:
            raise VaultError
        try:
            return self._every.decrypt(secret.removeprefix(_SEALED).encode()).decode()
        except InvalidToken:
            raise VaultError from None

    def is_current(self, secret: str, fingerprint: str) -> bool:
        """Whether both are by the key that seals. Raises :class:`VaultError` when no key opens the secret."""
        if fingerprint != self.fingerprint(self.open(secret)):
            return False
        if not secret or self._newest is None:
            return True
        try:
            self._newest.decrypt(secret.removeprefix(_SEALED).encode())
        except InvalidToken:
            return False
        return True

    def fingerprint(self, password: str) -> str:
        """24 hex digits, the same for the same password and key."""
        return _fingerprint(self._fingerprint_keys[0], password)

    def fingerprints(self, password: str) -> str:
        """:meth:`fingerprint`, then that by each other known key, blank between them: a stored one that is among them
        is of the same password."""
        return " ".join(_fingerprint(key, password) for key in self._fingerprint_keys)


def _fingerprint(key: bytes, password: str) -> str:
    return hmac.new(key, password.encode(), hashlib.sha256).hexdigest()[:24]
