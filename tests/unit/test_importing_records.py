"""JSON documents and JSON lines."""

from __future__ import annotations

import json

import pytest

from service.importing import Outcome, Parsed, Rejected, parse
from service.models import Protocol

A = {"proxy_address": "198.51.100.1", "port": 80, "username": "u", "password": 'p"]}{[,\\'}
B = {"host": "198.51.100.2", "port": "81"}


def outcomes(source: str) -> list[Outcome]:
    return list(parse([source.encode()]))


def found(source: str) -> list[tuple[int, str]]:
    """Line and address of each proxy, line and code of each refusal."""
    return [
        (outcome.line, outcome.spec.address if isinstance(outcome, Parsed) else outcome.code)
        for outcome in outcomes(source)
    ]


@pytest.mark.parametrize(
    "document",
    [
        [A, B],
        {"results": [A, B]},
        {"count": 2, "next": None, "proxies": [A, B], "more": {"data": 1}},
        {"status": "data", "data": [A, B]},
        {"data": {"page": [1, 2], "results": [A, B]}, "x": []},
        {"items": [A, B], "nextCursor": None, "total": 2},
        {"data": {"page": 1}, "results": [A, B]},
        {"proxies": [A], "data": {"proxies": [B]}},
    ],
)
@pytest.mark.parametrize("indent", [None, 2])
def test_documents_with_an_array_of_proxies(document: object, indent: int | None) -> None:
    source = json.dumps(document, indent=indent)
    assert [address for _, address in found(source)] == ["198.51.100.1:80", "198.51.100.2:81"]
    first = outcomes(source)[0]
    assert isinstance(first, Parsed)
    assert (first.spec.username, first.spec.password) == (A["username"], A["password"])
    if indent:
        lines = source.split("\n")
        starts = [number for number, line in enumerate(lines, 1) if "proxy_address" in line or '"host"' in line]
        assert [line + 1 for line, _ in found(source)] == starts


def test_strings_are_text_lines() -> None:
    assert found('["198.51.100.1:80:u:p",\n "http://198.51.100.2:81", "nonsense", ""]') == [
        (1, "198.51.100.1:80"),
        (2, "198.51.100.2:81"),
        (2, "shape"),
    ]


def test_json_lines() -> None:
    source = f"{json.dumps(A)}\n\n{json.dumps(B)[:-1]}\n{json.dumps(B)}\n[1]\n"
    assert found(source) == [(1, "198.51.100.1:80"), (3, "json"), (4, "198.51.100.2:81"), (5, "json")]


@pytest.mark.parametrize("separator", ["", "\n", ",\n"])
def test_objects_in_a_row(separator: str) -> None:
    source = separator.join(json.dumps(record, indent=1) for record in (A, B))
    assert [address for _, address in found(source)] == ["198.51.100.1:80", "198.51.100.2:81"]


def test_superfluous_brackets_cost_nothing() -> None:
    source = f"{json.dumps(A)}]\n{json.dumps(B)}\n[{json.dumps(B)}]]"
    assert [address for _, address in found(source)] == ["198.51.100.1:80", "198.51.100.2:81", "198.51.100.2:81"]


def test_a_record_names_its_endpoint_before_what_is_nested_in_it() -> None:
    assert found(json.dumps(B | {"connection": {"host": "203.0.113.1", "port": 1}})) == [(1, "198.51.100.2:81")]


def test_one_object_is_one_proxy() -> None:
    assert found(json.dumps(A)) == [(1, "198.51.100.1:80")]
    assert found('{"error": "unauthorized"}') == [(1, "host")]


def test_nested_endpoint_of_proxy_cheap() -> None:
    record = {
        "id": 7,
        "networkType": "MOBILE",
        "user": {"username": "account@example.com"},
        "authentication": {"username": "u", "password": "p"},
        "connection": {"publicIp": "203.0.113.7", "connectIp": "198.51.100.7", "httpPort": 80, "socks5Port": None},
        "proxyType": "HTTP",
        "countryCode": "BR",
        "expiresAt": "2026-12-31T00:00:00+00:00",
        "tags": ["a", {"b": 1}, 3],
        "city": {"name": "x"},
    }
    (outcome,) = outcomes(json.dumps([record]))
    assert isinstance(outcome, Parsed)
    spec = outcome.spec
    assert (spec.address, spec.protocol, spec.username, spec.password) == (
        "198.51.100.7:80",
        Protocol.HTTP,
        "u",
        "p",
    )
    assert (spec.labels, spec.expires_at) == (("a", "3", "country:BR"), 1798675200000)


@pytest.mark.parametrize(
    ("record", "code"),
    [
        ({"port": 80}, "host"),
        ({"host": None, "port": 80}, "host"),
        ({"host": "198.51.100.1"}, "port"),
        ({"host": "198.51.100.1", "port": True}, "type"),
        ({"host": "198.51.100.1", "port": 80.5}, "type"),
        ({"host": ["198.51.100.1"], "port": 80}, "type"),
        ({"host": {"name": "198.51.100.1"}, "port": 80}, "host"),
        ({"host": "198.51.100.1", "port": 80, "username": "u", "password": ["secret"]}, "type"),
        ({"host": "198.51.100.1", "port": 80, "protocol": True}, "type"),
        ({"host": "198.51.100.1", "port": 80, "expires": True}, "expiry"),
        ({"host": "# x", "port": 80}, "host"),
        (["198.51.100.1", 80], "json"),
        (5, "json"),
        (None, "json"),
    ],
)
def test_a_bad_element_costs_no_other(record: object, code: str) -> None:
    source = json.dumps([A, record, B], indent=1)
    assert [word for _, word in found(source)] == ["198.51.100.1:80", code, "198.51.100.2:81"]
    assert "secret" not in repr(outcomes(source)[1])


@pytest.mark.parametrize(
    "broken",
    ['{"host": x}', '{"host": "198.51.100.3" "port": 1}', "x y", '{"host": "198.51.100.3\n}', '{"a": "\\u12"}', "[[[["],
)
def test_broken_elements(broken: str) -> None:
    words = [word for _, word in found(f"[{json.dumps(A)},\n{broken},\n{json.dumps(B)}]")]
    assert words[:2] == ["198.51.100.1:80", "json"]
    assert words[2:] == (["json"] if broken == "[[[[" else ["198.51.100.2:81"])


def test_a_document_that_was_cut_tells_so_and_keeps_what_is_whole() -> None:
    whole = json.dumps({"results": [A, B]})
    assert found(whole[: whole.index("]}", -4)]) == [(1, "198.51.100.1:80"), (1, "198.51.100.2:81"), (1, "json")]
    assert found('{"host": "198.51.100.1", "port": 80') == [(1, "json")]


def test_an_element_over_the_limit_is_refused() -> None:
    source = f'[{json.dumps(A)},\n{{"note": "{"x" * 70000}"}},\n{json.dumps(B)}]'
    assert found(source) == [(1, "198.51.100.1:80"), (2, "too_long"), (3, "198.51.100.2:81")]


def test_an_empty_array_says_nothing() -> None:
    assert outcomes("[]") == outcomes('{"results": []}') == outcomes(" [ ] \n") == []


def test_damaged_text_is_refused() -> None:
    (outcome,) = parse([b'[{"host":"198.51.100.1","port":80,"password":"p\xe9"}]'])
    assert isinstance(outcome, Rejected)
    assert outcome.code == "encoding"
