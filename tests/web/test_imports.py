"""POST /proxies/import: shapes, options, limits."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from redis.asyncio import Redis

from service import importing, messages
from service.control import intake
from service.control.import_report import KEPT
from service.evolution.simulator import Simulator
from tests.helpers import wait_until
from tests.web.api import Answer, Api, lines, proxy
from tests.web.conftest import serving, settings_for

TEXT = {"Content-Type": "text/plain"}


async def send(api: Api, data: Any, query: str = "", **headers: str) -> Answer:
    return await api.call("POST", f"/proxies/import{query}", data=data, headers={**TEXT, **headers})


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("text/plain; charset=utf-8", b"192.0.2.1:80:u:p\n"),
        ("text/csv", b"host,port,username,password\n192.0.2.1,80,u,p\n"),
        ("application/json", b'[{"host": "192.0.2.1", "port": 80, "username": "u", "password": "p"}]'),
        ("application/x-ndjson", b'{"host": "192.0.2.1", "port": 80}\n{"host": "192.0.2.1", "port": 81}\n'),
        ("application/octet-stream", b"192.0.2.1:80:u:p"),
    ],
)
async def test_every_shape(api: Api, kind: str, data: bytes) -> None:
    answer = await api.call("POST", "/proxies/import", data=data, headers={"Content-Type": kind})
    assert (answer.status, answer.body["added"] > 0, answer.body["rejected"]) == (200, True, [])


async def test_good_lines_are_kept_when_others_are_bad(api: Api) -> None:
    answer = await send(api, lines([proxy(1), proxy(2)]) + b"nonsense\nhttps://192.0.2.9:443\n")
    body = answer.body
    counts = {name: body[name] for name in ("added", "updated", "unchanged", "disabled", "rejectedCount", "dryRun")}
    assert counts == {"added": 3, "updated": 0, "unchanged": 0, "disabled": 1, "rejectedCount": 1, "dryRun": False}
    assert [(one["line"], bool(one["reason"])) for one in body["rejected"]] == [(3, True)]
    assert [(one["line"], one["code"]) for one in body["warnings"]] == [(4, "unusable_protocol")]
    assert (await api.get("/stats"))["disabled"] == 1
    assert {event["actor"] for event in await api.events("proxy.added")} == {"token:the-admin"}


async def test_the_same_again_and_options(api: Api) -> None:
    source = lines([proxy(1), proxy(2)])
    foretold = (await send(api, source, "?dryRun=true")).body
    assert (foretold["added"], foretold["dryRun"], (await api.get("/stats"))["total"]) == (2, True, 0)
    await send(api, source, "?group=br")
    assert (await api.get("/proxies?group=br"))["total"] == 2
    assert (await send(api, source)).body["unchanged"] == 2
    assert (await send(api, lines([proxy(1)]), "?mode=sync")).body["drained"] == 1
    assert (await send(api, b"192.0.2.7:80\n", "?protocol=socks5")).body["added"] == 1
    assert (await api.get("/proxies?protocol=socks5"))["items"][0]["host"] == "192.0.2.7"


async def test_a_dry_run_tells_of_each_line(api: Api) -> None:
    await send(api, b"192.0.2.1:80:ana:hunter2\n192.0.2.2:80:ana:hunter2\n192.0.2.3:80:ana:hunter2\n")
    source = (
        b"protocol,host,port,username,password,expires\n"
        b"http,192.0.2.1,80,ana,hunter2,\n"
        b"http,192.0.2.2,80,ana,hunter3,2999-01-01\n"
        b"http,192.0.2.2,80,ana,hunter3,2999-01-01\n"
        b"https,2001:db8::1,443,ana,hunter3,\n"
    )
    answer = await send(api, source, "?dryRun=true&mode=sync")
    told = [(one["line"], one["verdict"], one["host"], one["changed"]) for one in answer.body["lines"]]
    assert told == [
        (2, "unchanged", "192.0.2.1", []),
        (3, "changed", "192.0.2.2", ["password", "expiresAt"]),
        (4, "duplicate", "192.0.2.2", []),
        (5, "new", "2001:db8::1", []),
        (None, "drained", "192.0.2.3", []),
    ]
    assert answer.body["lines"][3] == {
        "line": 5,
        "verdict": "new",
        "protocol": "https",
        "host": "2001:db8::1",
        "port": 443,
        "changed": [],
        "remarks": [{name: answer.body["warnings"][0][name] for name in ("code", "reason")}],
    }
    assert answer.body["verdicts"] == {"unchanged": 1, "changed": 1, "duplicate": 1, "new": 1, "drained": 1}
    assert answer.body["linesOmitted"] == 0
    assert b"hunter" not in orjson.dumps(answer.body)
    done = (await send(api, source, "?mode=sync")).body
    assert (done["lines"], done["verdicts"], done["drained"]) == ([], {}, 1)


async def test_a_refused_line_is_told_without_a_piece_of_it(api: Api) -> None:
    body = (await send(api, b"hunter2\n" * (KEPT + 2), "?dryRun=true")).body
    assert (body["verdicts"], len(body["lines"]), body["linesOmitted"]) == ({"refused": KEPT + 2}, KEPT, 2)
    [remark] = body["lines"][0].pop("remarks")
    assert remark["code"] == "shape"
    assert body["lines"][0] == {
        "line": 1,
        "verdict": "refused",
        "protocol": None,
        "host": None,
        "port": None,
        "changed": [],
    }


@pytest.mark.parametrize("query", ["?dryRun=perhaps", "?mode=replace", "?protocol=ftp", "?dry_run=true"])
async def test_bad_options_name_themselves(api: Api, query: str) -> None:
    answer = await send(api, b"192.0.2.1:80\n", query)
    assert (answer.status, answer.body["field"]) == (422, query[1:].partition("=")[0])


async def test_binary_and_empty_sources(api: Api) -> None:
    answer = await send(api, b"\x89PNG\x00\x00")
    assert (answer.status, answer.body["field"]) == (422, "file")
    assert (await send(api, b"")).body["added"] == 0
    answer = await send(api, b"", "?mode=sync")
    assert (answer.status, answer.body["field"]) == (422, "file")
    answer = await api.call("POST", "/proxies/import", data=b"x", headers={"Content-Type": "image/png"})
    assert (answer.status, answer.code) == (415, "unsupported_media_type")


async def test_remarks_are_in_the_readers_language(api: Api) -> None:
    source = b"nonsense\nhttps://192.0.2.9:443\n"
    report = (await send(api, source, **{"Accept-Language": "pt-BR"})).body
    assert [one["reason"] for one in report["rejected"]] == ["nenhuma ordem conhecida de host, porta, usuário e senha"]
    assert [one["reason"] for one in report["warnings"]] == [
        "a Evolution API só usa http e socks5; o proxy fica desativado"
    ]
    report = (await send(api, source)).body
    assert report["rejected"][0]["reason"] == "no known order of host, port, username and password"


def test_each_code_of_the_importer_has_its_words() -> None:
    files = [*Path(importing.__file__).parent.glob("*.py"), Path(intake.__file__)]
    made = re.compile(r'(?:Note|LineError|Rejected|Warned)\((?:[a-z.]+, )?\s*"([a-z_]+)"')
    codes = {code for file in files for code in made.findall(file.read_text())}
    assert {"shape", "host", "half_credentials", "shared_address"} <= codes
    assert [code for code in codes if messages.reason(code) == code] == []


async def test_a_source_beyond_the_limit(redis: Redis, redis_url: str, tmp_path: Path, sim: Simulator) -> None:
    async with serving(settings_for(redis_url, tmp_path, sim), import_limit=100_000) as api:
        answer = await send(api, lines(proxy(number % 250) for number in range(5000)))
        assert (answer.status, answer.code, answer.body["limit"]) == (413, "too_large", 100_000)
        assert (await api.get("/stats"))["total"] == 0

        async def unannounced() -> AsyncIterator[bytes]:
            for _ in range(100):
                yield lines(proxy(number) for number in range(1, 101))

        answer = await send(api, unannounced())
        assert (answer.status, answer.code) == (413, "too_large")
        assert (await api.get("/stats"))["total"] == 100


async def test_a_stream_is_taken_while_it_comes(api: Api) -> None:
    async def growing() -> AsyncIterator[bytes]:
        for block in range(8):
            yield b"".join(b"10.%d.%d.1:80:u:p\n" % (block, number) for number in range(250))
        await wait_until(lambda: _some(api), what="the first of them are in the pool")

    answer = await send(api, growing())
    assert (answer.status, answer.body["added"]) == (200, 2000)


async def _some(api: Api) -> bool:
    return bool((await api.get("/stats"))["total"])
