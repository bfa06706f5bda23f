"""Where a request comes from, and whose word is believed about it."""

from __future__ import annotations

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from service.web.peers import address_of, is_secure, neighbourhood


def request(remote: str | None, headers: list[tuple[str, str]]) -> web.Request:
    made = make_mocked_request("GET", "/", headers=headers)
    return made.clone(remote=remote) if remote is not None else made


@pytest.mark.parametrize(
    ("remote", "sent", "address"),
    [
        ("11.0.0.5", [], "11.0.0.5"),
        ("11.0.0.5", ["192.0.2.1"], "11.0.0.5"),
        ("127.0.0.1", [], "127.0.0.1"),
        ("127.0.0.1", ["192.0.2.1"], "192.0.2.1"),
        ("::1", ["192.0.2.1"], "192.0.2.1"),
        ("10.0.0.7", ["6.6.6.6, 192.0.2.1"], "192.0.2.1"),
        ("10.0.0.7", ["6.6.6.6", "192.0.2.1"], "192.0.2.1"),
        ("10.0.0.7", ["2001:DB8::1"], "2001:db8::1"),
        ("10.0.0.7", ["::ffff:192.0.2.1"], "192.0.2.1"),
        ("::ffff:11.0.0.5", ["192.0.2.1"], "11.0.0.5"),
        ("::ffff:127.0.0.1", ["192.0.2.1"], "192.0.2.1"),
        ("10.0.0.7", ["unknown"], "10.0.0.7"),
        ("10.0.0.7", ["192.0.2.1,"], "10.0.0.7"),
        ("10.0.0.7", ["192.0.2.1:443"], "10.0.0.7"),
    ],
)
def test_the_address(remote: str, sent: list[str], address: str) -> None:
    assert address_of(request(remote, [("X-Forwarded-For", one) for one in sent])) == address


@pytest.mark.parametrize(
    ("remote", "told", "secure"),
    [
        ("127.0.0.1", "https", True),
        ("172.16.0.3", "https", True),
        ("172.16.0.3", "http", False),
        ("11.0.0.5", "https", False),
        ("::ffff:11.0.0.5", "https", False),
        ("::ffff:127.0.0.1", "https", True),
        ("2001:4860::8", "https", False),
    ],
)
def test_tls(remote: str, told: str, secure: bool) -> None:
    assert is_secure(request(remote, [("X-Forwarded-Proto", told)])) is secure


def test_a_network_of_one_client() -> None:
    same = {neighbourhood(one) for one in ("2001:db8::1", "2001:db8::ffff:1")}
    assert same == {"2001:db8::/64"}
    assert neighbourhood("2001:db8:0:1::1") == "2001:db8:0:1::/64"
    assert (neighbourhood("192.0.2.1"), neighbourhood("")) == ("192.0.2.1", "")
