"""What stands in deploy/ fits what the service is: its metrics, its settings, its image."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp.test_utils import make_mocked_request
from prometheus_client import Metric
from redis.asyncio import Redis

from service.control.controller import Controller
from service.errors import EvolutionError, EvoproxyError
from service.pool.pool import Pool
from service.pool.stats import Stats
from service.settings import Settings, describe, load
from service.web import families, routes
from service.web.metrics import Metrics
from service.web.routing import API
from tests.web.test_metrics import LABELS, Mirrored

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
[GROUP] = yaml.safe_load((DEPLOY / "prometheus/alerts.yaml").read_text(encoding="utf-8"))["groups"]
DASHBOARD = json.loads((DEPLOY / "grafana/evoproxy.json").read_text(encoding="utf-8"))
ENDINGS = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "info": ("_info",)}
SCRAPERS_OWN = {"up"}


@pytest.fixture(scope="module")
def found() -> Sequence[Metric]:
    """All families that /metrics can give, with each word of ours for an outcome and a class of status."""
    controller, stats, metrics = Controller(Pool(Redis()), {}, Settings()), Stats.parse([]), Metrics()
    for outcome in ("ok", "cancelled", EvoproxyError.code, *(error.code for error in EvolutionError.__subclasses__())):
        metrics.on_call("a")("set_proxy", outcome, 0.1)
    for status in (101, 200, 304, 404, 503):
        metrics.requested(make_mocked_request("GET", "/"), status, 0.1)
    return [
        *metrics.registry.collect(),
        *families.of_pool(stats),
        *families.of_servers(stats, controller),
        *families.of_webhooks(controller.hints),
        *families.of_mirror(Mirrored()),
        *families.of_loops((), 0.0),
    ]


@pytest.fixture(scope="module")
def series(found: Sequence[Metric]) -> set[str]:
    """The names of all samples that /metrics can give."""
    return {family.name + ending for family in found for ending in ENDINGS.get(family.type, ("",))}


@pytest.fixture(scope="module")
def words(found: Sequence[Metric]) -> Mapping[tuple[str, str], set[str]]:
    """By the name of a sample and a label of ours, its values."""
    said = defaultdict[tuple[str, str], set[str]](set)
    for sample in (one for family in found for one in family.samples):
        for label, value in sample.labels.items():
            said[sample.name, label].add(value)
    return said


def named(expression: str) -> set[str]:
    """The series that a PromQL expression asks for: names that are neither labels, in braces or parentheses after
    ``by``, nor functions, nor words of the language."""
    bare = re.sub(r"\{[^}]*\}|\[[^]]*\]|\b(?:by|without)\s*\([^)]*\)", " ", expression)
    names = set(re.findall(r"\b[a-z_][a-z0-9_]*\b(?!\s*\()", bare))
    return names - {"or", "and", "unless", "max", "min", "sum", "e9"}


def expressions() -> Iterator[tuple[str, str]]:
    for rule in GROUP["rules"]:
        yield rule["alert"], rule["expr"]
    for panel in DASHBOARD["panels"]:
        for target in panel["targets"]:
            yield panel["title"], target["expr"]
    for variable in DASHBOARD["templating"]["list"]:
        if variable["type"] == "query":
            yield variable["name"], variable["query"].removeprefix("label_values(").partition(",")[0]


@pytest.mark.parametrize(("title", "expression"), [*expressions()])
def test_alerts_and_panels_ask_for_what_is_there(series: set[str], title: str, expression: str) -> None:
    asked = named(expression)
    assert asked
    assert asked <= series | SCRAPERS_OWN, title
    assert expression.count("(") == expression.count(")")


SELECTED = [
    (name, label, value)
    for _, expression in expressions()
    for name, matchers in re.findall(r"(\w+)\{([^}]*)\}", expression)
    for label, pattern in re.findall(r'(\w+)[=!]~?"([^"]*)"', matchers)
    for value in pattern.split("|")
    if label not in ("job", "route")
]


@pytest.mark.parametrize(("name", "label", "value"), [*dict.fromkeys(SELECTED)])
def test_what_is_selected_by_is_what_the_code_says(
    words: Mapping[tuple[str, str], set[str]], name: str, label: str, value: str
) -> None:
    assert value in words[name, label]


def test_what_is_left_out_is_a_route() -> None:
    left_out = {route for _, expression in expressions() for route in re.findall(r'route!="([^"]*)"', expression)}
    assert left_out
    assert left_out <= {f"{API}{route.path}" for route in routes.ALL}


@pytest.mark.parametrize(("title", "expression"), [*expressions()])
def test_what_is_kept_by_is_a_label(title: str, expression: str) -> None:
    labels = {"server", "loop", "job", "instance", "le"}.union(*LABELS.values())
    kept = {label for some in re.findall(r" by \(([^)]*)\)", expression) for label in some.split(", ")}
    assert kept <= labels, title


@pytest.mark.parametrize("rule", GROUP["rules"], ids=lambda rule: rule["alert"])
def test_an_alert_says_what_is_wrong_and_what_to_do(rule: dict[str, Any]) -> None:
    assert re.fullmatch(r"Evoproxy[A-Za-z]+", rule["alert"])
    assert re.fullmatch(r"\d+[mh]", rule["for"])
    assert rule["labels"]["severity"] in ("critical", "warning")
    told = rule["annotations"]
    assert told["runbook"] == f"docs/operators.md#{rule['alert'].lower()}"
    assert len(told["summary"]) > 20
    assert len(told["description"]) > 40
    if " by (" in rule["expr"]:
        [kept] = set(re.findall(r" by \(([^)]*)\)", rule["expr"]))
        assert set(re.findall(r"\$labels\.(\w+)", told["summary"])) <= set(kept.split(", "))


def test_no_alert_and_no_panel_is_there_twice() -> None:
    alerts = [rule["alert"] for rule in GROUP["rules"]]
    panels = DASHBOARD["panels"]
    assert len(alerts) == len(set(alerts)) > 15
    assert len({panel["id"] for panel in panels}) == len({panel["title"] for panel in panels}) == len(panels)
    places = [
        (p["x"] + x, p["y"] + y)
        for p in (one["gridPos"] for one in panels)
        for x in range(p["w"])
        for y in range(p["h"])
    ]
    assert len(places) == len(set(places))
    assert max(x for x, _ in places) < 24


def test_what_compose_sets_are_settings_that_exist() -> None:
    environment = COMPOSE["services"]["evoproxy"]["environment"]
    assert environment.keys() <= {row.name for row in describe()}
    values = {"EVOLUTION_API_BASE_URL": "http://evolution:8080", "EVOPROXY_LOCALE": "en"}
    filled = {name: _filled(text, values) for name, text in environment.items()}
    settings = load(filled)
    assert settings.redis_url is not None
    assert settings.redis_url.get_secret_value() == "redis://:filled@redis:6379/0"
    assert settings.locale == "en"
    del values["EVOPROXY_LOCALE"]
    assert load({name: _filled(text, values) for name, text in environment.items()}).locale == "pt-BR"


def _filled(text: str, values: Mapping[str, str]) -> str:
    """As compose does it: ``${NAME:?}`` has to be there, ``${NAME:-other}`` need not."""
    return re.sub(r"\$\{(\w+):([?-])([^}]*)\}", lambda m: values.get(m[1]) or (m[3] if m[2] == "-" else "filled"), text)


def test_the_example_of_the_env_file_names_all_and_holds_nothing() -> None:
    example = (DEPLOY / ".env.example").read_text(encoding="utf-8")
    lines = [line for line in example.splitlines() if line and not line.startswith("#")]
    assert all(re.fullmatch(r"[A-Z_]+=", line) for line in lines)
    wanted = set(re.findall(r"\$\{(\w+):", (DEPLOY / "compose.yaml").read_text(encoding="utf-8")))
    assert {line.rstrip("=") for line in lines} == wanted


def test_no_service_of_compose_may_more_than_it_needs() -> None:
    for name, service in COMPOSE["services"].items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert name == "evoproxy" or ("healthcheck" in service and "user" in service and "ports" not in service)
        for volume in service["volumes"]:
            assert volume.partition(":")[0] in COMPOSE["volumes"]
    assert COMPOSE["services"]["evoproxy"]["ports"] == ["127.0.0.1:8080:8080"]
    assert COMPOSE["networks"]["stores"] == {"internal": True}


def test_redis_is_told_to_keep_what_it_has() -> None:
    command = COMPOSE["services"]["redis"]["command"][-1]
    assert {"appendonly yes", "maxmemory-policy noeviction", "requirepass $$REDIS_PASSWORD"} <= set(
        command.splitlines()
    )


def test_the_image_has_two_stages_an_ordinary_user_and_a_health_check() -> None:
    steps = [
        line for line in (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines() if re.match(r"[A-Z]+ ", line)
    ]
    assert [step.split()[0] for step in steps].count("FROM") == 2
    users = [step.split()[1] for step in steps if step.startswith("USER")]
    assert users
    assert int(users[-1]) > 0
    assert any(step.startswith("HEALTHCHECK") for step in steps)
    assert "VOLUME /data" in steps
