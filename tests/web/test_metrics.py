"""GET /metrics: what Prometheus reads."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, cast

import pytest
from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_text
from pydantic import SecretStr
from redis.asyncio import Redis

from service.audit import Comparison
from service.background import Loop
from service.control.controller import Controller
from service.control.drift import Drift
from service.control.pacing import Slots, TokenBucket
from service.errors import StoreUnavailableError
from service.evolution.client import EvolutionClient
from service.evolution.simulator import Fault, Simulator
from service.pool.pool import Pool
from service.pool.runner import Runner
from service.pool.stats import Counts, ServerFigures, Stats
from service.pool.tokens import Role
from service.settings import Settings
from service.web import families
from service.web.metrics import Metrics
from tests.helpers import wait_until
from tests.web.api import PASSWORD, SUPERADMIN, Api, proxy

LABELS = {
    "evoproxy_proxies": {"status"},
    "evoproxy_leases": {"phase"},
    "evoproxy_group_proxies": {"group", "status"},
    "evoproxy_group_utilization_ratio": {"group"},
    "evoproxy_instances": {"server", "state"},
    "evoproxy_brake_engaged": {"server", "half"},
    "evoproxy_events": {"type"},
    "evoproxy_evolution_call_duration_seconds": {"server", "call", "outcome"},
    "evoproxy_http_request_duration_seconds": {"route", "method", "status"},
    "evoproxy_build": {"version"},
}
"""Of the families that are not of a server, of a loop or without labels."""


async def ask(api: Api, role: Role | None = Role.VIEWER, method: str = "GET", **headers: str) -> tuple[int, str, str]:
    """Status, content type and text."""
    sent = {"Authorization": f"Bearer {api.tokens[role]}"} if role else {}
    async with api.client.session.request(method, api.client.make_url("/metrics"), headers=sent | headers) as answer:
        return answer.status, answer.headers["Content-Type"], await answer.text()


async def scraped(api: Api) -> dict[str, Metric]:
    status, _, text = await ask(api)
    assert status == 200, text
    found = list(read_text(text))
    assert len({family.name for family in found}) == len(found)
    return {family.name: family for family in found}


def value(found: Mapping[str, Metric], sample: str, **labels: str) -> float | None:
    """Of the sample with exactly these labels, ``None`` if there is none."""
    every = (one for family in found.values() for one in family.samples if one.name == sample)
    return next((one.value for one in every if one.labels == labels), None)


async def busy(api: Api, sim: Simulator) -> None:
    """Three proxies, one of them given, one instance on a proxy of its own, a refused set, questions good and bad."""
    await api.add(3)
    sim.create("one", state="open")
    sim.create("two", state="open", row=proxy(9))

    async def protected() -> bool:
        answer = await api.call("GET", "/instances/one")
        return answer.status == 200 and bool(answer.body["applied"] == "yes")

    await wait_until(protected, what="one has its proxy")
    sim.create("three")
    sim.warts.faults.append(Fault("proxy/set", status=500, times=1))
    await api.call("POST", "/instances/three/proxy")
    await api.call("GET", f"/proxies/{PASSWORD}")
    await api.call("GET", f"/nowhere/{PASSWORD}")
    await api.call("GET", "/stats", role=None, headers={"Authorization": f"Bearer wrong-{SUPERADMIN}"})


async def test_each_family_follows_the_conventions(api: Api, sim: Simulator) -> None:
    await busy(api, sim)
    found = await scraped(api)
    for name, family in found.items():
        assert name.startswith(("evoproxy_", "process_")), name
        assert family.documentation, name
        assert family.type in ("gauge", "counter", "histogram"), name
        if family.type == "counter":
            assert all(sample.name == f"{name}_total" for sample in family.samples)
        elif family.type == "histogram":
            assert name.endswith("_seconds")
        assert not name.endswith(("_ms", "_percent", "_count", "_created"))
        labels = {"server"} if name.startswith(("evoproxy_server_", "evoproxy_webhook_")) else set()
        labels = {"loop"} if name.startswith("evoproxy_loop_") else LABELS.get(name, labels)
        for sample in family.samples:
            assert sample.labels.keys() - {"le"} == labels or name == "evoproxy_build_info", sample


async def test_the_figures_are_those_of_the_pool(api: Api, sim: Simulator) -> None:
    await busy(api, sim)
    await wait_until(lambda: _written(api, "lease.applied"), what="the mirror has written the event")
    found, stats = await scraped(api), await api.get("/stats")
    for status in ("used", "cooling", "quarantined", "disabled"):
        assert value(found, "evoproxy_proxies", status=status) == stats[status]
    assert value(found, "evoproxy_proxies", status="free") == stats["available"]
    assert value(found, "evoproxy_utilization_ratio") == stats["utilization"] / 100
    assert value(found, "evoproxy_group_proxies", group="none", status="used") == stats["used"] > 0
    phases = [value(found, "evoproxy_leases", phase=phase) for phase in ("reserved", "active", "releasing")]
    assert phases == [stats["reserved"], stats["used"] - stats["reserved"] - stats["releasing"], stats["releasing"]]
    assert value(found, "evoproxy_instances", server="a", state="open") == stats["instances"]["open"] == 2
    assert value(found, "evoproxy_unprotected_instances") == stats["unprotected"]
    assert value(found, "evoproxy_external_instances") == stats["external"] == 1
    assert value(found, "evoproxy_server_up", server="a") == 1
    assert value(found, "evoproxy_server_read", server="a") == 1
    assert value(found, "evoproxy_brake_engaged", server="a", half="set") == 0
    assert value(found, "evoproxy_paused") == 0
    assert value(found, "evoproxy_stream_events_max") == stats["eventsMax"]
    assert value(found, "evoproxy_mirror_lag_seconds") is not None
    assert value(found, "evoproxy_loop_healthy", loop="poll:a") == 1
    assert value(found, "evoproxy_loop_healthy", loop="mirror") == 1
    assert value(found, "evoproxy_loop_last_success_timestamp_seconds", loop="poll:a")
    await api.call("POST", "/pause")
    assert value(await scraped(api), "evoproxy_paused") == 1


async def _written(api: Api, type: str) -> bool:
    return bool(value(await scraped(api), "evoproxy_events_total", type=type))


async def test_an_engaged_brake_and_a_failing_server_are_seen(api: Api, sim: Simulator) -> None:
    await api.pool.brake("a", "set", engaged=True, reason="failed_sets count=5")
    sim.warts.faults.append(Fault("instance/fetchInstances", status=500))

    async def failing() -> bool:
        found = await scraped(api)
        return value(found, "evoproxy_server_up", server="a") == 0

    await wait_until(failing, what="the server is seen failing")
    found = await scraped(api)
    assert value(found, "evoproxy_brake_engaged", server="a", half="set") == 1
    assert value(found, "evoproxy_loop_failures", loop="poll:a")


async def test_calls_and_requests_are_timed_under_bounded_names(api: Api, sim: Simulator) -> None:
    await busy(api, sim)
    found = await scraped(api)
    calls, requests = "evoproxy_evolution_call_duration_seconds_count", "evoproxy_http_request_duration_seconds_count"
    assert value(found, calls, server="a", call="set_proxy", outcome="ok")
    assert value(found, calls, server="a", call="set_proxy", outcome="evolution_unknown")
    one = "/api/v1/instances/{instance}"
    assert value(found, requests, route=one, method="GET", status="2xx")
    assert value(found, requests, route="/api/v1/proxies/{id}", method="GET", status="4xx") == 1
    assert value(found, requests, route="unmatched", method="any", status="4xx") == 1
    assert value(found, requests, route="/metrics", method="GET", status="2xx") is None
    assert value(await scraped(api), requests, route="/metrics", method="GET", status="2xx") == 1


async def test_the_event_loop_is_timed(api: Api) -> None:
    async def timed() -> bool:
        return bool(value(await scraped(api), "evoproxy_event_loop_lag_seconds_count"))

    await wait_until(timed, what="the event loop was timed")


async def test_any_role_may_read_it_and_nobody_else(api: Api) -> None:
    assert (await ask(api, role=None))[0] == 401
    assert (await ask(api, role=None, Authorization="Bearer wrong"))[0] == 401
    assert {role: (await ask(api, role))[0] for role in Role} == dict.fromkeys(Role, 200)
    assert (await ask(api, role=None, method="HEAD"))[0] == 405
    async with api.client.get("/%6detrics") as answer:
        assert answer.status == 401


async def test_it_speaks_what_the_scraper_understands(api: Api) -> None:
    _, content_type, _ = await ask(api)
    assert content_type == "text/plain; version=0.0.4; charset=utf-8"
    wanted = "application/openmetrics-text;version=1.0.0;q=0.8,text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
    _, content_type, text = await ask(api, Accept=wanted)
    assert content_type.startswith("application/openmetrics-text; version=1.0.0")
    found = {family.name for family in read_openmetrics(text)}  # type: ignore[no-untyped-call]
    assert found >= {"evoproxy_proxies", "evoproxy_build"}


async def test_nothing_secret_is_in_it(api: Api, sim: Simulator) -> None:
    await busy(api, sim)
    said = (await ask(api))[2]
    assert 'evoproxy_instances{server="a",state="open"} 2.0' in said
    for secret in (PASSWORD, "Pl4nted%26Pass", SUPERADMIN, sim.api_key, *api.tokens.values()):
        assert secret not in said


async def test_a_scrape_costs_one_reading_of_the_figures(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    run, scripts = Runner.run, list[str]()

    async def counted(self: Runner, name: str, rows: Iterable[object] = (), /, **values: Any) -> list[Any]:
        task = asyncio.current_task()
        if task is None or not task.get_name().startswith("loop:"):
            scripts.append(name)
        return await run(self, name, tuple(rows), **values)

    await scraped(api)
    monkeypatch.setattr(Runner, "run", counted)
    await scraped(api)
    assert scripts == ["stats"]


async def test_without_the_pool_the_rest_is_told(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    async def lost(self: Pool) -> Stats:
        raise StoreUnavailableError(store="redis", reason="ConnectionError")

    assert value(await scraped(api), "evoproxy_pool_up") == 1
    monkeypatch.setattr(Pool, "stats", lost)
    found = await scraped(api)
    assert value(found, "evoproxy_pool_up") == 0
    assert "evoproxy_proxies" not in found
    assert {"evoproxy_loop_healthy", "evoproxy_http_request_duration_seconds"} <= found.keys()


def test_groups_are_bounded_and_none_is_lost() -> None:
    groups = {f"g{number:03}": Counts(total=1000 - number, used=10) for number in range(150)}
    groups |= {"": Counts(total=2000, used=1), "other": Counts(total=3000, used=2)}
    reply = [f"group:used:{name}" for name in groups]
    stats = Stats.parse([text for name in reply for text in (name, str(groups[name.rpartition(":")[2]].total))])
    [family] = [one for one in families.of_pool(stats) if one.name == "evoproxy_group_proxies"]
    used = {one.labels["group"]: one.value for one in family.samples if one.labels["status"] == "used"}
    assert len(used) == families.MOST_GROUPS  # of which "other" is one
    assert used["none"] == 2000
    assert used["g000"] == 1000
    assert "g098" not in used
    assert sum(used.values()) == sum(counts.total for counts in groups.values())


def test_each_application_counts_for_itself() -> None:
    one, other = Metrics(), Metrics()
    one.on_call("a")("set_proxy", "ok", 0.1)
    name, labels = (
        "evoproxy_evolution_call_duration_seconds_count",
        {"server": "a", "call": "set_proxy", "outcome": "ok"},
    )
    assert one.registry.get_sample_value(name, labels) == 1
    assert other.registry.get_sample_value(name, labels) is None


class Mirrored:
    """Of which every figure is another."""

    loops: tuple[Loop, ...] = ()
    lag = 0.25
    events: Mapping[str, int] = {"proxy.added": 31}
    gaps = 32

    async def snapshot(self, *, actor: str) -> Comparison:
        raise NotImplementedError


def samples(found: Iterable[Metric]) -> dict[tuple[str, ...], float]:
    """By name, without its prefix, and the values of the labels."""
    every = (one for family in found for one in family.samples)
    return {(one.name.removeprefix("evoproxy_"), *one.labels.values()): one.value for one in every}


NOW = Stats(
    counts=Counts(total=100, used=40, available=17, cooling=18, quarantined=5, disabled=20),
    reserved=2,
    releasing=3,
    stuck=4,
    external=6,
    unprotected=7,
    unapplied=8,
    spent=9,
    reservations=10,
    instances=11,
    events=12,
    events_max=13,
    lost=("1-1", "1-2"),
    paused=True,
    restoring=True,
    epoch="e",
    groups={"g": Counts(total=30, used=6, available=14, cooling=15, quarantined=16, disabled=10)},
    servers={
        "a": ServerFigures(
            leases=21,
            unprotected=22,
            states={"open": 23},
            remembered={"first_read_at": "1", "read_epoch": "e", "suspect_since": "1", "set_brake": "1"},
        )
    },
    former={"b": 1, "c": 1, "d": 1},
)


def test_each_sample_of_the_pool_is_its_own_figure() -> None:
    assert samples(families.of_pool(NOW)) == {
        ("pool_up",): 1,
        ("utilization_ratio",): 0.5,
        ("stuck_releases",): 4,
        ("unprotected_instances",): 7,
        ("unapplied_instances",): 8,
        ("external_instances",): 6,
        ("spent_instances",): 9,
        ("reservations",): 10,
        ("former_servers",): 3,
        ("paused",): 1,
        ("restoring",): 1,
        ("stream_events",): 12,
        ("stream_events_max",): 13,
        ("stream_overflowed",): 1,
        ("proxies", "free"): 17,
        ("proxies", "used"): 40,
        ("proxies", "cooling"): 18,
        ("proxies", "quarantined"): 5,
        ("proxies", "disabled"): 20,
        ("leases", "reserved"): 2,
        ("leases", "active"): 35,
        ("leases", "releasing"): 3,
        ("group_proxies", "g", "free"): 14,
        ("group_proxies", "g", "used"): 6,
        ("group_proxies", "g", "cooling"): 15,
        ("group_proxies", "g", "quarantined"): 16,
        ("group_proxies", "g", "disabled"): 10,
        ("group_utilization_ratio", "g"): 0.3,
        ("instances", "a", "open"): 23,
    }


def test_what_is_not_so_is_zero() -> None:
    calm = samples(families.of_pool(Stats.parse([])))
    assert {name: calm[name,] for name in ("paused", "restoring", "stream_overflowed", "former_servers")} == {
        "paused": 0,
        "restoring": 0,
        "stream_overflowed": 0,
        "former_servers": 0,
    }


async def test_each_sample_of_a_server_is_its_own_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    async with EvolutionClient.open("a", "http://evolution", SecretStr("key")) as client:
        controller = Controller(Pool(Redis()), {"a": client}, Settings())
    server = controller.servers["a"]
    server.context.sets.in_flight = 25
    server.last_poll_at = 24_000
    server.drift = dict.fromkeys("xyz", cast(Drift, None))
    monkeypatch.setattr(Slots, "waiting", 26)
    monkeypatch.setattr(TokenBucket, "waiting", 27)
    told = {
        ("server_up", "a"): 1,
        ("server_leases", "a"): 21,
        ("server_unprotected_instances", "a"): 22,
        ("server_drift", "a"): 3,
        ("server_suspect", "a"): 1,
        ("server_sets_in_flight", "a"): 25,
        ("server_sets_waiting", "a"): 26,
        ("server_restarts_waiting", "a"): 27,
        ("server_last_poll_timestamp_seconds", "a"): 24,
        ("server_read", "a"): 1,
        ("brake_engaged", "a", "release"): 0,
        ("brake_engaged", "a", "set"): 1,
    }
    assert samples(families.of_servers(NOW, controller)) == told
    server.last_poll_at = None
    nothing = samples(families.of_servers(replace(NOW, servers={}), controller))
    assert (nothing["server_up", "a"], nothing["server_suspect", "a"], nothing["server_read", "a"]) == (0, 0, 0)


def test_each_sample_of_the_mirror_is_its_own_figure() -> None:
    assert samples(families.of_mirror(Mirrored())) == {
        ("mirror_lag_seconds",): 0.25,
        ("events_total", "proxy.added"): 31,
        ("event_gaps_total",): 32,
    }


def test_a_loop_succeeded_when_its_clock_says() -> None:
    loop = Loop("poll:a", 30.0, asyncio.Event().wait)
    loop.last_success, loop.failures = 100.0, 28
    before = time.time()
    told = samples(families.of_loops([loop], now=140.0))
    assert before - 40 <= told.pop(("loop_last_success_timestamp_seconds", "poll:a")) <= time.time() - 40
    assert told == {
        ("loop_healthy", "poll:a"): 0,
        ("loop_interval_seconds", "poll:a"): 30,
        ("loop_failures", "poll:a"): 28,
    }
