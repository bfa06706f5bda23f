"""Proxies are found by all that is asked of them, in every order, and in pages each of them once."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from service.audit import ProxySearch
from service.errors import InvalidInputError
from service.mirror import search
from service.mirror.mirror import Mirror
from service.mirror.questions import Questions
from service.mirror.rows import Row
from service.pool.models import Evidence
from tests.lua.stage import Stage
from tests.mirror.proxies import AT, fill_proxies

COUNT = 150
COLUMNS = {
    "host": "host",
    "status": "status",
    "group": "group_name",
    "instance": "assigned_instance_name",
    "updatedAt": "updated_at",
    "expiresAt": "expires_at",
    "createdAt": "created_at",
}
WANTED: dict[str, dict[str, Any]] = {
    "all": {},
    "a status": {"status": "used"},
    "a protocol": {"protocol": "http"},
    "a group": {"group": "Århus"},
    "no group": {"group": ""},
    "a label": {"label": "Rio 1"},
    "a part of a label": {"label": "Rio"},
    "a server": {"server": "s1"},
    "inactive": {"active": False},
    "expiring": {"expires_before": AT + 2_500},
    "all at once": {"status": "used", "protocol": "socks5", "group": "us", "server": "s1", "active": True},
    "a text in another case": {"q": "SHOP 1"},
    "a text with an accent": {"q": "ÅRH"},
    "a label's text": {"q": "rio 1"},
    "an endpoint": {"q": "example.net:10"},
    "a text and a status": {"q": "user1", "status": "free"},
    "nothing": {"q": "nobody"},
}


@pytest.fixture
async def rows(engine: AsyncEngine) -> Sequence[Row]:
    return await fill_proxies(engine, COUNT)


@pytest.fixture(params=["few", "many"])
def matches(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if there were so few matches that they are found first, or so many that they are met in their order."""
    if request.param == "many":
        monkeypatch.setattr(search, "FEW", -1)
        monkeypatch.setattr(search, "EXAMINED", 40)


async def found(engine: AsyncEngine, wanted: ProxySearch, limit: int) -> list[str]:
    """The ids of all pages."""
    ids: list[str] = []
    after: str | None = ""
    for _ in range(1_000):
        page = await Questions(engine).search(wanted, after=after or "", limit=limit)
        assert len(page.ids) <= limit
        ids += page.ids
        if (after := page.following) is None:
            return ids
    raise AssertionError("the pages do not end")


def fits(row: Row, wanted: ProxySearch) -> bool:
    exact = {
        "status": wanted.status,
        "protocol": wanted.protocol,
        "group_name": wanted.group,
        "server": wanted.server,
        "is_active": wanted.active,
    }
    texts = [row["id"], f"{row['host']}:{row['port']}", row["username"], row["group_name"], *row["labels"]]
    texts.append(row["assigned_instance_name"] or "")
    return (
        all(value is None or row[name] == value for name, value in exact.items())
        and (wanted.label is None or wanted.label in row["labels"])
        and (wanted.expires_before is None or (row["expires_at"] or wanted.expires_before) < wanted.expires_before)
        and any(wanted.q.casefold() in text.casefold() for text in texts)
    )


@pytest.mark.usefixtures("matches")
async def test_every_filter_finds_what_fits(engine: AsyncEngine, rows: Sequence[Row]) -> None:
    for name, wanted in WANTED.items():
        asked = ProxySearch(**wanted)
        ids = await found(engine, asked, limit=70)
        assert sorted(ids) == sorted(row["id"] for row in rows if fits(row, asked)), name


@pytest.mark.usefixtures("matches")
async def test_pages_of_any_size_are_in_one_order(engine: AsyncEngine, rows: Sequence[Row]) -> None:
    """Which of two texts comes first is the database's; that of two moments is not, nor that of two ids."""
    by_id = {row["id"]: row for row in rows}
    for sort, column in COLUMNS.items():
        for filters in ({}, {"q": "user1"}):
            up = search_for(filters, sort)
            whole = await found(engine, up, limit=COUNT)
            assert sorted(whole) == sorted(row["id"] for row in rows if fits(row, up))
            values = [by_id[one][column] for one in whole]
            there = [value for value in values if value is not None]
            assert values == there + [None] * (len(values) - len(there)), sort
            assert len(set(there)) == 1 + sum(one != other for one, other in pairwise(there)), sort
            assert all(by_id[a][column] != by_id[b][column] or a < b for a, b in pairwise(whole)), sort
            if sort.endswith("At"):
                assert there == sorted(there)
            assert await found(engine, up, limit=19) == whole
            down = await found(engine, search_for(filters, f"-{sort}"), limit=33)
            assert down == whole[: len(there)][::-1] + whole[len(there) :][::-1], sort


def search_for(filters: dict[str, Any], sort: Any) -> ProxySearch:
    return ProxySearch(**filters, sort=sort)


async def test_a_page_that_ends_where_the_values_end_knows_of_the_rest(
    engine: AsyncEngine, rows: Sequence[Row]
) -> None:
    held = sum(row["assigned_instance_name"] is not None for row in rows)
    first = await Questions(engine).search(ProxySearch(sort="instance"), limit=held)
    assert first.following is not None
    second = await Questions(engine).search(ProxySearch(sort="instance"), after=first.following, limit=COUNT)
    assert (len(first.ids), len(second.ids), second.following) == (held, len(rows) - held, None)
    only = await Questions(engine).search(ProxySearch(status="used", sort="instance"), limit=held)
    assert (len(only.ids), only.following, only.total) == (held, None, held)


@pytest.mark.usefixtures("rows")
async def test_a_text_is_taken_as_it_is_written(engine: AsyncEngine) -> None:
    for q in ("%", "_", "/", "'", "user_1", "\\", "\n\n"):
        assert (await Questions(engine).search(ProxySearch(q=q), limit=5)).ids == [], q


async def test_few_are_counted(engine: AsyncEngine, rows: Sequence[Row]) -> None:
    counted = await Questions(engine).search(ProxySearch(status="used"), limit=3)
    assert counted.total == sum(row["is_used"] for row in rows)
    assert (await Questions(engine).search(ProxySearch(), limit=3)).total is None


async def test_a_cursor_that_was_never_given_out(engine: AsyncEngine) -> None:
    wrong: dict[Any, Sequence[str]] = {
        "host": ["x", "[]", '["a"]', '["a","b","c"]', '{"a":1,"b":2}', '[1,"b"]', '["a",1]', '[null,"b"]'],
        "-host": ['["\\u0000","b"]', '["a","\\u0000"]', '["\\ud800","b"]'],
        "updatedAt": ['["a","b"]', '[-9000000000000000000,"b"]', '[1e300,"b"]', '[true,"b"]', '[null,"b"]'],
    }
    for sort, cursors in wrong.items():
        for cursor in cursors:
            with pytest.raises(InvalidInputError):
                await Questions(engine).search(ProxySearch(sort=sort), after=cursor, limit=5)
    far = await Questions(engine).search(ProxySearch(sort="updatedAt"), after='[18446744073709551615,"b"]', limit=5)
    assert far.ids == []


@pytest.mark.redis
async def test_what_happens_in_the_pool_can_be_found(stage: Stage, mirror: Mirror, engine: AsyncEngine) -> None:
    ids = await stage.add(3)
    lease = await stage.active(name="Shop Ünal")
    await mirror.catch_up()
    holder = await Questions(engine).search(ProxySearch(q="shop ünal"), limit=5)
    assert holder.ids == [lease.proxy_id]
    await stage.pool.finish_release(lease, Evidence.GONE)
    gone, *stay = [one for one in ids if one != lease.proxy_id]
    await stage.pool.remove(gone, actor="cli:ana")
    await mirror.catch_up()
    left = await Questions(engine).search(ProxySearch(), limit=5)
    assert sorted(left.ids) == sorted([lease.proxy_id, *stay])
    assert left.position > holder.position
    assert (await Questions(engine).search(ProxySearch(q="shop ünal"), limit=5)).ids == []
    assert (await Questions(engine).search(ProxySearch(status="removed"), limit=5)).ids == []
