"""Idempotency-Key: a request that is sent twice changes nothing the second time and is answered the same."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from service.evolution.simulator import Simulator
from service.pool.tokens import Role
from service.web.replay import TURNS
from tests.web.api import Api, lines, proxy

KEY = {"Idempotency-Key": "once"}
TEXT = {**KEY, "Content-Type": "text/plain"}


async def test_an_assignment(api: Api, sim: Simulator) -> None:
    await api.add(2)
    sim.create("one")
    first, second = [await api.call("POST", "/instances/one/proxy", headers=KEY) for _ in range(2)]
    assert (first.status, second.status, first.body) == (201, 201, second.body)
    assert second.headers["Idempotency-Replayed"] == "true"
    assert len(sim.calls.to("proxy/set")) == 1
    assert (await api.call("POST", "/instances/one/proxy")).status == 200


async def test_a_refused_assignment_tries_no_other_proxy(api: Api, sim: Simulator) -> None:
    await api.add(2)
    sim.create("one")
    sim.warts.invalid_proxy = True
    first = await api.call("POST", "/instances/one/proxy", headers=KEY)
    sim.warts.invalid_proxy = False
    second = await api.call("POST", "/instances/one/proxy", headers=KEY)
    assert (first.status, second.status, first.text) == (502, 502, second.text)
    assert (await api.call("POST", "/instances/one/proxy", headers={"Idempotency-Key": "twice"})).status == 201


async def test_what_changed_nothing_may_be_asked_again(api: Api, sim: Simulator) -> None:
    await api.add()
    assert (await api.call("POST", "/instances/one/proxy", headers=KEY)).code == "unknown_instance"
    sim.create("one")
    assert (await api.call("POST", "/instances/one/proxy", headers=KEY)).status == 201


async def test_a_rotation(api: Api, sim: Simulator) -> None:
    await api.add(3)
    sim.create("one", state="open")
    await api.assigned("one")
    first, second = [await api.call("POST", "/instances/one/proxy/rotate", headers=KEY) for _ in range(2)]
    assert (first.status, first.body) == (second.status, second.body)
    assert len(await api.events("lease.rotated")) <= 1
    assert (await api.get("/instances/one"))["proxyId"] == first.body["id"]


async def test_an_import(api: Api) -> None:
    headers = {**KEY, "Content-Type": "text/plain"}
    answers = [await api.call("POST", "/proxies/import", data=lines([proxy()]), headers=headers) for _ in range(2)]
    assert [answer.body["added"] for answer in answers] == [1, 1]
    assert len(await api.events("proxy.added")) == 1


async def test_the_answer_is_the_same_down_to_its_headers(api: Api) -> None:
    [proxy_id] = await api.add()
    first, second = [await api.call("POST", f"/proxies/{proxy_id}/disable", headers=KEY) for _ in range(2)]
    assert "Idempotency-Replayed" in second.headers
    for name in ("Content-Type", "ETag", "Cache-Control"):
        assert first.headers[name] == second.headers[name]


async def test_another_body_under_the_same_key_is_refused(api: Api) -> None:
    [proxy_id] = await api.add()
    path = f"/proxies/{proxy_id}/disable"
    for body, status in (({"force": False}, 200), ({"force": True}, 409), ({"force": False}, 200)):
        answer = await api.call("POST", path, body, headers=KEY)
        assert answer.status == status
        assert status == 200 or answer.code == "idempotency_key_reused"


async def test_another_file_under_the_same_key_is_refused(api: Api) -> None:
    headers = {**KEY, "Content-Type": "text/plain"}
    for number, status in ((1, 200), (2, 409), (1, 200)):
        answer = await api.call("POST", "/proxies/import", data=lines([proxy(number)]), headers=headers)
        assert answer.status == status
        assert status == 200 or answer.code == "idempotency_key_reused"
    assert (await api.get("/stats"))["total"] == 1


async def test_the_key_belongs_to_its_caller_and_route(api: Api) -> None:
    [proxy_id, other] = await api.add(2)
    await api.call("POST", f"/proxies/{proxy_id}/disable", headers=KEY)
    assert (await api.call("POST", f"/proxies/{other}/disable", headers=KEY)).body["id"] == other
    await api.call("POST", f"/proxies/{proxy_id}/enable")
    again = await api.call("POST", f"/proxies/{proxy_id}/disable", role=Role.SUPERADMIN, headers=KEY)
    assert "Idempotency-Replayed" not in again.headers


def reservation(name: str) -> dict[str, Any]:
    return {"server": "a", "instance": name}


async def test_a_reservation_is_found_again_and_another_is_refused(api: Api) -> None:
    await api.add(3)
    first, other, again = [
        await api.call("POST", "/reservations", reservation(name), headers=KEY) for name in ("one", "two", "one")
    ]
    assert (first.status, again.status, first.body) == (201, 201, again.body)
    assert (other.status, other.code) == (409, "idempotency_key_reused")
    assert len(await api.events("reservation.made")) == 1


async def test_a_reservation_that_is_over_is_not_made_again(api: Api) -> None:
    await api.add(2)
    made = (await api.call("POST", "/reservations", reservation("one"), headers=KEY)).body
    assert (await api.call("DELETE", f"/reservations/{made['reservationId']}")).status == 204
    again = await api.call("POST", "/reservations", reservation("one"), headers=KEY)
    assert (again.status, again.code) == (404, "no_reservation")
    assert len(await api.events("reservation.made")) == 1


async def test_what_another_process_reserves_is_not_given_away(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has not answered yet, so that nothing tells of its body."""

    async def forget(*_: object) -> None:
        pass

    monkeypatch.setattr(api.pool, "keep_answer", forget)
    await api.add(2)
    made = [await api.call("POST", "/reservations", reservation(name), headers=KEY) for name in ("one", "two")]
    assert made[0].body["proxy"]["id"] != made[1].body["proxy"]["id"]


async def test_what_holds_a_secret_is_not_kept(api: Api) -> None:
    [proxy_id] = await api.add()
    path = f"/proxies/{proxy_id}/reveal"
    for _ in range(2):
        assert (await api.call("POST", path, role=Role.SUPERADMIN, headers=KEY)).body["password"]
    assert len(await api.events("proxy.revealed")) == 2
    operations = await api.pool.redis.keys(api.pool.keys.named("op:*"))
    kept = [await api.pool.redis.lrange(key, 0, -1) for key in operations]
    assert proxy().password not in str(kept)
    made = [
        await api.call("POST", "/tokens", {"name": "x", "role": "viewer"}, role=Role.SUPERADMIN, headers=KEY)
        for _ in range(2)
    ]
    assert [answer.status for answer in made] == [201, 409]


async def test_repetitions_at_the_same_time_are_done_once_and_answered_the_same(api: Api, sim: Simulator) -> None:
    await api.add(4)
    sim.create("one")
    asked = (api.call("POST", "/instances/one/proxy", headers=KEY) for _ in range(4))
    first, *others = await asyncio.gather(*asked)
    assert [(one.status, one.text) for one in others] == [(201, first.text)] * 3
    assert (len(sim.calls.to("proxy/set")), len(await api.events("lease.reserved"))) == (1, 1)


async def test_another_body_at_the_same_time_is_refused(api: Api) -> None:
    bodies = [{"action": action, "ids": ["none"]} for action in ("disable", "enable")]
    found = await asyncio.gather(*(api.call("POST", "/proxies/bulk", body, headers=KEY) for body in bodies))
    assert sorted(one.status for one in found) == [202, 409]
    assert [one.code for one in found if one.status == 409] == ["idempotency_key_reused"]
    assert len(await api.pool.jobs()) == 1


async def test_another_file_at_the_same_time_is_refused(api: Api) -> None:
    files = [lines([proxy(number)]) for number in (1, 2)]
    found = await asyncio.gather(*(api.call("POST", "/proxies/import", data=one, headers=TEXT) for one in files))
    assert sorted(one.status for one in found) == [200, 409]
    assert [one.code for one in found if one.status == 409] == ["idempotency_key_reused"]
    assert (await api.get("/stats"))["total"] == 1


async def test_another_body_in_another_process_is_refused(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which begins it before this one does, and has not answered yet."""

    async def begun_elsewhere(job_id: str, *, task: str, **asked: Any) -> None:
        await create("theirs", task="{}", **asked)
        await create(job_id, task=task, **asked)

    create = api.pool.create_job
    monkeypatch.setattr(api.pool, "create_job", begun_elsewhere)
    answer = await api.call("POST", "/proxies/bulk", {"action": "disable", "ids": ["none"]}, headers=KEY)
    assert (answer.status, answer.code) == (409, "idempotency_key_reused")


async def test_no_turn_is_kept_when_nobody_waits(api: Api) -> None:
    for _ in range(2):
        assert (await api.call("POST", "/pause", headers=KEY)).status == 200
    assert len(api.client.app[TURNS]) == 0
