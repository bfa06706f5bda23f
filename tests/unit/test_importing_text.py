"""Text lines: every order and every oddity that MARKET.md lists, one example each."""

from __future__ import annotations

import pytest

from service.importing import Outcome, Parsed, Rejected, Warned, parse
from service.models import Protocol, ProxySpec

HTTP, HTTPS, SOCKS4, SOCKS5 = Protocol.HTTP, Protocol.HTTPS, Protocol.SOCKS4, Protocol.SOCKS5
IP, NAME, V6 = "198.51.100.7", "gw.example.com", "2001:db8::7"


def outcomes(source: str) -> list[Outcome]:
    return list(parse([source.encode()]))


def only_spec(source: str) -> ProxySpec:
    found = [outcome.spec for outcome in outcomes(source) if isinstance(outcome, Parsed)]
    assert len(found) == 1, outcomes(source)
    return found[0]


def warning_codes(source: str) -> list[str]:
    return [outcome.code for outcome in outcomes(source) if isinstance(outcome, Warned)]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        # Webshare, IPRoyal, Proxy-Cheap, Decodo: host:port[:user:pass]
        (f"{IP}:8080", (HTTP, IP, 8080, "", "")),
        (f"{IP}:8080:user:pass", (HTTP, IP, 8080, "user", "pass")),
        (f"{NAME}:8080:user:pass", (HTTP, NAME, 8080, "user", "pass")),
        ("GW.Example.COM.:8080:user:pass", (HTTP, NAME, 8080, "user", "pass")),
        ("proxy_1.example.com:8080", (HTTP, "proxy_1.example.com", 8080, "", "")),
        ("localproxy:3128:user:pass", (HTTP, "localproxy", 3128, "user", "pass")),
        # passwords that hold separators
        (f"{IP}:8080:user:pa:ss::", (HTTP, IP, 8080, "user", "pa:ss::")),
        (f"{IP}:8080:user:p@ss#1;a,b", (HTTP, IP, 8080, "user", "p@ss#1;a,b")),
        (f"user:pa:ss:{IP}:8080", (HTTP, IP, 8080, "user", "pa:ss")),
        (f"user:p@ss@{IP}:8080", (HTTP, IP, 8080, "user", "p@ss")),
        (f"{IP}:8080@user:p@ss", (HTTP, IP, 8080, "user", "p@ss")),
        # Geonode: user:pass:host:port and host:port@user:pass
        (f"user:pass:{NAME}:9000", (HTTP, NAME, 9000, "user", "pass")),
        (f"{NAME}:9000@user:pass", (HTTP, NAME, 9000, "user", "pass")),
        (f"user:pass@{NAME}:9000", (HTTP, NAME, 9000, "user", "pass")),
        # schemes
        (f"http://{IP}:8080", (HTTP, IP, 8080, "", "")),
        (f"HTTP://user:pass@{IP}:8080/", (HTTP, IP, 8080, "user", "pass")),
        (f"https://user:pass@{IP}:8080", (HTTPS, IP, 8080, "user", "pass")),
        (f"socks4://{IP}:1080", (SOCKS4, IP, 1080, "", "")),
        (f"socks://{IP}:1080", (SOCKS5, IP, 1080, "", "")),
        (f"socks5h://user:pass@{IP}:1080", (SOCKS5, IP, 1080, "user", "pass")),
        (f"socks5://{IP}:1080:user:pa:ss", (SOCKS5, IP, 1080, "user", "pa:ss")),
        (f"http://user:pass:{IP}:8080", (HTTP, IP, 8080, "user", "pass")),
        # %-escapes: decoded with @ after the credentials or a scheme, literal elsewhere, literal when not UTF-8
        (f"us%40er:p%3Ass@{IP}:8080", (HTTP, IP, 8080, "us@er", "p:ss")),
        (f"http://{IP}:8080:us%40er:p%3Ass", (HTTP, IP, 8080, "us@er", "p:ss")),
        (f"{IP}:8080:us%40er:p%3Ass", (HTTP, IP, 8080, "us%40er", "p%3Ass")),
        (f"{IP}:8080@us%40er:p%3Ass", (HTTP, IP, 8080, "us%40er", "p%3Ass")),
        (f"user:100%ZZ%41@{IP}:8080", (HTTP, IP, 8080, "user", "100%ZZA")),
        (f"user:p%FFss@{IP}:8080", (HTTP, IP, 8080, "user", "p%FFss")),
        # IPv6
        (f"[{V6}]:8080", (HTTP, V6, 8080, "", "")),
        ("[2001:DB8:0::7]:8080:user:pass", (HTTP, V6, 8080, "user", "pass")),
        (f"user:pass@[{V6}]:8080", (HTTP, V6, 8080, "user", "pass")),
        (f"user:pass:[{V6}]:8080", (HTTP, V6, 8080, "user", "pass")),
        (f"socks5://user:pass@[{V6}]:1080", (SOCKS5, V6, 1080, "user", "pass")),
        # other separators, both orders, with the padding and quotes people add
        (f"{IP} 8080 user pass", (HTTP, IP, 8080, "user", "pass")),
        (f"{IP}\t8080\tuser\tpass", (HTTP, IP, 8080, "user", "pass")),
        (f"{IP},8080,user,pa:ss", (HTTP, IP, 8080, "user", "pa:ss")),
        (f"{IP};8080;user;pa,ss", (HTTP, IP, 8080, "user", "pa,ss")),
        (f"{IP} | 8080 | user | pass |", (HTTP, IP, 8080, "user", "pass")),
        (f"{IP},8080,,", (HTTP, IP, 8080, "", "")),
        (f'"{IP}", "8080", "user", "pa,ss",', (HTTP, IP, 8080, "user", "pa,ss")),
        (f"user,pass,{IP},8080", (HTTP, IP, 8080, "user", "pass")),
        (f"user pass {IP} 8080", (HTTP, IP, 8080, "user", "pass")),
        (f"{IP}:8080 user:pass", (HTTP, IP, 8080, "user", "pass")),
        (f"user:pass {IP}:8080", (HTTP, IP, 8080, "user", "pass")),
        (f"{IP}:8080,user,pass", (HTTP, IP, 8080, "user", "pass")),
        (f"[{V6}] 8080 user pass", (HTTP, V6, 8080, "user", "pass")),
        (f"socks5://{IP};1080;user;pass", (SOCKS5, IP, 1080, "user", "pass")),
        # around the line
        (f"  {IP}:8080:user:pass , \r\n", (HTTP, IP, 8080, "user", "pass")),
        (f'"{IP}:8080:user:pass",', (HTTP, IP, 8080, "user", "pass")),
        (f"'{IP}:8080:user:pass'", (HTTP, IP, 8080, "user", "pass")),
        (f"\ufeff{IP}:8080", (HTTP, IP, 8080, "", "")),
        (f"{IP}:8080:user:pass  # fast one", (HTTP, IP, 8080, "user", "pass")),
        (f"{IP}:8080 // fast one", (HTTP, IP, 8080, "", "")),
        # gateways: options in the username or the password stay as they are
        (
            f"{NAME}:22225:brd-customer-x-zone-y-session-1_a:pw",
            (HTTP, NAME, 22225, "brd-customer-x-zone-y-session-1_a", "pw"),
        ),
        (
            f"{NAME}:12321:user:pw_country-br_session-A1b2_lifetime-30m",
            (HTTP, NAME, 12321, "user", "pw_country-br_session-A1b2_lifetime-30m"),
        ),
        # a port on both sides: the surer host decides
        (f"user:1234:{IP}:8080", (HTTP, IP, 8080, "user", "1234")),
        (f"{IP}:8080:user:1234", (HTTP, IP, 8080, "user", "1234")),
        (f"{IP}:8080:gw.example.com:1234", (HTTP, IP, 8080, "gw.example.com", "1234")),
        (f"{NAME}:8080:user:1234", (HTTP, NAME, 8080, "user", "1234")),
        ("localproxy:3128:user:99999", (HTTP, "localproxy", 3128, "user", "99999")),
    ],
)
def test_every_shape_is_read(line: str, expected: tuple[Protocol, str, int, str, str]) -> None:
    spec = only_spec(line)
    assert (spec.protocol, spec.host, spec.port, spec.username, spec.password) == expected


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("just some words about proxies", "shape"),
        (IP, "shape"),
        (f"{IP}:8080,user,pass,extra", "shape"),
        (f'"{IP}","8080","secret', "shape"),
        (f"{IP}:0:user:secret", "port"),
        (f"{IP}:65536:user:secret", "port"),
        (f"{IP}:{'9' * 5000}:user:secret", "port"),
        ("198.51.100.300:8080:user:secret", "host"),
        ("user:99:198.51.100.300:8080", "host"),
        ("-bad-.example.com:8080", "host"),
        ("caf\N{LATIN SMALL LETTER E WITH ACUTE}.example.com:8080", "host"),
        ("2001:db8::7:8080", "host"),
        ("fe80::abcd:8080", "host"),
        ("2001:db8:1:2:3:4:5:abcd:8080", "host"),
        ("user:secret@2001:db8::abcd:8080", "host"),
        ("user:secret:2001:db8:1:2:3:4:5:abcd:8080", "shape"),
        ("[2001:db8::zz]:8080", "host"),
        ("[fe80::1%eth0]:8080", "host"),
        ("user:999999:198.51.100.300:8080", "host"),
        (f"ftp://user:secret@{IP}:21", "protocol"),
        (f"{IP}:8080:user:{'s' * 101}", "too_long"),
        (f"{IP}:8080:{'u' * 101}:secret", "too_long"),
        (f"{'a' * 60}.{'b' * 60}.example.com:8080", "too_long"),
        (f"{IP}:8080:user:{'@' * 34}", "too_long"),
        (f"user:secret%0A@{IP}:8080", "unprintable"),
        (f"{IP}:8080:us\0er:secret", "unprintable"),
        (f"{IP}:8080:user:sec\N{ZERO WIDTH SPACE}ret", "unprintable"),
    ],
)
def test_a_bad_line_is_refused_with_a_reason_that_quotes_nothing_of_it(line: str, code: str) -> None:
    # The padding keeps a NUL out of the part that is looked at to tell binary data.
    *_, rejected = outcomes("# padding\n" * 1000 + line)
    assert isinstance(rejected, Rejected)
    assert (rejected.code, rejected.line) == (code, 1001)
    assert rejected.reason
    assert not any(piece in rejected.reason for piece in ("secret", "user:", "uuu", "sss", "@@", IP))


@pytest.mark.parametrize("password", ["@" * 33, "p" * 100, "p" * 97 + "@"])
def test_the_limit_counts_percent_encoded_characters(password: str) -> None:
    assert only_spec(f"{IP}:8080:user:{password}").password == password


@pytest.mark.parametrize("line", ["", "   ", "# x", ";x", "// x", "\ufeff# x", "sep=;"])
def test_blank_lines_and_comments_say_nothing(line: str) -> None:
    assert outcomes(f"{line}\n{line}\r\n") == []


def test_lines_are_counted_with_blanks_and_comments() -> None:
    found = outcomes(f"# list\r\n\r\n{IP}:1\r\nbad\r\n\r\n{IP}:2")
    assert [(type(outcome), outcome.line) for outcome in found] == [(Parsed, 3), (Rejected, 4), (Parsed, 6)]


def test_a_label_after_a_scheme() -> None:
    spec = only_spec(f"socks5://user:p%23ss@{IP}:1080#Brazil @ Vivo")
    assert (spec.password, spec.labels) == ("p#ss", ("Brazil @ Vivo",))
    assert only_spec(f"http://{IP}:80#home").labels == ("home",)
    assert only_spec(f"http://user:p#ss@{IP}:80").password == "p#ss"


def test_a_label_that_could_be_part_of_the_password_is_told() -> None:
    assert only_spec(f"http://{IP}:80:user:pa#ss").labels == ("ss",)
    assert warning_codes(f"http://{IP}:80:user:pa#ss") == ["label_taken"]


@pytest.mark.parametrize("separator", [":", " ", ",", "|", '","'])
def test_a_change_ip_link_is_dropped_and_told(separator: str) -> None:
    quote = '"' if '"' in separator else ""
    line = quote + separator.join([IP, "8080", "user", "pass", "https://change.example.com/ip?key=secret"]) + quote
    spec = only_spec(line)
    assert (spec.username, spec.password, spec.labels) == ("user", "pass", ())
    assert warning_codes(line) == ["change_link"]
    assert "secret" not in repr(outcomes(line))


def test_a_change_ip_link_in_a_cell_of_its_own() -> None:
    assert only_spec(f'"{IP}:8080:user:pass","https://change.example.com/ip"').password == "pass"


@pytest.mark.parametrize(
    ("line", "codes"),
    [
        (f"https://user:pass@{IP}:1", ["unusable_protocol"]),
        (f"socks4://{IP}:1", ["unusable_protocol"]),
        (f"socks5://user:p%40ss@{IP}:1", ["socks_password"]),
        (f"socks5://user:pA1-_.+@{IP}:1", []),
        (f"http://user:p%40ss@{IP}:1", []),
        (f"{IP}:1:user", ["half_credentials"]),
        (f":pass@{IP}:1", ["half_credentials"]),
        (f"http://{IP}:1#{'x' * 101}", ["label_dropped"]),
    ],
)
def test_warnings_tell_what_evolution_will_make_of_it(line: str, codes: list[str]) -> None:
    assert isinstance(outcomes(line)[0], Parsed)
    assert warning_codes(line) == codes


def test_defaults_apply_where_the_line_names_nothing() -> None:
    source = f"{IP}:1\nhttp://{IP}:2\n".encode()
    specs = [found.spec for found in parse([source], protocol=SOCKS5, group="br") if isinstance(found, Parsed)]
    assert [(spec.protocol, spec.group) for spec in specs] == [(SOCKS5, "br"), (HTTP, "br")]
