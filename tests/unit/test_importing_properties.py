"""Any proxy, written in any shape that can carry it, is read back as it was."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from urllib.parse import quote

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from service.importing import Parsed, Rejected, parse, render
from service.models import Protocol, ProxySpec

characters = st.sampled_from(":@%#?/,;|\"' &=+\\[]{}0aZ") | st.characters(exclude_categories=("C", "Z"))
credentials = st.text(characters, max_size=8).filter(lambda text: "\N{REPLACEMENT CHARACTER}" not in text)
hosts = st.sampled_from(["198.51.100.7", "2001:db8::7", "gw.example.com", "a_1.b-2.example.com"])
specs = st.builds(ProxySpec, st.just(Protocol.HTTP), hosts, st.integers(1, 65535), credentials, credentials)


def read_back(source: str) -> ProxySpec:
    (spec,) = (outcome.spec for outcome in parse([source.encode()]) if isinstance(outcome, Parsed))
    return spec


@given(specs, st.sampled_from(Protocol))
@example(ProxySpec(Protocol.HTTP, "b.example.com", 81, "198.51.100.7", "80"), Protocol.HTTP)
@example(ProxySpec(Protocol.HTTP, "squid", 81, "198.51.100.7", "80"), Protocol.HTTP)
def test_render_is_read_back_exactly(spec: ProxySpec, protocol: Protocol) -> None:
    spec = ProxySpec(protocol, spec.host, spec.port, spec.username, spec.password)
    assert read_back(render(spec)) == spec


def test_render_writes_what_other_tools_understand() -> None:
    spec = ProxySpec(Protocol.SOCKS5, "2001:db8::7", 1080, "us:er", "p@ss/%")
    assert render(spec) == "socks5://us%3Aer:p%40ss%2F%25@[2001:db8::7]:1080"
    assert render(ProxySpec(Protocol.HTTP, "gw.example.com", 80)) == "http://gw.example.com:80"


def to_json(spec: ProxySpec) -> str:
    return json.dumps([{"ip": spec.host, "port": spec.port, "username": spec.username, "password": spec.password}])


def to_csv(spec: ProxySpec) -> str:
    assume(all(text == text.strip() for text in (spec.username, spec.password)))
    buffer = io.StringIO()
    rows = [("host", "port", "login", "pass"), (spec.host, spec.port, spec.username, spec.password)]
    csv.writer(buffer).writerows(rows)
    return buffer.getvalue()


@given(specs)
@pytest.mark.parametrize("write", [to_json, to_csv])
def test_tables_and_records_carry_any_credentials(write: Callable[[ProxySpec], str], spec: ProxySpec) -> None:
    assert read_back(write(spec)) == spec


def colons(spec: ProxySpec) -> str:
    return f"{spec.address}:{spec.username}:{spec.password}"


def at_last(spec: ProxySpec) -> str:
    return f"{spec.address}@{spec.username}:{spec.password}"


def at_first(spec: ProxySpec) -> str:
    assume(not starts_like_something_else(spec.username))
    return f"{spec.username.replace('%', '%25')}:{spec.password.replace('%', '%25')}@{spec.address}"


def colons_host_last(spec: ProxySpec) -> str:
    assume(not starts_like_something_else(spec.username))
    return f"{spec.username}:{spec.password}:{spec.address}"


def url_host_first(spec: ProxySpec) -> str:
    return f"http://{spec.address}:{quote(spec.username)}:{quote(spec.password, safe=':@')}"


def quoted_cells(spec: ProxySpec) -> str:
    assume(all(text == text.strip() for text in (spec.username, spec.password)))
    buffer = io.StringIO()
    host = spec.address.rpartition(":")[0]
    csv.writer(buffer, quoting=csv.QUOTE_ALL).writerow((host, spec.port, spec.username, spec.password))
    return buffer.getvalue()


def blanks(spec: ProxySpec) -> str:
    assume(not re.search(r"\s", spec.username + spec.password))
    host = spec.address.rpartition(":")[0]
    return f"{host} {spec.port}  {spec.username} {spec.password}"


def starts_like_something_else(text: str) -> bool:
    return not text or text[0] in "#;/\"' {[" or text.startswith("sep=")


@given(specs)
@pytest.mark.parametrize("write", [colons, at_last, at_first, colons_host_last, url_host_first, quoted_cells, blanks])
def test_text_lines_carry_what_their_shape_can(write: Callable[[ProxySpec], str], spec: ProxySpec) -> None:
    assume(":" not in spec.username)
    assume(spec.username)
    assume(spec.password)
    # What a text line can't carry: a comment after a blank, a link, separators at the end.
    line = write(spec)
    assume(not re.search(r"\s(#|//)", line))
    assume("://" not in line[8:])
    assume(line.rstrip(", ") == line or write is quoted_cells)
    assert read_back(line) == spec


@given(st.text(st.characters(exclude_characters="\0"), max_size=60))
def test_no_text_is_ever_quoted_in_a_reason(text: str) -> None:
    secret = "s3cr3t-w0rd"
    for outcome in parse([f"198.51.100.1:80\n{text}{secret}".encode(errors="replace")]):
        assert isinstance(outcome, Parsed) or secret not in repr(outcome)
        if isinstance(outcome, Rejected):
            assert outcome.reason
