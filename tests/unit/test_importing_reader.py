"""Sources as a whole: encodings, streaming, memory, and the order that the majority of lines decides."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable, Iterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.errors import InvalidInputError
from service.importing import Outcome, Parsed, ProxyReader, Rejected, Warned, parse
from service.importing.majority import LOOKAHEAD
from service.importing.reader import SNIFF_BYTES

PADDING = "# S\N{LATIN SMALL LETTER A WITH TILDE}o Paulo\r\n" * (SNIFF_BYTES // 10)
"""Nothing is read before ``SNIFF_BYTES`` have come, so that cuts behind them are the ones that matter."""

MIXED = PADDING + "".join(
    f"198.51.100.{number}:80:user{number}:p\N{LATIN SMALL LETTER A WITH DIAERESIS}ss\r\n"
    f"a{number}.example.com:80:b.example.com:81\r\nnonsense\r\n"
    for number in range(100)
)
CSV = PADDING + "ip;port;username;password\r\n" + "".join(f'198.51.100.{n};80;"u{n}";p\r\n' for n in range(200))
RECORDS = [{"ip": f"198.51.100.{n}", "port": 80, "password": '\\"]},' * (n % 6), "username": "u"} for n in range(20)]
JSON = "{" + " " * SNIFF_BYTES + json.dumps({"count": "\\", "data": {"results": RECORDS}}, indent=1)[1:]
JSON_LINES = "\n".join(json.dumps(record) for record in RECORDS * 6)


def feed_in_pieces(data: bytes, cuts: list[int]) -> list[Outcome]:
    reader = ProxyReader()
    outcomes: list[Outcome] = []
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    for start, end in pairwise(edges):
        outcomes += reader.feed(data[start:end])
    return outcomes + reader.close()


@given(
    source=st.sampled_from([MIXED, CSV, JSON, JSON_LINES]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    cuts=st.lists(st.integers(0, 100_000), max_size=20),
)
def test_where_the_chunks_are_cut_makes_no_difference(source: str, encoding: str, cuts: list[int]) -> None:
    data = source.encode(encoding)
    whole = list(parse([data]))
    assert sum(isinstance(outcome, Parsed) for outcome in whole) >= 15
    assert feed_in_pieces(data, cuts) == whole


@pytest.mark.parametrize("source", [MIXED, CSV, JSON, JSON_LINES])
def test_one_byte_at_a_time(source: str) -> None:
    data = source.encode()
    assert list(parse(bytes([byte]) for byte in data)) == list(parse([data]))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32", "utf-16-le", "utf-16-be"])
def test_a_byte_order_mark_names_the_encoding(encoding: str) -> None:
    mark = "\ufeff" if encoding.endswith(("le", "be")) else ""
    assert list(parse([(mark + MIXED).encode(encoding)])) == list(parse([MIXED.encode()]))


@pytest.mark.parametrize("data", [b"PK\3\4\x14\0\6\0", b"198.51.100.1:80\n\0", "198.51.100.1:80".encode("utf-16-le")])
def test_binary_data_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidInputError) as refused:
        list(parse([data]))
    assert refused.value.params["field"] == "file"
    with pytest.raises(InvalidInputError):
        ProxyReader().feed(data + bytes(10_000))


def test_a_workbook_is_told_from_other_binary_data() -> None:
    with pytest.raises(InvalidInputError) as refused:
        list(parse([b"PK", b"\3\4 no zero byte"]))
    assert refused.value.params == {"field": "file", "reason": "workbook"}


def test_a_line_that_is_not_utf8_costs_no_other() -> None:
    outcomes = list(
        parse([b"198.51.100.1:80\n198.51.100.2:80:u:p\xe9ss\n# S\xe3o Paulo\n198.51.100.3:80\n\xe9.example.com:80"])
    )
    assert [outcome.line for outcome in outcomes if isinstance(outcome, Parsed)] == [1, 4]
    refused = [(outcome.line, outcome.code) for outcome in outcomes if isinstance(outcome, Rejected)]
    assert refused == [(2, "encoding"), (5, "encoding")]


def test_nothing_gives_nothing() -> None:
    assert list(parse([])) == list(parse([b"", b"\r\n\r\n"])) == ProxyReader().close() == []


def test_a_long_line_costs_no_other() -> None:
    line = b"198.51.100.1:80\n"
    outcomes = list(parse([line, b"x" * 8192, b"x\n", line, b"# " + b"x" * 8190 + b"\n", b"y" * 9000]))
    assert [(outcome.line, type(outcome)) for outcome in outcomes] == [
        (1, Parsed),
        (2, Rejected),
        (3, Parsed),
        (5, Rejected),
    ]
    assert {outcome.code for outcome in outcomes if isinstance(outcome, Rejected)} == {"too_long"}


@given(junk=st.lists(st.binary(max_size=80).map(lambda data: data.translate(None, b"\n\r\0")), max_size=20))
def test_bad_lines_never_cost_a_good_one(junk: list[bytes]) -> None:
    good = [b"198.51.100.%d:80:user:pass" % number for number in range(len(junk) + 1)]
    lines = [good[0]] + [line for pair in zip(junk, good[1:], strict=True) for line in pair]
    parsed = {outcome.line: outcome.spec for outcome in parse([b"\n".join(lines)]) if isinstance(outcome, Parsed)}
    for number, line in enumerate(good):
        spec = parsed[2 * number + 1]
        assert f"{spec.address}:{spec.username}:{spec.password}" == line.decode()


def doubtful_file(votes: str, doubtful_at: int, length: int) -> str:
    lines = [votes] * length
    lines[doubtful_at] = "a.example.com:80:b.example.com:81"
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("votes", "host"),
    [
        ("198.51.100.1:80:u:p", "a.example.com"),
        ("u:p:198.51.100.1:80", "b.example.com"),
        ("u p 198.51.100.1 80", "b.example.com"),
        ("198.51.100.1:80", "a.example.com"),
    ],
)
@pytest.mark.parametrize(
    ("doubtful_at", "length"), [(0, 3), (2, 3), (0, LOOKAHEAD + 5), (LOOKAHEAD + 3, LOOKAHEAD + 5)]
)
def test_the_majority_decides_what_fits_in_both_orders(votes: str, host: str, doubtful_at: int, length: int) -> None:
    outcomes = list(parse([doubtful_file(votes, doubtful_at, length).encode()]))
    assert [outcome.line for outcome in outcomes if isinstance(outcome, Parsed)] == list(range(1, length + 1))
    (doubtful,) = (o.spec for o in outcomes if isinstance(o, Parsed) and o.line == doubtful_at + 1)
    assert doubtful.host == host
    (warned,) = (outcome for outcome in outcomes if isinstance(outcome, Warned))
    assert (warned.line, warned.code) == (doubtful_at + 1, "order_guessed")
    assert ("most of this file" in warned.reason) == (votes != "198.51.100.1:80")


def test_a_reading_that_fails_a_check_leaves_no_doubt() -> None:
    line = f"a.example.com:80:{'x' * 60}:{'y' * 60}:b.example.com:81"
    (outcome,) = parse([line.encode()])
    assert isinstance(outcome, Parsed)
    assert outcome.spec.host == "a.example.com"


def test_only_a_doubtful_line_holds_others_back() -> None:
    reader = ProxyReader()
    assert len(reader.feed(b"198.51.100.1:80:u:p\n" * 1000)) == 1000
    assert reader.feed(b"a.example.com:80:b.example.com:81\n198.51.100.1:80:u:p\n") == []
    assert len(reader.feed(b"198.51.100.1:80:u:p\n" * LOOKAHEAD)) == LOOKAHEAD + 3
    assert reader.close() == []


def endless_line() -> Iterator[bytes]:
    yield b"198.51.100.1:80\n"
    for _ in range(1000):
        yield b"x" * 65536


def endless_json_string() -> Iterator[bytes]:
    yield b'[{"ip":"198.51.100.1","port":80},{"ip":"'
    for _ in range(1000):
        yield b"x" * 65536


def endless_key() -> Iterator[bytes]:
    yield b'{"ip":"198.51.100.1","port":80}{"'
    for _ in range(1000):
        yield b"x" * 65536


def many_lines() -> Iterator[bytes]:
    for start in range(0, 50_000, 1000):
        yield b"".join(b"198.51.100.1:80:user%d:pass%d\n" % (n, n) for n in range(start, start + 1000))


def many_elements() -> Iterator[bytes]:
    yield b'{"results":['
    for start in range(0, 20_000, 1000):
        yield b"".join(b'{"ip":"198.51.100.1","port":80,"username":"u%d"},\n' % n for n in range(start, start + 1000))
    yield b"]}"


@pytest.mark.parametrize(
    ("source", "parsed"),
    [(endless_line, 1), (endless_json_string, 1), (endless_key, 1), (many_lines, 50_000), (many_elements, 20_000)],
)
def test_memory_is_bounded(source: Callable[[], Iterator[bytes]], parsed: int) -> None:
    tracemalloc.start()
    try:
        count = sum(isinstance(outcome, Parsed) for outcome in parse(source()))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert count == parsed
    assert peak < 4 * 2**20
