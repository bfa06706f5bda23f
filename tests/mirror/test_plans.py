"""Each question is answered by an index, whatever the database, and none by looking at all rows."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from service.audit import EventFilter, LedgerFilter, ProxySearch, ProxySort
from service.mirror import search
from service.mirror.ledger import held
from service.mirror.mending import _wrong
from service.mirror.questions import Questions
from tests.mirror.fill import AT, EVERY_MS, fill_events, fill_ledger, fill_stats
from tests.mirror.plans import asked, indexes
from tests.mirror.proxies import fill_proxies

EVENTS, TENANCIES = 40_000, 20_000
SOME, LATER = AT + 10_000 * EVERY_MS, AT + 30_000 * EVERY_MS
PLACE = {"whole mirror_position"}
"""One row."""

QUESTIONS: dict[str, tuple[dict[str, Any], set[str]]] = {
    "all": ({}, {"number"}),
    "instance": ({"instance": "id-7"}, {"instance", "name", "number"}),
    "name": ({"instance": "shop 7"}, {"instance", "name", "number"}),
    "proxy": ({"proxy": f"{7:020x}"}, {"proxy"}),
    "human": ({"actor": "cli:ana"}, {"actor"}),
    "policy": ({"actor": "auto"}, {"actor", "number"}),  # as half of all rows are its
    "type": ({"type": "token.created"}, {"type"}),
    "prefix": ({"type": "token."}, {"type", "number"}),
    "level": ({"level": "error"}, {"level"}),
    "at least": ({"min_level": "warning"}, {"level", "number"}),
    "at least, common": ({"min_level": "info"}, {"level", "number"}),
    "id": ({"id": "1-7"}, {"id", "proxy_events_id_key", "primary"}),  # as its databases name what is unique
    "time": ({"since": SOME, "until": LATER}, {"at", "number"}),
    "proxy in time": ({"proxy": f"{7:020x}", "since": SOME, "until": LATER}, {"at", "proxy"}),
    "policy in time": ({"actor": "auto", "since": SOME, "until": LATER}, {"at", "actor", "number"}),
    "type of an instance": ({"instance": "id-7", "type": "lease.down"}, {"instance", "name", "number"}),
    "prefix of a human": ({"actor": "cli:ana", "type": "token."}, {"actor", "type"}),
    "errors of a server": ({"level": "error", "server": "s1"}, {"level"}),
    "server": ({"server": "s1"}, {"number"}),
}


def short(index: str) -> str:
    """Without what every name begins with; the databases name their primary keys in ways of their own."""
    if index.startswith("whole"):
        return index
    primary = index.lower() == "primary" or index.endswith("_pkey") or index.startswith("sqlite_autoindex")
    return "primary" if primary else index.removeprefix("ix_proxy_events_").removeprefix("ix_proxy_ledger_")


async def test_every_question_has_its_index(engine: AsyncEngine) -> None:
    await fill_events(engine, EVENTS)
    await fill_ledger(engine, TENANCIES)
    await fill_stats(engine, days=30)
    await assert_events_have_theirs(engine)
    await assert_the_ledger_has_its_own(engine)
    await assert_what_has_not_ended_is_found_by_one(engine)
    await assert_the_history_has_its_key(engine)


async def assert_events_have_theirs(filled: AsyncEngine) -> None:
    questions = Questions(filled)
    for name, (wanted, expected) in QUESTIONS.items():
        with asked(filled) as statements:
            page = await questions.events(EventFilter(**wanted), limit=50)
        if page.following:
            with asked(filled) as more:
                await questions.events(EventFilter(**wanted), before=page.following, limit=50)
            statements += more
        assert len(statements) <= 10
        used = {short(index) for index in await indexes(filled, statements)} - PLACE
        assert used <= expected, (name, used)
        assert used, name


async def assert_the_ledger_has_its_own(filled: AsyncEngine) -> None:
    questions = Questions(filled)
    for wanted, expected in (
        ({"instance": "id-7"}, {"primary", "instance", "name"}),
        ({"instance": "shop 7"}, {"primary", "instance", "name"}),
        ({"proxy": f"{7:020x}"}, {"primary"}),
        ({"proxy": f"{7:020x}", "since": AT + 3_600_000, "until": AT + 7_200_000}, {"primary"}),
        ({"instance": "id-7", "proxy": f"{7:020x}", "server": "s1"}, {"primary", "instance", "name"}),
    ):
        with asked(filled) as statements:
            await questions.ledger(LedgerFilter(**wanted), limit=2)
        statements = [one for one in statements if "proxies_tables" not in one[0]]
        used = {short(index) for index in await indexes(filled, statements)} - PLACE
        assert used <= expected, (wanted, used)
        assert used, wanted


async def assert_what_has_not_ended_is_found_by_one(filled: AsyncEngine) -> None:
    with asked(filled) as statements:
        async with filled.connect() as connection:
            assert len(await held(connection, {f"{number:020x}" for number in range(500, 1_000)})) > 50
            await _wrong(connection)
    used = {short(index) for index in await indexes(filled, statements)}
    assert "whole proxy_ledger" not in used
    assert "ended_at" in used


async def assert_the_history_has_its_key(filled: AsyncEngine) -> None:
    with asked(filled) as statements:
        await Questions(filled).history(AT - 86_400_000, AT, 600)
    assert {short(index) for index in await indexes(filled, statements)} == {"primary"}


async def test_each_order_of_proxies_has_its_index(engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    await fill_proxies(engine, 10_000)
    monkeypatch.setattr(search, "EXAMINED", 1_000)  # as large a part as of 100,000
    columns = {"group": "group_name", "instance": "assigned_instance_name"}
    columns |= {"updatedAt": "updated_at", "expiresAt": "expires_at", "createdAt": "created_at"}
    for sort in get_args(ProxySort):
        name = sort.removeprefix("-")
        for status in (None, "free") if name != "status" else (None,):  # of which there are many
            wanted = ProxySearch(status=status, sort=sort)
            with asked(engine) as statements:
                page = await Questions(engine).search(wanted, limit=50)
                assert page.following
                await Questions(engine).search(wanted, after=page.following, limit=50)
            ordered = [one for one in statements if "ORDER BY" in one[0]]
            used = {short(index) for index in await indexes(engine, ordered)}
            assert used == {f"ix_proxies_tables_{columns.get(name, name)}"}, (sort, status, used)


@pytest.mark.parametrize("database_url", ["sqlite", pytest.param("mariadb", marks=pytest.mark.mariadb)], indirect=True)
async def test_what_a_search_looks_at_is_in_one_index(engine: AsyncEngine) -> None:
    """PostgreSQL counts its rows, and of so few it has the whole table as soon."""
    await fill_proxies(engine, 10_000)
    for wanted in ({"q": "nobody"}, {"q": "nobody", "status": "free"}, {"protocol": "https"}, {"active": False}):
        with asked(engine) as statements:
            await Questions(engine).search(ProxySearch(**wanted), limit=50)
        finding = [one for one in statements if "ORDER BY" not in one[0]]
        used = {short(index) for index in await indexes(engine, finding)} - PLACE
        assert used == {"ix_proxies_tables_search"}, (wanted, used)
