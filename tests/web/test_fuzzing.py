"""Requests made from the API's own description, good and bad: no 500, no answer that it does not know, and
nothing is taken that it forbids."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from typing import Any

import orjson
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)

from service.evolution.simulator import Simulator
from service.web.routing import API
from tests.web.api import SUPERADMIN, Api
from tests.web.conforming import DOCUMENT

EXAMPLES = int(os.environ.get("EVOPROXY_TEST_EXAMPLES", "4"))
"""Requests an operation, of the good and of the bad ones each."""

Operation = schemathesis.APIOperation[Any, Any, Any, Any]


def _read(result: Any) -> Operation:
    operation: Operation = result.ok()
    return operation


def _asks_us(operation: Operation) -> bool:
    return operation.path.startswith(API) and operation.path != ENDLESS


ENDLESS = "/api/v1/stats/stream"
FILE = "/api/v1/proxies/import"
"""Takes any text: what is no proxy stands in its report."""

SCHEMA = schemathesis.openapi.from_dict(orjson.loads(orjson.dumps(DOCUMENT)))
OPERATIONS = [one for result in SCHEMA.get_all_operations() if _asks_us(one := _read(result))]
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


async def test_no_request_gets_an_answer_that_is_not_described(api: Api, sim: Simulator) -> None:
    known = {"/api/v1/proxies/": await api.add(3), "/api/v1/instances/": ["one", "two"], "/api/v1/servers/": ["a"]}
    for name in known["/api/v1/instances/"]:
        sim.create(name, state="open")
    await asyncio.to_thread(_ask_all, str(api.client.make_url("/")), known)


def _ask_all(url: str, known: Mapping[str, list[str]]) -> None:
    problems = [told for operation in OPERATIONS if (told := _asked(operation, url, known))]
    if problems:
        pytest.fail("\n\n".join(problems))


def _asked(operation: Operation, url: str, known: Mapping[str, list[str]]) -> str:
    """Asks with anything, and where things of that kind are there, mostly about one of them."""
    things = next((names for path, names in known.items() if operation.path.startswith(path)), [])
    good = operation.as_strategy(generation_mode=schemathesis.GenerationMode.POSITIVE)
    bad = operation.as_strategy(generation_mode=schemathesis.GenerationMode.NEGATIVE)

    @settings(
        max_examples=2 * EXAMPLES,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )
    @given(case=st.one_of(good, bad), thing=st.sampled_from([None, *things]))
    def ask(case: Any, thing: str | None) -> None:
        if thing is not None:
            for name in case.path_parameters:
                case.path_parameters[name] = thing
        response = case.call(base_url=url, headers={"Authorization": f"Bearer {SUPERADMIN}"})
        # A thing may have taken the place of what was wrong.
        strict = thing is None and operation.path != FILE
        case.validate_response(response, checks=[*CHECKS, negative_data_rejection] if strict else CHECKS)

    try:
        ask()
    except (Exception, ExceptionGroup) as error:
        return f"{operation.label}: {error!r}"[:3000]
    return ""
