"""The routes of the proxies."""

from __future__ import annotations

from typing import Any

import pytest

from service.audit import ProxyIds, ProxySearch
from service.control import byhand
from service.control.context import Context
from service.evolution.models import Observation
from service.evolution.simulator import Simulator
from service.models import Protocol
from service.pool.tokens import Role
from service.web.context import AUDIT
from service.web.models import rfc3339
from tests.helpers import wait_until
from tests.web.api import PASSWORD, Api, proxy


async def all_pages(api: Api, path: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor = ""
    while True:
        page = await api.get(f"{path}&cursor={cursor}")
        found += page["items"]
        cursor = page["nextCursor"]
        if cursor is None:
            return found


async def test_one_proxy_has_every_field_and_no_password(api: Api) -> None:
    [proxy_id] = await api.add(group="br", labels=("fast", "new"))
    body = await api.get(f"/proxies/{proxy_id}")
    assert body["password"] is None
    wanted = {
        "id": proxy_id,
        "host": "192.0.2.1",
        "port": 8080,
        "username": "user",
        "protocol": "http",
        "isUsed": False,
        "assignedInstanceName": None,
        "isActive": True,
        "status": "free",
        "group": "br",
        "labels": ["fast", "new"],
        "server": None,
        "phase": None,
        "availableAt": None,
        "expiresAt": None,
    }
    assert {name: body[name] for name in wanted} == wanted
    assert body["createdAt"].endswith("Z")


async def test_the_pages_together_hold_everything_once(api: Api) -> None:
    ids = await api.add(7)
    first = await api.get("/proxies?limit=3")
    assert (len(first["items"]), first["total"]) == (3, 7)
    assert sorted(item["id"] for item in await all_pages(api, "/proxies?limit=3")) == sorted(ids)
    last = await api.get("/proxies?limit=7")
    assert (len(last["items"]), last["nextCursor"]) == (7, None)


async def test_filters(api: Api, sim: Simulator) -> None:
    await api.add(3)
    [socks] = await api.add(1, protocol=Protocol.SOCKS5, group="br", username="special")
    sim.create("wa one", state="open")
    held = await api.assigned("wa one")
    await searchable(api, "wa%20one", 1)
    ids = {
        query: [item["id"] for item in await all_pages(api, f"/proxies?{query}")]
        for query in ("protocol=socks5", "group=br", "status=used", "q=SPECI", "q=wa%20one", "q=192.0.2.", "q=none")
    }
    assert ids["protocol=socks5"] == ids["group=br"] == ids["q=SPECI"] == [socks]
    assert ids["status=used"] == ids["q=wa%20one"] == [held["id"]]
    assert (len(ids["q=192.0.2."]), ids["q=none"]) == (4, [])
    totals = [(await api.get(f"/proxies?{query}"))["total"] for query in ("status=used", "group=br", "group=x", "q=x")]
    assert totals == [1, 1, 0, 0]


async def searchable(api: Api, text: str, count: int) -> None:
    """Returns when SQL finds so many."""

    async def found() -> bool:
        return len(await all_pages(api, f"/proxies?q={text}")) == count

    await wait_until(found, what=f"{count} proxies are found by {text}")


@pytest.mark.parametrize("sort", ["", "&sort=host"])
async def test_more_filters_live_and_from_sql(api: Api, sim: Simulator, sort: str) -> None:
    now = api.pool.clock.now()
    soon, late = proxy(1, expires_at=now + 3_600_000, labels=("fast",)), proxy(2, expires_at=now + 86_400_000)
    await api.pool.import_proxies([soon, late, proxy(3, labels=("faster",))], stamp="test", actor="cli:test")
    sim.create("wa one", state="open")
    held = await api.assigned("wa one")
    await searchable(api, "wa%20one", 1)
    for query, wanted in {
        "label=fast": [soon.id],
        "label=fas": [],
        "expiring=7200": [soon.id],
        "server=a": [held["id"]],
        "server=b": [],
        "label=fast&expiring=0": [],
    }.items():
        page = await api.get(f"/proxies?{query}{sort}")
        assert [item["id"] for item in page["items"]] == wanted, query
        assert (page["asOf"] is None) == (sort == "")


async def test_sorting_both_ways_and_on_from_a_page(api: Api) -> None:
    specs = [proxy(number, group=group) for number, group in ((1, "b"), (2, "c"), (3, "a"))]
    await api.pool.import_proxies(specs, stamp="test", actor="cli:test")
    await searchable(api, "192.0.2.", 3)
    by_group = [specs[2].id, specs[0].id, specs[1].id]
    for sort, wanted in (("group", by_group), ("-group", by_group[::-1]), ("host", [one.id for one in specs])):
        assert [item["id"] for item in await all_pages(api, f"/proxies?sort={sort}&limit=2")] == wanted


async def test_what_sql_finds_is_shown_as_it_is_now(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = await api.add(2)
    await searchable(api, "192.0.2.", 2)
    audit = api.client.app[AUDIT]
    search = audit.search

    async def changed_since(wanted: ProxySearch, *, after: str = "", limit: int) -> ProxyIds:
        found = await search(wanted, after=after, limit=limit)
        await api.pool.disable(first, reason="by_hand", actor="cli:test")
        await api.pool.remove(second, actor="cli:test")
        return found

    monkeypatch.setattr(type(audit), "search", lambda _, wanted, **given: changed_since(wanted, **given))
    page = await api.get("/proxies?sort=host")
    assert [(item["id"], item["status"]) for item in page["items"]] == [(first, "disabled")]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("sort=port", "sort"),
        ("sort=", "sort"),
        ("sort=--host", "sort"),
        ("sort=host&cursor=bm9uc2Vuc2U", "cursor"),
        ("expiring=-1", "expiring"),
        ("expiring=soon", "expiring"),
        ("label=%00", "label"),
        ("q=%00", "q"),
        ("server=" + "x" * 101, "server"),
    ],
)
async def test_searches_that_make_no_sense(api: Api, query: str, field: str) -> None:
    answer = await api.call("GET", f"/proxies?{query}", role=Role.VIEWER)
    assert (answer.status, answer.body["field"]) == (422, field)


async def test_one_request_looks_at_a_bounded_number(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.web.paging.EXAMINED", 4)
    monkeypatch.setattr("service.web.paging._STEP", 2)
    ids = sorted(await api.add(9))
    await api.pool.update(ids[-1], labels=["last"], actor="cli:test")
    page = await api.get("/proxies?label=last")
    assert (page["items"], page["total"]) == ([], None)
    assert page["nextCursor"] is not None
    assert [item["id"] for item in await all_pages(api, "/proxies?label=last")] == [ids[-1]]


@pytest.mark.parametrize(
    "query",
    [
        "status=fre",
        "protocol=ftp",
        "limit=0",
        "limit=501",
        "limit=x",
        "cursor=%20",
        "cursor=eA=",
        "stauts=free",
        "q=a&q=b",
    ],
)
async def test_bad_queries_name_the_parameter(api: Api, query: str) -> None:
    answer = await api.call("GET", f"/proxies?{query}")
    assert (answer.status, answer.body["field"]) == (422, query.partition("=")[0])


async def test_patch_keeps_what_it_does_not_name(api: Api) -> None:
    [proxy_id] = await api.add(group="br", labels=("fast",))
    answer = await api.call("PATCH", f"/proxies/{proxy_id}", {"expiresAt": "2099-01-01T00:00:00Z"})
    assert (answer.status, answer.body["expiresAt"]) == (200, "2099-01-01T00:00:00.000Z")
    assert (answer.body["group"], answer.body["labels"]) == ("br", ["fast"])
    answer = await api.call("PATCH", f"/proxies/{proxy_id}", {"group": "us", "labels": [], "expiresAt": None})
    assert (answer.body["group"], answer.body["labels"], answer.body["expiresAt"]) == ("us", [], None)
    assert (await api.call("PATCH", f"/proxies/{proxy_id}", {})).status == 200


async def test_patch_of_the_password(api: Api) -> None:
    [proxy_id] = await api.add()
    answer = await api.call("PATCH", f"/proxies/{proxy_id}", {"password": "another-one"})
    assert (answer.status, answer.body["password"]) == (200, None)
    assert await api.pool.reveal(proxy_id, actor="cli:test") == "another-one"


async def test_null_keeps_the_password_and_an_empty_text_clears_it(api: Api) -> None:
    [proxy_id] = await api.add()
    answer = await api.call("PATCH", f"/proxies/{proxy_id}", {"group": "x", "password": None})
    assert (answer.status, answer.body["group"]) == (200, "x")
    assert await api.pool.reveal(proxy_id, actor="cli:test") == PASSWORD
    assert (await api.call("PATCH", f"/proxies/{proxy_id}", {"password": ""})).status == 200
    assert await api.pool.reveal(proxy_id, actor="cli:test") == ""


async def test_labels_are_tidied(api: Api) -> None:
    [proxy_id] = await api.add()
    answer = await api.call("PATCH", f"/proxies/{proxy_id}", {"labels": [" a  b\t", "c", "a b"]})
    assert (answer.status, answer.body["labels"]) == (200, ["a b", "c"])
    answer = await api.call("PATCH", f"/proxies/{proxy_id}", {"labels": ["a", " "]})
    assert (answer.status, answer.body["field"]) == (422, "labels.1")


async def test_the_last_second_that_can_be_written(api: Api) -> None:
    [proxy_id] = await api.add()
    answer = await api.call("PATCH", f"/proxies/{proxy_id}", {"expiresAt": "9999-12-31T23:59:59Z"})
    assert (answer.status, answer.body["expiresAt"]) == (200, "9999-12-31T23:59:59.000Z")


@pytest.mark.parametrize(
    ("ms", "text"), [(1 << 60, "9999-12-31T23:59:59.000Z"), (-(1 << 60), "0001-01-01T00:00:00.000Z")]
)
async def test_a_time_beyond_all_years_breaks_no_list(api: Api, ms: int, text: str) -> None:
    await api.add(expires_at=ms)
    assert rfc3339(ms) == text
    [item] = (await api.get("/proxies"))["items"]
    assert item["expiresAt"] == text


async def test_if_match(api: Api) -> None:
    [proxy_id] = await api.add()
    seen = await api.call("GET", f"/proxies/{proxy_id}")
    etag = {"If-Match": seen.headers["ETag"]}
    changed = await api.call("PATCH", f"/proxies/{proxy_id}", {"group": "a"}, headers=etag)
    assert changed.status == 200
    now = changed.headers["ETag"]
    answer = await api.call("PATCH", f"/proxies/{proxy_id}", {"group": "b"}, headers=etag)
    assert (answer.status, answer.code) == (412, "rev_mismatch")
    for wrong in ('"x"', f"W/{now}", f'"x", W/{now}', f'{seen.headers["ETag"]}, "999"'):
        answer = await api.call("PATCH", f"/proxies/{proxy_id}", {"group": "b"}, headers={"If-Match": wrong})
        assert answer.status == 412
    for right in (f'"999", {now}', "*"):
        answer = await api.call("PATCH", f"/proxies/{proxy_id}", {"group": right}, headers={"If-Match": right})
        assert answer.status == 200, answer.text


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("none", b'{"group": ', 400),
        ("none", b'{"group": 5}', 422),
        ("none?x=1", b"{}", 422),
        ("none", b'{"host": "x"}', 422),
        ("none", b'{"group": "b"}', 404),
        ("{id}", b'{"group": 5}', 422),
        ("{id}", b'{"group": "b"}', 412),
        ("{id}", b"{}", 412),
    ],
)
async def test_412_comes_last(api: Api, path: str, body: bytes, status: int) -> None:
    [proxy_id] = await api.add()
    headers = {"If-Match": '"999"', "Content-Type": "application/json"}
    answer = await api.call("PATCH", f"/proxies/{path.format(id=proxy_id)}", data=body, headers=headers)
    assert answer.status == status
    assert (await api.get(f"/proxies/{proxy_id}"))["group"] == ""


@pytest.mark.parametrize("field", ["id", "protocol", "host", "port", "username"])
async def test_the_identity_is_immutable(api: Api, field: str) -> None:
    [proxy_id] = await api.add()
    answer = await api.call("PATCH", f"/proxies/{proxy_id}", {field: "x"})
    assert (answer.status, answer.code, answer.body["field"]) == (422, "immutable", field)


@pytest.mark.parametrize(
    "body",
    [
        {"group": "x" * 101},
        {"group": "a\nb"},
        {"labels": [f"x{number}" for number in range(17)]},
        {"labels": "x"},
        {"expiresAt": "tomorrow"},
        {"expiresAt": "2099-01-01T00:00:00"},
        {"expiresAt": 5},
        {"expiresAt": "2026"},
        {"expiresAt": "20990101T000000Z"},
        {"expiresAt": "9999-12-31T23:59:59-12:00"},
        {"expiresAt": "1960-01-01T00:00:00Z"},
        {"password": "ä" * 50},
        {"password": "\x00"},
        {"nonsense": 1},
    ],
)
async def test_bad_changes_name_the_field(api: Api, body: dict[str, object]) -> None:
    [proxy_id] = await api.add()
    answer = await api.call("PATCH", f"/proxies/{proxy_id}", body)
    assert (answer.status, answer.body["field"]) == (422, next(iter(body)))
    assert str(body.get("password", "none")) not in answer.text


async def test_delete(api: Api, sim: Simulator) -> None:
    [proxy_id] = await api.add()
    sim.create("one", state="open")
    await api.assigned("one")
    answer = await api.call("DELETE", f"/proxies/{proxy_id}")
    assert (answer.status, answer.code) == (409, "held")
    await api.call("DELETE", "/instances/one/proxy?force=true")
    assert (await api.call("DELETE", f"/proxies/{proxy_id}")).status == 204
    assert (await api.call("DELETE", f"/proxies/{proxy_id}")).code == "unknown_proxy"


async def test_disable_and_enable(api: Api) -> None:
    [proxy_id] = await api.add()
    answer = await api.call("POST", f"/proxies/{proxy_id}/disable")
    assert (answer.status, answer.body["status"], answer.body["isActive"]) == (200, "disabled", False)
    assert answer.body["disabledReason"] == "by_hand"
    answer = await api.call("POST", f"/proxies/{proxy_id}/enable", {})
    assert (answer.status, answer.body["status"], answer.body["disabledReason"]) == (200, "free", None)
    answer = await api.call("POST", f"/proxies/{proxy_id}/disable?force=perhaps")
    assert (answer.status, answer.body["field"]) == (422, "force")
    for what in ("disable", "enable"):
        assert (await api.call("POST", f"/proxies/none/{what}")).code == "unknown_proxy"
    assert (await api.call("POST", f"/proxies/{proxy_id}/disable", {"force": "yes"})).body["field"] == "force"


async def test_what_evolution_cannot_use_is_not_enabled(api: Api) -> None:
    [proxy_id] = await api.add(protocol=Protocol.HTTPS)
    answer = await api.call("POST", f"/proxies/{proxy_id}/enable")
    assert (answer.status, answer.code) == (409, "unusable")


@pytest.mark.parametrize("asked", ["", "?force=true"])
async def test_a_used_one_drains_or_is_moved_at_once(api: Api, sim: Simulator, asked: str) -> None:
    await api.add(2)
    sim.create("one", state="open")
    first = (await api.assigned("one"))["id"]
    answer = await api.call("POST", f"/proxies/{first}/disable")
    assert (answer.body["status"], answer.body["isActive"]) == ("used", False)
    body = None if asked else {"force": True}
    answer = await api.call("POST", f"/proxies/{first}/disable{asked}", body)
    assert (answer.status, answer.body["phase"]) == (200, "releasing")
    assert (await api.get("/instances/one"))["proxyId"] not in (None, first)

    async def gone() -> bool:
        return bool((await api.get(f"/proxies/{first}"))["status"] == "disabled")

    await wait_until(gone, what="the old proxy is let go")
    sim.assert_no_shared_exit()


async def test_who_was_moved_meanwhile_is_not_moved_again(
    api: Api, sim: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def look_late(context: Context, name: str) -> Observation:
        monkeypatch.setattr(byhand, "look", look)
        moved.append((await api.call("POST", "/instances/one/proxy/rotate")).body["id"])
        return await look(context, name)

    moved: list[str] = []
    look = byhand.look
    await api.add(3)
    sim.create("one", state="open")
    first = (await api.assigned("one"))["id"]
    monkeypatch.setattr(byhand, "look", look_late)
    answer = await api.call("POST", f"/proxies/{first}/disable?force=true")
    assert (answer.status, answer.code) == (409, "stale")
    assert (await api.get("/instances/one"))["proxyId"] == moved[0] != first
    assert not (await api.get(f"/proxies/{first}"))["isActive"]


async def test_only_revealing_shows_the_password_and_tells(api: Api) -> None:
    [proxy_id] = await api.add()
    answer = await api.call("POST", f"/proxies/{proxy_id}/reveal", role=Role.SUPERADMIN)
    assert (answer.status, answer.body["password"]) == (200, PASSWORD)
    [event] = await api.events("proxy.revealed")
    assert (event["proxy"], event["actor"]) == (proxy_id, "token:superadmin")
    assert PASSWORD not in str(event)
    assert (await api.call("POST", "/proxies/none/reveal", role=Role.SUPERADMIN)).code == "unknown_proxy"
    assert proxy().id == proxy_id
