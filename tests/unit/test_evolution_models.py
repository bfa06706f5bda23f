"""What a Proxy row of Evolution means: whose endpoint it names, with which credentials."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.evolution.models import Observation, Row, decoded
from service.models import Protocol, ProxySpec

SPEC = ProxySpec(Protocol.SOCKS5, "proxy.example", 1080, "us er", "p@ss")
ROW = Row(True, "socks5", "proxy.example", "1080", "us%20er", "p%40ss")


@pytest.mark.parametrize(
    "row",
    [
        ROW,
        replace(ROW, protocol="SOCKS"),
        replace(ROW, protocol="socks5h"),
        replace(ROW, host="Proxy.EXAMPLE"),
        replace(ROW, port="01080"),
        replace(ROW, username="us er", password="p@ss"),
        replace(ROW, username="%75s%20er", password="p%40s%73"),
        replace(ROW, instance_id="i-1"),
    ],
)
def test_a_row_in_any_spelling_names_its_proxy(row: Row) -> None:
    assert row.endpoint_id == SPEC.id
    assert row.same_endpoint(SPEC.id)
    assert row.names(SPEC)


@pytest.mark.parametrize(
    "row",
    [
        replace(ROW, protocol="http"),
        replace(ROW, host="other.example"),
        replace(ROW, port="1081"),
        replace(ROW, username="us%2520er"),
        replace(ROW, username=""),
        replace(ROW, enabled=False),
    ],
)
def test_a_row_of_another_endpoint(row: Row) -> None:
    assert not row.same_endpoint(SPEC.id)
    assert not row.names(SPEC)


@pytest.mark.parametrize("password", ["", "p%2540ss", "P@ss", "p@ss "])
def test_a_row_with_another_password_has_the_endpoint_and_is_not_right(password: str) -> None:
    row = replace(ROW, password=password)
    assert row.same_endpoint(SPEC.id)
    assert not row.names(SPEC)


@pytest.mark.parametrize(
    "row",
    [
        replace(ROW, enabled=False),
        replace(ROW, host=""),
        replace(ROW, protocol="ftp"),
        *(
            replace(ROW, port=port)
            for port in ("", "0", "65536", "99999", " 1080", "1_0", "-1", "\u0661\u0660", "123456")
        ),
    ],
)
def test_a_row_without_a_usable_endpoint_has_no_id(row: Row) -> None:
    assert row.endpoint_id is None


def test_ipv6_is_one_endpoint_in_each_spelling() -> None:
    spec = ProxySpec(Protocol.HTTP, "2001:db8::1", 80)
    for host in ("[2001:db8::1]", "2001:DB8:0::1"):
        assert Row(True, "http", host, "80").names(spec)


# The table "Passwords" of EVOLUTION.md, 7: the text stored, and what the proxy receives.
@pytest.mark.parametrize(
    ("stored", "received"),
    [
        *((text, text) for text in ("p@ss", "p:ss", "p+ss", "p&=ss", "p ss", "pässword")),
        ("p%41ss", "pAss"),
        *((text, text) for text in ("p%ss", "p/ss", "p#ss", "p?ss", "p\\ss", "p%", "p%4")),
        ("p%40ss", "p@ss"),
        ("p%3Ass", "p:ss"),
        ("p%2Fss", "p/ss"),
        ("p%25ss", "p%ss"),
        ("p%23ss", "p#ss"),
        ("p%3Fss", "p?ss"),
        ("p%20ss", "p ss"),
        ("p%C3%A4ssword", "pässword"),
        ("p%E4ss", "p%E4ss"),
    ],
)
def test_the_passwords_of_the_table(stored: str, received: str) -> None:
    assert decoded(stored) == received
    spec = ProxySpec(Protocol.HTTP, "h", 1, "u", received)
    assert Row(True, "http", "h", "1", "u", stored).names(spec)
    assert Row(True, "http", "h", "1", "u", quote(received, safe="")).names(spec)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_what_we_send_is_what_we_read(text: str) -> None:
    assert decoded(quote(text, safe="")) == text


def test_no_repr_shows_a_password() -> None:
    row = replace(ROW, password="s3cret")
    seen = Observation("default", "i-1", "bw1", "open", "WHATSAPP-BAILEYS", row)
    assert "s3cret" not in repr(row) + str(row) + repr(seen) + str(seen)
    assert "proxy.example" in repr(seen)
