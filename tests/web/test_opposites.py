"""Each write twice, and at the same moment as its opposite: one order or the other, never something between."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from itertools import pairwise
from typing import Any

import pytest

from service.evolution.simulator import Simulator
from service.pool.models import Broken
from service.pool.tokens import Role
from tests.helpers import wait_until
from tests.lua.invariants import assert_invariants, dump
from tests.web.api import Answer, Api, lines, proxy
from tests.web.logins import call, log_in

ROUNDS = 8
TEXT = {"Content-Type": "text/plain"}


@pytest.fixture
async def sound(api: Api) -> AsyncIterator[Api]:
    """The service; in the end its pool is sound, every proxy has one status and one holder at most, and no answer was
    a failure of ours."""
    yield api
    broken = [one async for one in api.pool.check() if isinstance(one, Broken)]
    assert broken == []
    leases = await api.pool.leases_of("a")
    held = [lease.proxy_id for lease in leases.values()]
    assert len(held) == len(set(held))
    assert [answer.text for answer in api.answers if answer.status >= 500] == []
    await api.pool.redis.client_pause(30_000, all=False)  # no write between two reads
    try:
        assert_invariants(await dump(api.pool.redis, api.pool.keys.named("")), api.pool.clock.now())
    finally:
        await api.pool.redis.client_unpause()


async def at_once(*asked: Any) -> list[Answer]:
    return list(await asyncio.gather(*asked))


async def statuses(*asked: Any) -> list[int]:
    return [answer.status for answer in await at_once(*asked)]


async def count(api: Api, *types: str) -> int:
    return len(await api.events(*types))


async def free(api: Api, sim: Simulator, name: str) -> None:
    """Returns when the instance holds nothing and nobody drains."""

    async def ended() -> bool:
        stats = await api.get("/stats")
        return bool(stats["used"] == 0)

    await wait_until(ended, what=f"{name} holds nothing")


@pytest.mark.parametrize("key", [{}, {"Idempotency-Key": "once"}])
async def test_one_assignment_for_many_who_ask_for_it(sound: Api, sim: Simulator, key: dict[str, str]) -> None:
    await sound.add(6)
    sim.create("one")
    found = await at_once(*(sound.call("POST", "/instances/one/proxy", headers=key) for _ in range(6)))
    assert {answer.status for answer in found} <= {200, 201, 409}
    assert len({answer.body["id"] for answer in found if answer.status in (200, 201)}) == 1
    assert await count(sound, "lease.reserved") == 1
    assert (await sound.get("/stats"))["used"] == 1


async def test_assigning_and_releasing(sound: Api, sim: Simulator) -> None:
    await sound.add(4)
    sim.create("one")
    for _ in range(ROUNDS):
        found = await at_once(
            sound.call("POST", "/instances/one/proxy"),
            sound.call("DELETE", "/instances/one/proxy"),
            sound.call("POST", "/instances/one/proxy"),
            sound.call("DELETE", "/instances/one/proxy"),
        )
        assert {answer.status for answer in found} <= {200, 201, 202, 404, 409}
    last = await sound.call("DELETE", "/instances/one/proxy")
    assert last.status in (200, 202, 404)
    await free(sound, sim, "one")


async def test_many_instances_and_few_proxies(sound: Api, sim: Simulator) -> None:
    await sound.add(3)
    names = [f"one {number}" for number in range(8)]
    for name in names:
        sim.create(name)
    paths = [f"/instances/{name.replace(' ', '%20')}/proxy" for name in names]
    found = await at_once(*(sound.call("POST", path) for path in paths))
    assert Counter(answer.status for answer in found) == {201: 3, 409: 5}
    assert len({answer.body["id"] for answer in found if answer.status == 201}) == 3


async def test_rotating_and_releasing(sound: Api, sim: Simulator) -> None:
    await sound.add(12)
    sim.create("one", state="open")
    for _ in range(4):
        await sound.call("POST", "/instances/one/proxy")
        found = await at_once(
            sound.call("POST", "/instances/one/proxy/rotate"),
            sound.call("DELETE", "/instances/one/proxy"),
            sound.call("POST", "/instances/one/proxy/rotate"),
        )
        assert {answer.status for answer in found} <= {200, 202, 404, 409}
    assert (await sound.call("DELETE", "/instances/one/proxy?force=true")).status in (200, 202, 404)


async def test_disabling_and_enabling(sound: Api) -> None:
    [proxy_id] = await sound.add()
    path = f"/proxies/{proxy_id}"
    for _ in range(ROUNDS):
        ways = ("disable", "enable", "disable", "enable")
        assert await statuses(*(sound.call("POST", f"{path}/{way}") for way in ways)) == [200] * 4
        shown = await sound.get(path)
        assert (shown["status"], shown["isActive"]) in (("disabled", False), ("free", True))
    before = await count(sound, "proxy.disabled", "proxy.enabled")
    for _ in range(2):
        assert (await sound.call("POST", f"{path}/disable")).body["status"] == "disabled"
    assert await count(sound, "proxy.disabled", "proxy.enabled") - before <= 1


async def over(api: Api, begun: list[Answer]) -> list[dict[str, Any]]:
    """The jobs, once each has looked at all that it was asked for."""
    assert [answer.status for answer in begun] == [202] * len(begun)

    async def ended() -> bool:
        jobs = (await api.call("GET", "/jobs")).body["items"]
        return all(job["endedAt"] for job in jobs)

    await wait_until(ended, what="the jobs are over")
    jobs = [(await api.call("GET", f"/jobs/{answer.body['jobId']}")).body for answer in begun]
    assert [(job["state"], job["done"], job["failed"]) for job in jobs] == [("done", job["total"], []) for job in jobs]
    return jobs


async def test_disabling_and_enabling_many(sound: Api) -> None:
    ids = await sound.add(6)
    for _ in range(3):
        actions = ("disable", "enable", "disable", "enable")
        asked = (sound.call("POST", "/proxies/bulk", {"action": one, "ids": ids}) for one in actions)
        for job in await over(sound, await at_once(*asked)):
            assert (job["changed"], job["skipped"]) in ((6, {}), (0, {"unchanged": 6}))
        [(status, active)] = {(shown["status"], shown["isActive"]) for shown in (await sound.get("/proxies"))["items"]}
        assert (status, active) in (("disabled", False), ("free", True))


async def test_releasing_and_rotating_many(sound: Api, sim: Simulator) -> None:
    await sound.add(12)
    names = ["one", "two", "three"]
    for name in names:
        sim.create(name, state="open")
        await sound.call("POST", f"/instances/{name}/proxy")
    asked = (
        sound.call("POST", "/instances/bulk", {"action": one, "names": names})
        for one in ("release", "rotate", "release")
    )
    jobs = await over(sound, await at_once(*asked))
    assert sum(job["changed"] for job in jobs) >= len(names), "the first found them all"
    for name in names:
        assert (await sound.call("DELETE", f"/instances/{name}/proxy?force=true")).status in (200, 202, 404)


async def test_taking_out_of_use_and_giving(sound: Api, sim: Simulator) -> None:
    sim.create("one")
    [proxy_id] = await sound.add()
    for _ in range(ROUNDS):
        given, taken = await statuses(
            sound.call("POST", "/instances/one/proxy"), sound.call("POST", f"/proxies/{proxy_id}/disable")
        )
        assert (given in (200, 201, 409), taken) == (True, 200)
        shown = await sound.get(f"/proxies/{proxy_id}")
        assert (shown["isActive"], shown["status"]) == (False, "used" if given != 409 else "disabled")
        await sound.call("DELETE", "/instances/one/proxy")
        await free(sound, sim, "one")
        await sound.call("POST", f"/proxies/{proxy_id}/enable")


async def test_pausing_and_resuming(sound: Api) -> None:
    for _ in range(ROUNDS):
        assert await statuses(*(sound.call("POST", f"/{way}") for way in ("pause", "resume") * 2)) == [200] * 4
    changes = await sound.events("pool.paused", "pool.resumed")
    kinds = [event["type"] for event in changes]
    assert all(one != following for one, following in pairwise(kinds))


async def test_two_who_changed_the_same(sound: Api) -> None:
    [proxy_id] = await sound.add()
    path = f"/proxies/{proxy_id}"
    for _ in range(ROUNDS):
        etag = (await sound.call("GET", path)).headers["ETag"]
        wishes = [f"group {number}" for number in range(4)]
        found = await at_once(
            *(sound.call("PATCH", path, {"group": wish}, headers={"If-Match": etag}) for wish in wishes)
        )
        assert Counter(answer.status for answer in found) <= Counter({200: 1, 412: 4})
        [won] = [answer for answer in found if answer.status == 200]
        assert (await sound.get(path))["group"] == won.body["group"]
        sound_group = await sound.call("PATCH", path, {"group": ""})
        assert sound_group.status == 200


async def test_changing_and_removing(sound: Api) -> None:
    for _ in range(ROUNDS):
        [proxy_id] = await sound.add()
        path = f"/proxies/{proxy_id}"
        changed, removed, again = await statuses(
            sound.call("PATCH", path, {"group": "x"}), sound.call("DELETE", path), sound.call("DELETE", path)
        )
        assert changed in (200, 404)
        assert sorted((removed, again)) == [204, 404]
        assert (await sound.call("GET", path)).status == 404
        assert (await sound.get("/stats"))["total"] == 0


async def test_removing_and_giving(sound: Api, sim: Simulator) -> None:
    sim.create("one")
    for _ in range(3):  # each begins after the last one's restart was watched
        [proxy_id] = await sound.add()
        path = f"/proxies/{proxy_id}"
        given, removed = await statuses(
            sound.call("POST", "/instances/one/proxy", {"proxyId": proxy_id}), sound.call("DELETE", path)
        )
        assert (given, removed) in ((201, 409), (409, 204), (404, 204))
        await sound.add()
        await sound.assigned("one")
        assert await statuses(sound.call("DELETE", path), sound.call("DELETE", path)) == [409, 409]
        await sound.call("DELETE", "/instances/one/proxy")
        await free(sound, sim, "one")


async def test_importing_and_removing(sound: Api) -> None:
    file = lines([proxy(number) for number in range(1, 6)])
    [kept, *_] = [proxy(number).id for number in range(1, 6)]
    for _ in range(ROUNDS):
        imported, again, removed = await at_once(
            sound.call("POST", "/proxies/import", data=file, headers=TEXT),
            sound.call("POST", "/proxies/import", data=file, headers=TEXT),
            sound.call("DELETE", f"/proxies/{kept}"),
        )
        assert (imported.status, again.status, removed.status in (204, 404)) == (200, 200, True)
        there = (await sound.call("GET", f"/proxies/{kept}")).status == 200
        assert (await sound.get("/stats"))["total"] == (5 if there else 4)
    added, gone = await count(sound, "proxy.added"), await count(sound, "proxy.removed")
    assert added - gone == (await sound.get("/stats"))["total"]


async def test_a_reservation_made_and_cancelled(sound: Api) -> None:
    await sound.add(8)
    body = {"server": "a", "instance": "new"}
    for number in range(ROUNDS):
        key = {"Idempotency-Key": f"{number}"}
        made = await at_once(*(sound.call("POST", "/reservations", body, headers=key) for _ in range(3)))
        good = [answer for answer in made if answer.status == 201]
        assert {answer.status for answer in made} <= {201, 409}
        [reservation] = {answer.body["reservationId"] for answer in good}
        path = f"/reservations/{reservation}"
        found = await statuses(sound.call("DELETE", path), sound.call("DELETE", path))
        assert set(found) <= {204, 404}
        assert 204 in found


async def test_a_token_made_and_revoked(sound: Api) -> None:
    for _ in range(ROUNDS):
        asked = [("POST", "/tokens", {"name": "new", "role": "admin"}), ("DELETE", "/tokens/new", None)] * 3
        found = await at_once(*(sound.call(method, path, body, role=Role.SUPERADMIN) for method, path, body in asked))
        assert {answer.status for answer in found} <= {201, 204, 404, 409}
        made = [answer.body["token"] for answer in found if answer.status == 201]
        revoked = [answer for answer in found if answer.status == 204]
        assert len(made) - len(revoked) in (0, 1)
        let_in = [text for text in made if await sound.pool.token_of(text)]
        assert len(let_in) == len(made) - len(revoked)
        await sound.call("DELETE", "/tokens/new", role=Role.SUPERADMIN)
        assert [text for text in made if await sound.pool.token_of(text)] == []


async def test_a_session_that_ends_while_it_writes(sound: Api) -> None:
    [proxy_id] = await sound.add()
    for _ in range(ROUNDS):
        login = await log_in(sound)
        written, ended = await statuses(
            call(sound, login, "PATCH", f"/proxies/{proxy_id}", {"labels": ["x"]}),
            call(sound, login, "DELETE", "/session"),
        )
        assert (written in (200, 401), ended) == (True, 204)
        assert (await call(sound, login, "GET", "/session")).status == 401


async def test_the_brake_a_pause_and_ignoring_at_once(sound: Api) -> None:
    for _ in range(ROUNDS):
        found = await statuses(
            sound.call("POST", "/brake/release"),
            sound.call("POST", "/servers/a/ignore", {"ignored": True}),
            sound.call("POST", "/servers/a/ignore", {"ignored": False}),
            sound.call("POST", "/snapshots"),
        )
        assert found == [200] * 4
