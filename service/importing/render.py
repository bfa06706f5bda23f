"""The way back: proxies as text lines."""

from __future__ import annotations

from urllib.parse import quote

from service.models import ProxySpec


def render(spec: ProxySpec, *, password: bool = True) -> str:
    """``scheme://user:pass@host:port`` with percent-encoded credentials, or without them when there are none.

    Read again, it gives the same protocol, host, port and credentials. Group, labels and expiry are no part of it.
    The line holds the password unless ``password`` is false: ``scheme://user@host:port``.
    """
    credentials = quote(spec.username, safe="")
    if password and (spec.username or spec.password):
        credentials += ":" + quote(spec.password, safe="")
    return f"{spec.protocol}://{credentials}{'@' if credentials else ''}{spec.address}"
