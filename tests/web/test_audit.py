"""The audit by HTTP: events, the ledger, the history, from SQL that follows the pool."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import pytest
from sqlalchemy import text

from service.evolution.simulator import Simulator
from service.mirror.database import open_database, url_of
from service.mirror.mirror import Mirror
from service.mirror.snapshots import Snapshots
from service.pool.models import Evidence
from service.web.context import AUDIT, MIRROR, SETTINGS
from service.web.models import rfc3339
from tests.web.api import PASSWORD, Answer, Api


@pytest.fixture
async def mirror(api: Api) -> AsyncIterator[Mirror]:
    """Follows the pool of ``api`` into the database that it answers from, when the test says so and only then."""
    for loop in api.client.app[MIRROR].loops:
        await loop.stop()
    async with open_database(url_of(api.client.app[SETTINGS])) as engine:
        yield Mirror(api.pool, engine)


async def ask(api: Api, path: str, **query: object) -> Answer:
    text = "&".join(f"{name}={quote(str(value), safe='')}" for name, value in query.items())
    return await api.call("GET", f"{path}?{text}")


async def found(api: Api, path: str, **query: object) -> Any:
    answer = await ask(api, path, **query)
    assert answer.status == 200, answer.text
    return answer.body


JOINED = "\N{WOMAN}\N{ZERO WIDTH JOINER}\N{WRENCH} loja"
"""Evolution takes such names; to Python they are not printable."""


async def test_whatever_an_instance_is_called(api: Api, mirror: Mirror, sim: Simulator) -> None:
    await api.add()
    sim.create(JOINED, state="close")
    await api.assigned(JOINED)
    await mirror.catch_up()
    for path in ("/events", "/ledger"):
        assert {one["name"] for one in (await found(api, path, instance=JOINED))["items"]} == {JOINED}
    assert [one["name"] for one in (await found(api, "/instances", q=JOINED[:3]))["items"]] == [JOINED]
    assert len((await found(api, "/proxies", group="", q="192.0.2", server="a"))["items"]) == 1
    body = {"action": "rotate", "names": [JOINED], "dryRun": True}
    assert (await api.call("POST", "/instances/bulk", body)).body["willChange"] == 1


async def test_events_newest_first_with_what_their_scripts_said(api: Api, mirror: Mirror, sim: Simulator) -> None:
    [proxy_id] = await api.add()
    sim.create("shop")
    await api.assigned("shop")
    await mirror.catch_up()
    page = await found(api, "/events", instance="shop")
    assert page["total"] is None
    assert page["items"] == sorted(page["items"], key=lambda event: -int(event["id"].partition("-")[2]))
    [reserved] = [event for event in page["items"] if event["type"] == "lease.reserved"]
    assert (reserved["level"], reserved["reservationId"]) == ("info", None)
    assert reserved["actor"] == "token:the-admin"
    assert (reserved["proxyId"], reserved["server"], reserved["name"]) == (proxy_id, "a", "shop")
    assert reserved["instanceId"] == (await api.get("/instances/shop"))["id"]
    assert reserved["reason"]
    assert reserved["at"].endswith("Z")
    assert {"chosen", "counts"} <= reserved["data"].keys()
    assert not any("_" in name for event in page["items"] for name in event["data"])
    by_id = await found(api, "/events", instance=reserved["instanceId"])
    assert {event["id"] for event in by_id["items"]} >= {event["id"] for event in page["items"]}
    assert PASSWORD not in "".join(answer.text for answer in api.answers)


@pytest.mark.parametrize(
    ("query", "types"),
    [
        ({"type": "proxy.added"}, {"proxy.added"}),
        ({"type": "pool."}, {"pool.created", "pool.paused", "pool.resumed"}),
        ({"actor": "token:the-admin"}, {"pool.paused", "pool.resumed"}),
        ({"level": "warning", "type": "token."}, {"token.created"}),
        ({"minLevel": "warning"}, {"token.created", "pool.paused", "pool.resumed"}),
        ({"minLevel": "debug", "type": "proxy."}, {"proxy.added"}),
        ({"minLevel": "error"}, set()),
        ({"minLevel": "warning", "level": "info"}, set()),
        ({"server": "nowhere"}, set()),
    ],
)
async def test_events_by_what_they_are(api: Api, mirror: Mirror, query: dict[str, str], types: set[str]) -> None:
    await api.add(2)
    for path in ("/pause", "/resume"):
        assert (await api.call("POST", path)).status == 200
    await mirror.catch_up()
    page = await found(api, "/events", **query, limit=500)
    assert {event["type"] for event in page["items"]} == types


async def test_one_event_by_its_id(api: Api, mirror: Mirror) -> None:
    await api.add(2)
    await mirror.catch_up()
    [event, _] = (await found(api, "/events", type="proxy.added"))["items"]
    page = await found(api, "/events", id=event["id"])
    assert (page["items"], page["nextCursor"]) == ([event], None)
    assert (await found(api, "/events", id=event["id"], type="token."))["items"] == []
    assert (await found(api, "/events", id="1-1"))["items"] == []


async def test_a_cursor_goes_on_where_the_page_ended_while_events_are_added(api: Api, mirror: Mirror) -> None:
    ids = await api.add(5)
    await mirror.catch_up()
    cursor: str | None = ""
    seen: list[str] = []
    while cursor is not None:
        page = await found(api, "/events", type="proxy.added", limit=2, cursor=cursor)
        seen += [event["proxyId"] for event in page["items"]]
        cursor = page["nextCursor"]
        await api.call("POST", "/proxies/import", data=b"198.51.100.7:1:u:p", headers={"Content-Type": "text/plain"})
        await mirror.catch_up()
    assert seen == ids[::-1]


async def test_a_range_of_time(api: Api, mirror: Mirror) -> None:
    await api.add(1)
    await mirror.catch_up()
    [event] = (await found(api, "/events", type="proxy.added"))["items"]
    before = {"from": "2020-01-01T00:00:00+03:00", "to": event["at"]}
    assert (await found(api, "/events", type="proxy.added", **before))["items"] == []
    assert (await found(api, "/events", type="proxy.added", **{"from": event["at"]}))["items"] == [event]


async def test_as_of_is_when_what_is_missing_began(api: Api, mirror: Mirror) -> None:
    await mirror.catch_up()
    page = await found(api, "/events")
    assert page["items"][0]["at"] <= page["asOf"]
    await api.pool.pause(paused=True, actor="cli:ana")
    [paused] = await api.events("pool.paused")
    page = await found(api, "/events")
    assert page["asOf"] == rfc3339(int(paused["at"]))
    assert not [event for event in page["items"] if event["type"] == "pool.paused"]


async def test_the_ledger_of_a_proxy_and_of_an_instance(api: Api, mirror: Mirror, sim: Simulator) -> None:
    [proxy_id] = await api.add()
    sim.create("shop")
    await api.assigned("shop")
    await mirror.catch_up()
    [entry] = (await found(api, "/ledger", proxyId=proxy_id))["items"]
    assert entry["began"]["event"] == "lease.reserved"
    assert entry["began"]["actor"] == "token:the-admin"
    assert (entry["host"], entry["port"], entry["protocol"]) == ("192.0.2.1", 8080, "http")
    assert (entry["server"], entry["name"], entry["to"]) == ("a", "shop", None)
    assert entry["activeFrom"] >= entry["from"]
    lease = await api.pool.lease(proxy_id)
    assert lease is not None
    await api.pool.finish_release(lease, Evidence.FORCED, actor="cli:ana")
    await mirror.catch_up()
    page = await found(api, "/ledger", instance="shop", server="a")
    [entry] = [one for one in page["items"] if one["to"]]
    assert entry["ended"] == {"event": "lease.released", "actor": "cli:ana", "reason": "forced", "evidence": "forced"}
    assert page["asOf"]
    assert page["total"] is None
    assert (await found(api, "/ledger", instance="shop", server="b"))["items"] == []


async def test_a_reservation_in_the_ledger(api: Api, mirror: Mirror) -> None:
    [proxy_id] = await api.add()
    made = await api.call("POST", "/reservations", {"server": "a", "instance": "shop", "ttl": 120})
    assert made.status == 201, made.text
    await mirror.catch_up()
    [entry] = (await found(api, "/ledger", proxyId=proxy_id))["items"]
    assert (entry["instanceId"], entry["reservationId"]) == (None, made.body["reservationId"])
    assert (entry["name"], entry["began"]["event"], entry["ended"]) == ("shop", "reservation.made", None)


async def test_the_history_has_the_figures_of_stats(api: Api, mirror: Mirror) -> None:
    await api.add(3)
    await Snapshots(mirror, 1).take()
    history = await api.get("/stats/history")
    assert history.keys() == {"from", "to", "step", "points"}
    assert history["step"] == 174  # a day in 500 points at most
    point = history["points"][-1]
    stats = await api.get("/stats")
    for name in point.keys() - {"at", "mirrorLag"}:
        assert point[name] == stats[name], name
    assert history["from"] < point["at"] < history["to"]


async def test_the_history_of_a_group_has_its_counts(api: Api, mirror: Mirror) -> None:
    await api.add(3, group="br")
    await api.add(4)  # one more
    await Snapshots(mirror, 1).take()
    for group in ("br", ""):
        [*_, point] = (await found(api, "/stats/history", group=group))["points"]
        counts = (await api.get("/stats"))["groups"][group]
        assert point == {"at": point["at"], **counts}
    assert (await found(api, "/stats/history", group="none"))["points"] == []


BAD = [
    ("/events", {"instance": ""}, "instance"),
    ("/events", {"instance": "a\0b"}, "instance"),
    ("/events", {"instance": "x" * 256}, "instance"),
    ("/events", {"server": "x" * 101}, "server"),
    ("/events", {"proxyId": ""}, "proxyId"),
    ("/events", {"actor": "\x1b"}, "actor"),
    ("/events", {"type": "lease"}, "type"),
    ("/events", {"id": "1"}, "id"),
    ("/events", {"id": "1-1\n"}, "id"),
    ("/events", {"minLevel": "fatal"}, "minLevel"),
    ("/stats/history", {"group": "x" * 101}, "group"),
    ("/events", {"type": "%"}, "type"),
    ("/events", {"type": "lease.reserved\n"}, "type"),
    ("/events", {"level": "fatal"}, "level"),
    ("/events", {"from": "yesterday"}, "from"),
    ("/events", {"from": "2026-01-31"}, "from"),
    ("/events", {"from": "2026-01-31T12:00:00"}, "from"),
    ("/events", {"to": "1969-01-01T00:00:00Z"}, "to"),
    ("/events", {"from": "2026-01-31T12:00:00Z", "to": "2026-01-31T12:00:00Z"}, "to"),
    ("/events", {"limit": "0"}, "limit"),
    ("/events", {"limit": "501"}, "limit"),
    ("/events", {"cursor": "MQ=="}, "cursor"),
    ("/events", {"cursor": "eA"}, "cursor"),
    ("/events", {"since": "2026-01-31T12:00:00Z"}, "since"),
    ("/events", {"proxy": "x"}, "proxy"),
    ("/ledger", {}, "instance"),
    ("/ledger", {"server": "a"}, "instance"),
    ("/ledger", {"instance": "x", "type": "lease."}, "type"),
    ("/ledger", {"proxyId": "x", "cursor": "eA"}, "cursor"),
    ("/ledger", {"proxyId": "x", "from": "2027-01-01T00:00:00Z", "to": "2026-01-01T00:00:00Z"}, "to"),
    ("/stats/history", {"step": "0"}, "step"),
    ("/stats/history", {"step": "31536001"}, "step"),
    ("/stats/history", {"step": "1.5"}, "step"),
    ("/stats/history", {"from": "9000-01-01T00:00:00Z"}, "from"),
    ("/stats/history", {"from": "2027-01-01T00:00:00Z", "to": "2026-01-01T00:00:00Z"}, "to"),
    ("/stats/history", {"limit": "5"}, "limit"),
]


@pytest.mark.parametrize(("path", "query", "field"), BAD)
async def test_bad_input_names_its_field(api: Api, path: str, query: dict[str, str], field: str) -> None:
    answer = await ask(api, path, **query)
    assert (answer.status, answer.code, answer.body["field"]) == (422, "invalid", field), answer.text
    assert answer.body["reason"]


async def test_a_range_of_all_times_is_answered(api: Api, mirror: Mirror) -> None:
    await mirror.catch_up()
    await Snapshots(mirror, 1).take()
    everything = {"from": "1970-01-01T00:00:00Z", "to": "9999-12-31T23:59:59Z"}
    assert len((await found(api, "/stats/history", **everything, step=1))["points"]) == 1
    assert (await found(api, "/events", **everything, limit=1))["items"]
    assert (await found(api, "/ledger", **everything, proxyId="none"))["items"] == []


@pytest.mark.parametrize(
    "path", ["/events", "/ledger?proxyId=x", "/stats/history", "/proxies?sort=-host", "/proxies?q=x"]
)
async def test_a_sql_that_is_gone_costs_these_answers_and_no_others(
    api: Api, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_database("postgresql://u:geheim@127.0.0.1:1/x") as absent:
        with monkeypatch.context() as gone:
            gone.setattr(api.client.app[AUDIT], "_engine", absent)
            answer = await api.call("GET", path)
            assert (await api.call("GET", "/stats")).status == 200
    assert (answer.status, answer.code) == (503, "store_unavailable")
    assert "Retry-After" in answer.headers
    assert "sql" in answer.body["detail"]
    assert "geheim" not in answer.text
    assert (await api.call("GET", path)).status == 200


async def test_a_table_that_somebody_dropped_is_told(api: Api, mirror: Mirror) -> None:
    async with mirror.engine.execution_options(writes=True).begin() as connection:
        await connection.execute(text("DROP TABLE proxy_events"))
    answer = await api.call("GET", "/events")
    assert (answer.status, answer.code) == (503, "database_refused")
