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

_PLAIN, _SEALED = "plain:", "sealed:"


class VaultError(EvoproxyError):
    """A stored password can't be opened with the keys at hand."""

    code = "wrong_encryption_key"


def _derive(key: str, purpose: bytes) -> bytes:
    return HKDF(SHA256(), 32, salt=None, info=b"evoproxy " + purpose).derive(key.encode())


class Vault:
    """Seals and opens passwords. Without a key they are stored in clear, marked as such.

    The first key seals, every key opens. The fingerprint is keyed by the first key, so that it says nothing about the
    password to whoever reads the store; scripts compare fingerprints only.
    """

    def __init__(self, keys: Sequence[str] = ()) -> None:
        fernets = [Fernet(base64.urlsafe_b64encode(_derive(key, b"password"))) for key in keys]
        self._fernet = MultiFernet(fernets) if fernets else None
        self._fingerprint_key = _derive(keys[0], b"fingerprint") if keys else b"evoproxy"

    def seal(self, password: str) -> str:
        if not password:
            return ""
        if self._fernet is None:
            return _PLAIN + password
        return _SEALED + self._fernet.encrypt(password.encode()).decode()

    def open(self, secret: str) -> str:
        """The password. Raises :class:`VaultError` when no key opens it."""
        if secret.startswith(_PLAIN) or not secret:
            return secret.removeprefix(_PLAIN)
        if self._fernet is None:
            raise VaultError(reason="EVOPROXY_ENCRYPTION_KEY is not set, but stored passwords are encrypted")
        try:
            return self._fernet.decrypt(secret.removeprefix(_SEALED).encode()).decode()
        except InvalidToken:
            raise VaultError(reason="EVOPROXY_ENCRYPTION_KEY does not open the stored passwords") from None

    def fingerprint(self, password: str) -> str:
        """24 hex digits, the same for the same password and key."""
        return hmac.new(self._fingerprint_key, password.encode(), hashlib.sha256).hexdigest()[:24]
