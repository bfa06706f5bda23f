"""CSV files, with the header names that vendors use."""

from __future__ import annotations

import time

import pytest

from service.importing import Outcome, Parsed, Rejected, Warned, parse
from service.models import Protocol, ProxySpec


def outcomes(source: str) -> list[Outcome]:
    return list(parse([source.encode()]))


def specs(source: str) -> list[ProxySpec]:
    return [outcome.spec for outcome in outcomes(source) if isinstance(outcome, Parsed)]


def refusals(source: str) -> list[tuple[int, str]]:
    return [(outcome.line, outcome.code) for outcome in outcomes(source) if isinstance(outcome, Rejected)]


def warnings(source: str) -> list[tuple[int, str]]:
    return [(outcome.line, outcome.code) for outcome in outcomes(source) if isinstance(outcome, Warned)]


@pytest.mark.parametrize(
    "header",
    [
        "ip,port,username,password",
        "host,http_port,user,pass",
        "Hostname,httpPort,login,Password",
        "address;port;user;password",
        "proxy_address\tport\tusername\tpassword",
        "connectIp|httpPort|username|password",
        '"entry point","Port","User","Pass"',
        "server,Port,Login,pwd",
        "\ufeffip , port , username , password",
        "Endere\N{LATIN SMALL LETTER C WITH CEDILLA}o,Porta,Usu\N{LATIN SMALL LETTER A WITH ACUTE}rio,Senha",
    ],
)
def test_header_names_of_vendors(header: str) -> None:
    delimiter = next(mark for mark in ",;\t|" if mark in header)
    row = delimiter.join(["198.51.100.7", "8080", "user", "p%41:s"])
    assert specs(f"{header}\r\n{row}\r\n") == [
        ProxySpec(Protocol.HTTP, "198.51.100.7", 8080, "user", "p%41:s"),
    ]


def test_everything_that_a_row_can_tell() -> None:
    (spec,) = specs(
        "protocol,host,ip,port,username,password,group,country,country_code,city_name,asn,isp,expires_at,tags,"
        "label,provider,plan,name,note\n"
        "SOCKS5,gw.example.com,203.0.113.9,1080,u,p,br-mobile,Brazil,br,Recife,AS64500,Vivo,2026-12-31T12:00:00-03:00,"
        '"fast, new",vip,Example Inc,gold,n1,"see  mail"\n'
    )
    assert (spec.protocol, spec.host, spec.port, spec.group) == (Protocol.SOCKS5, "gw.example.com", 1080, "br-mobile")
    assert spec.expires_at == 1798729200000
    assert spec.labels == (
        "vip",
        "fast",
        "new",
        "country:BR",
        "city:Recife",
        "asn:AS64500",
        "isp:Vivo",
        "provider:Example Inc",
        "plan:gold",
        "name:n1",
        "note:see mail",
    )


@pytest.mark.parametrize(
    ("header", "row", "protocol", "port", "codes"),
    [
        ("ip,http_port,socks5Port", "198.51.100.7,80,1080", "http", 80, ["port_ignored"]),
        ("ip,port,socks5Port", "198.51.100.7,80,1080", "http", 80, ["port_ignored"]),
        ("ip,http_port,socks5Port", "198.51.100.7,,1080", "socks5", 1080, []),
        ("ip,http_port,socks5Port", "198.51.100.7,80,0", "http", 80, []),
        ("ip,port,socks5Port,type", "198.51.100.7,80,1080,SOCKS5", "socks5", 1080, ["port_ignored"]),
        ("ip,port,type", "198.51.100.7,1080,socks5h", "socks5", 1080, []),
        ("ip,port,scheme", "198.51.100.7,80,HTTPS", "https", 80, ["unusable_protocol"]),
        ("ip,port,proxyType", "198.51.100.7,80,HTTP/SOCKS5", "http", 80, []),
        ("ip,port,protocol", "198.51.100.7,80,HTTP(S)", "http", 80, []),
        ("ip,port,protocol", "198.51.100.7,80,", "http", 80, []),
    ],
)
def test_protocol_and_port(header: str, row: str, protocol: str, port: int, codes: list[str]) -> None:
    source = f"{header}\n{row}\n"
    assert [(spec.protocol, spec.port) for spec in specs(source)] == [(protocol, port)]
    assert warnings(source) == [(2, code) for code in codes]


def test_a_type_that_is_no_protocol_becomes_a_label() -> None:
    assert specs("ip,port,type\n198.51.100.7,80,residential\n")[0].labels == ("type:residential",)
    assert refusals("ip,port,protocol\n198.51.100.7,80,residential\n") == [(2, "protocol")]


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("http://198.51.100.7:81", (Protocol.HTTP, 81, "u", "p")),
        ("socks5://198.51.100.7", (Protocol.SOCKS5, 80, "u", "p")),
        ("http://own:p%40ss@198.51.100.7:81", (Protocol.HTTP, 81, "own", "p@ss")),
        ("198.51.100.7:81:own:p%40ss", (Protocol.HTTP, 81, "own", "p%40ss")),
        ("198.51.100.7", (Protocol.HTTP, 80, "u", "p")),
    ],
)
def test_a_host_cell_may_hold_a_whole_proxy(cell: str, expected: tuple[Protocol, int, str, str]) -> None:
    (spec,) = specs(f"server,port,username,password\n{cell},80,u,p\n")
    assert (spec.protocol, spec.port, spec.username, spec.password) == expected


def test_a_single_column_may_hold_whole_proxies() -> None:
    assert [spec.address for spec in specs("IP:Port\n198.51.100.7:81\n[2001:db8::7]:82\n")] == [
        "198.51.100.7:81",
        "[2001:db8::7]:82",
    ]
    assert [spec.address for spec in specs("ip|port\n2001:db8::7|82\n")] == ["[2001:db8::7]:82"]


@pytest.mark.parametrize("cell", ["2001:db8::7", "[2001:db8::7]", "2001:DB8:0::7"])
def test_ipv6_needs_no_brackets_in_a_cell_of_its_own(cell: str) -> None:
    assert [spec.address for spec in specs(f"ip,port\n{cell},80\n")] == ["[2001:db8::7]:80"]


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        ("2026-12-31", 1798675200000),
        ("2026-12-31 23:59:59", 1798761599000),
        ("2026-12-31 23:59:59 UTC", 1798761599000),
        ("2026-12-31T23:59:59Z", 1798761599000),
        ("2026-12-31T23:59:59.250+00:00", 1798761599250),
        ("2026-12-31T20:59:59-03:00", 1798761599000),
        ("1798761599", 1798761599000),
        ("1798761599250", 1798761599250),
        ("", None),
        ("never", None),
        ("0", None),
    ],
)
def test_expiry(text: str, milliseconds: int | None) -> None:
    assert [spec.expires_at for spec in specs(f"ip,port,valid_until\n198.51.100.7,80,{text}\n")] == [milliseconds]


def test_an_expiry_without_offset_is_utc_wherever_we_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "America/Sao_Paulo")
    time.tzset()
    try:
        assert specs("ip,port,expires\n198.51.100.7,80,2026-12-31\n")[0].expires_at == 1798675200000
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize(
    "text",
    ["31/12/2026", "03/04/2026", "soon", "17987", "2026-13-01", "0001-01-01T00:00+23:00", "9999-12-31T23:59:59-12:00"],
)
def test_an_expiry_that_cannot_be_read_refuses_the_row(text: str) -> None:
    assert refusals(f"ip,port,expires\n198.51.100.7,80,{text}\n198.51.100.8,80,\n") == [(2, "expiry")]


def test_a_bad_row_costs_no_other() -> None:
    source = (
        "# exported list\n"
        "ip,port,username,password\n"
        "198.51.100.1,80,u,p\n"
        '198.51.100.2,80,u,"open quote\n'
        "198.51.100.3,80,u,a,b\n"
        ",80,u,p\n"
        "\n"
        "198.51.100.4,,u,p\n"
        "ip,port,username,password\n"
        "198.51.100.5,80,u,p,,\n"
    )
    assert [spec.host for spec in specs(source)] == ["198.51.100.1", "198.51.100.5"]
    assert refusals(source) == [(4, "quotes"), (5, "columns"), (6, "host"), (8, "port")]


def test_unknown_columns_are_told_once() -> None:
    source = "ip,port,passwort,speed\n198.51.100.1,80,x,1\n198.51.100.2,80,x,2\n"
    assert warnings(source) == [(1, "unknown_columns")]
    assert "passwort, speed" in repr(outcomes(source)[0])


def test_a_proxy_with_a_username_like_a_column_is_no_header() -> None:
    assert [spec.username for spec in specs("gw.example.com:80,server,secret\n")] == ["server"]
    assert [spec.username for spec in specs("gw.example.com,80,server,secret\n")] == ["server"]


def test_labels_beyond_the_limit_are_dropped_and_told() -> None:
    source = f'ip,port,tags\n198.51.100.1,80,"{",".join(map(str, range(17)))}"\n'
    assert specs(source)[0].labels == tuple(map(str, range(16)))
    assert warnings(source) == [(2, "label_dropped")]


def test_a_group_that_is_too_long_refuses_the_row() -> None:
    assert refusals(f"ip,port,group\n198.51.100.1,80,{'g' * 101}\n") == [(2, "group")]
