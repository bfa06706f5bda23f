"""GET /export: for the superadmin, whole or visibly not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import aiohttp
import pytest

from service.errors import StoreUnavailableError
from service.pool.tokens import Role
from service.web.export import Format, Part
from tests.helpers import wait_until
from tests.web.api import PASSWORD, Answer, Api

MANY = 100


async def get(api: Api, query: str = "") -> Answer:
    return await api.call("GET", f"/export{query}", role=Role.SUPERADMIN)


@pytest.mark.parametrize(
    ("form", "content_type", "file"),
    [
        ("lines", "text/plain; charset=utf-8", "evoproxy-default.txt"),
        ("csv", "text/csv; charset=utf-8; header=present", "evoproxy-default.csv"),
        ("json", "application/json", "evoproxy-default.json"),
        ("ndjson", "application/x-ndjson", "evoproxy-default.ndjson"),
    ],
)
async def test_a_file_that_is_kept_by_nobody_on_the_way(api: Api, form: str, content_type: str, file: str) -> None:
    await api.add(3)
    answer = await get(api, f"?format={form}&secrets=true")
    assert (answer.status, answer.headers["Content-Type"]) == (200, content_type)
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{file}"'
    assert answer.headers["Cache-Control"] == "no-store, no-transform"
    assert "Content-Encoding" not in answer.headers
    assert answer.headers["X-Request-Id"]
    assert answer.text.count(PASSWORD.replace("&", "%26") if form == "lines" else PASSWORD) == 3


async def test_passwords_only_for_those_who_ask_and_each_time_an_event(api: Api) -> None:
    await api.add(2)
    assert (await get(api)).text.splitlines()[0].startswith("http://user@192.0.2.")
    assert await api.events("export.made") == []
    await get(api, "?secrets=true&group=")
    [event] = await api.events("export.made")
    assert (event["actor"], event["format"], event["total"]) == ("token:superadmin", "lines", "2")
    assert not {"group", "status"} & event.keys()


async def test_what_is_read_back_is_what_was_there(api: Api) -> None:
    await api.add(3, group="br", labels=("a,b",))
    document = (await get(api, "?format=csv&secrets=true")).text
    report = await api.call("POST", "/proxies/import", data=document.encode(), headers={"Content-Type": "text/csv"})
    assert (report.body["unchanged"], report.body["rejected"]) == (3, [])


@pytest.mark.parametrize(
    "query", ["?format=xml", "?secrets=perhaps", "?status=lost", "?form=csv", "?format=csv&format=csv"]
)
async def test_what_is_not_known_is_refused(api: Api, query: str) -> None:
    answer = await get(api, query)
    assert (answer.status, answer.code) == (422, "invalid")


async def test_filters(api: Api) -> None:
    await api.add(3)
    [proxy_id] = await api.add(1, group="br", port=81)
    await api.call("POST", f"/proxies/{proxy_id}/disable")
    for query, count in (("group=br", 1), ("status=free", 3), ("protocol=socks5", 0), ("status=disabled", 1)):
        assert len((await get(api, f"?{query}")).text.splitlines()) == count


async def test_what_fails_before_the_first_byte_is_a_problem(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    async def lost(*args: object) -> Any:
        raise StoreUnavailableError(store="redis")

    monkeypatch.setattr(api.pool, "page", lost)
    answer = await get(api)
    assert (answer.status, answer.code) == (503, "store_unavailable")


@pytest.mark.parametrize("error", [StoreUnavailableError(store="redis"), ZeroDivisionError()])
@pytest.mark.parametrize("form", Format)
async def test_what_fails_later_never_looks_like_a_whole_document(
    api: Api, monkeypatch: pytest.MonkeyPatch, form: Format, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    await api.add(3)
    page, asked = api.pool.page, 0

    async def failing(cursor: str = "", limit: int = 1) -> Any:
        nonlocal asked
        asked += 1
        if asked > 2:
            raise error
        return await page(cursor, 1)

    monkeypatch.setattr(api.pool, "page", failing)
    with pytest.raises(aiohttp.ClientPayloadError):
        await get(api, f"?format={form}")
    assert "an export was cut" in caplog.text
    monkeypatch.undo()
    assert len((await get(api)).text.splitlines()) == 3


async def test_a_reader_who_goes_away_ends_the_work(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[int] = []

    async def endless(*args: object, **options: object) -> AsyncGenerator[Part, None]:
        parts = 0
        try:
            while True:
                parts += 1
                yield Part(b"x" * 65536, 1)
                await asyncio.sleep(0)
        finally:
            ended.append(parts)

    monkeypatch.setattr("service.web.routes.export.export", endless)
    url = api.client.make_url("/api/v1/export")
    headers = {"Authorization": f"Bearer {api.tokens[Role.SUPERADMIN]}"}
    async with api.client.session.get(url, headers=headers) as response:
        assert len(await response.content.readexactly(MANY)) == MANY
        assert ended == []
        response.close()
    await wait_until(lambda: ended, what="the export has ended")


async def test_a_slow_reader_is_waited_for(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    made = 0

    async def long(*args: object, **options: object) -> AsyncGenerator[Part, None]:
        nonlocal made
        while made < 1000:
            made += 1
            yield Part(b"x" * 65536, 1)

    monkeypatch.setattr("service.web.routes.export.export", long)
    url = api.client.make_url("/api/v1/export")
    headers = {"Authorization": f"Bearer {api.tokens[Role.SUPERADMIN]}"}
    async with api.client.session.get(url, headers=headers) as response:
        seen = -1
        while seen != made:  # until nothing more is made, though the event loop goes round
            seen = made
            for _ in range(100):
                await asyncio.sleep(0)
        assert 0 < made < 1000
        assert len(await response.read()) == 1000 * 65536
