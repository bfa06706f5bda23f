"""The one spelling of a server's address, so that one server can't be configured twice."""

from __future__ import annotations

from urllib.parse import urlsplit

from service.models import bracketed, canonical_host

_DEFAULT_PORTS = {"http": 80, "https": 443}


def normalise_url(text: str) -> str:
    """``text`` as ``scheme://host[:port][/prefix]``: equal for every spelling of one base URL.

    Scheme and host are lower case, IP literals in their shortest form, the scheme's own port and slashes at
    the end are dropped, a path prefix is kept as written. Raises ``ValueError`` with a reason that never quotes
    ``text``, because a wrong URL may carry a password.
    """
    text = text.strip()
    if any(character <= " " or character == "\\" for character in text):
        raise ValueError("must be one URL without spaces or backslashes")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ValueError("is no URL: its host or port can't be read") from None
    if parts.scheme not in _DEFAULT_PORTS:
        raise ValueError("must begin with http:// or https://")
    if "@" in parts.netloc:
        raise ValueError("must not carry a user or password")
    if "?" in text or "#" in text:
        raise ValueError("must not carry a query or fragment")
    if not {".", ".."}.isdisjoint(parts.path.split("/")):
        raise ValueError("must not hold . or .. in its path")
    host = canonical_host(parts.hostname or "").rstrip(".")
    if not host or port == 0:
        raise ValueError("names no host, or port 0")
    suffix = "" if port in (None, _DEFAULT_PORTS[parts.scheme]) else f":{port}"
    return f"{parts.scheme}://{bracketed(host)}{suffix}{parts.path.rstrip('/')}"
