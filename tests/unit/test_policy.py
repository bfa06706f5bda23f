"""What the operator's settings mean to the controller."""

from __future__ import annotations

from typing import Any

import pytest

from service.control.policy import Policy
from service.evolution.models import Observation
from service.settings import Settings


def observation(name: str = "x", integration: str = "WHATSAPP-BAILEYS") -> Observation:
    return Observation("a", "i", name, "open", integration)


@pytest.mark.parametrize(
    ("settings", "name", "integration", "managed"),
    [
        ({}, "x", "WHATSAPP-BAILEYS", True),
        ({}, "x", "EVOLUTION", False),
        ({}, "x", "", False),
        ({}, "", "WHATSAPP-BAILEYS", False),
        ({"integrations": ("EVOLUTION",)}, "x", "EVOLUTION", True),
        ({"include": ("shop*",)}, "shop 1", "WHATSAPP-BAILEYS", True),
        ({"include": ("shop*",)}, "Shop 1", "WHATSAPP-BAILEYS", False),
        ({"include": ("a", "b")}, "b", "WHATSAPP-BAILEYS", True),
        ({"exclude": ("vip-?",)}, "vip-1", "WHATSAPP-BAILEYS", False),
        ({"exclude": ("vip-?",)}, "vip-12", "WHATSAPP-BAILEYS", True),
        ({"include": ("*",), "exclude": ("x",)}, "x", "WHATSAPP-BAILEYS", False),
    ],
)
def test_which_instances_are_managed(settings: dict[str, Any], name: str, integration: str, managed: bool) -> None:
    assert Policy.of(Settings(**settings)).manages(observation(name, integration)) is managed


@pytest.mark.parametrize(
    ("assign_on", "states"),
    [("open", {"open"}), ("connecting", {"open", "connecting"}), ("created", {"open", "connecting", "close"})],
)
def test_when_a_proxy_is_assigned(assign_on: str, states: set[str]) -> None:
    assert Policy.of(Settings.model_validate({"assign_on": assign_on})).assign_in == states


def test_times_are_milliseconds() -> None:
    policy = Policy.of(Settings(release_grace=1.5, cooldown=2, ban_rest=3, orphan_rest=4, apply="next-connect"))
    assert (policy.grace_ms, policy.cooldown_ms, policy.ban_rest_ms, policy.orphan_rest_ms) == (1500, 2000, 3000, 4000)
    assert policy.restart is False


RULES = [
    {"server": "b", "group": "of b"},
    {"name": "shop*", "group": "shops", "strict": True},
    {"name": "*", "phonePrefix": "5511", "group": "são paulo"},
]


@pytest.mark.parametrize(
    ("server", "name", "owner", "expected"),
    [
        ("b", "shop", "5511999", ("of b", False)),
        ("a", "shop 1", "5511999", ("shops", True)),
        ("a", "x", "5511999", ("são paulo", False)),
        ("a", "x", "5521999", ("", False)),
        ("a", "x", None, ("", False)),
    ],
)
def test_the_first_rule_that_fits_names_the_group(
    server: str, name: str, owner: str | None, expected: tuple[str, bool]
) -> None:
    policy = Policy.of(Settings.model_validate({"group_rules": RULES}))
    assert policy.group_of(server, name, owner) == expected
