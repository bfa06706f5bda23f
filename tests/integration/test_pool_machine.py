"""Random walks through every transition of the pool on a real Redis, held against a plain model after each step."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import Phase as Stage
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule, run_state_machine_as_test
from redis.asyncio import Redis

from service.errors import RefusedError
from service.pool import scripts
from service.pool.batches import Wish
from tests.integration.machine.draws import SERVERS, SPECS, UNUSABLE
from tests.integration.machine.lease_steps import LeaseSteps
from tests.integration.machine.likeness import Likeness
from tests.integration.machine.pool_steps import PoolSteps
from tests.integration.machine.steps import steps

EXAMPLES = int(os.environ.get("POOL_MACHINE_EXAMPLES", "0"))
"""How many walks; 0: few and always the same ones, as in CI."""


class PoolMachine(LeaseSteps, PoolSteps, Likeness):
    """One walk."""

    @initialize(ready=st.sampled_from((True, True, True, False)))
    def begin(self, ready: bool) -> None:
        self.configure(SERVERS)
        self.import_proxies((*SPECS, UNUSABLE), "first")
        if ready:
            self.renew_epoch("life1", False)
            self.read_all()
            self.acquire("s1", [Wish("i1", "n1", "o1"), Wish("i2", "n2", "o2")], False, False)
            self.wait(self.compare())

    @rule(step=st.deferred(steps))
    def take(self, step: tuple[str, dict[str, Any]]) -> None:
        name, arguments = step
        getattr(self, name)(**arguments)


@pytest.fixture
def blocking(redis_url: str) -> Iterator[tuple[asyncio.Runner, Redis]]:
    """A loop for the synchronous walk, and a client that lives on it."""
    with asyncio.Runner() as loop:
        redis = Redis.from_url(redis_url, decode_responses=True)
        yield loop, redis
        loop.run(redis.aclose())


def walk(blocking: tuple[asyncio.Runner, Redis], examples: int, *stages: Stage) -> None:
    def machine() -> PoolMachine:
        return PoolMachine(*blocking)

    run_state_machine_as_test(
        machine,  # type: ignore[arg-type] # documented to take a factory
        settings=settings(
            max_examples=examples,
            stateful_step_count=100,
            derandomize=not EXAMPLES,
            database=None,
            deadline=None,
            phases=stages,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
            report_multiple_bugs=False,
        ),
    )


@pytest.mark.slow
@pytest.mark.redis
@pytest.mark.timeout(EXAMPLES * 2 + 1800)
def test_the_pool_does_what_the_model_does(blocking: tuple[asyncio.Runner, Redis]) -> None:
    """POOL_MACHINE_EXAMPLES=5000 walks further, and another way each time."""
    walk(blocking, EXAMPLES or 40, Stage.generate, Stage.shrink)


MUTANTS = {  # what is broken: script, its text, the text in its place
    "a row does not hold its proxy back": (
        "lib/proxies.lua",
        "elseif in_other_rows(id, nil) then",
        "elseif false then",
    ),
    "a stale token passes": ("lib/leases.lua", "if lease.token ~= token then", "if false then"),
    "moved needs no socket proof": ("finish_release.lua", "and (lease.down == '1' or lease.socket_gone == '1')", ""),
    "a drained proxy goes back into the line": (
        "lib/proxies.lua",
        "if proxy.active == '0' then\n    place",
        "if false then\n    place",
    ),
    "one refusal brakes": ("lib/leases.lua", "local BRAKE_AFTER = 5", "local BRAKE_AFTER = 1"),
    "a cleared row is believed": ("lib/leases.lua", "local rewrite = lease.clear_begun_at or", "local rewrite ="),
    "a socket is forgotten": ("abandon.lua", "if lease.active_at then", "if false then"),
    "forced frees": ("lib/endings.lua", "quarantine(id, proxy, 'forced', NEVER)", "settle(id, proxy, at)"),
    "a reservation can be confirmed": (
        "lib/leases.lua",
        "if not lease.token or lease.reservation then",
        "if not lease.token then",
    ),
    "a replay is done again": ("lib/replay.lua", "if A.op_id == '' then return nil end", "if true then return nil end"),
    "a stale sight counts": ("observe.lua", "if number(old.lease_at) < A.seen_at then", "if true then"),
}
RARE = {  # caught after a minute or more
    "a pin beats an unsafe rest": ("lib/choice.lua", "if number(proxy.unsafe_until) > A.now_ms", "if false"),
    "an unknown set is not waited for": (
        "abandon.lua",
        "if lands_until > A.now_ms then\n    quarantine",
        "if false then\n    quarantine",
    ),
    "rotated away is offered again": ("rotate.lua", "shun(old.holder, old_id)\n", ""),
    "an adopted tail forgets its unknown set": ("adopt.lua", "'unknown_at'", "'forgotten_at'"),
}


@pytest.mark.mutation
@pytest.mark.redis
@pytest.mark.timeout(EXAMPLES * 2 + 1800)
@pytest.mark.parametrize("mutant", [*MUTANTS, *(RARE if EXAMPLES else ())])
def test_a_mutant_is_caught(
    mutant: str, blocking: tuple[asyncio.Runner, Redis], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, old, new = (MUTANTS | RARE)[mutant]
    folder = shutil.copytree(scripts.FOLDER, tmp_path / "lua")
    text = (folder / name).read_text(encoding="utf-8")
    assert old in text
    (folder / name).write_text(text.replace(old, new), encoding="utf-8")
    mutated = scripts.load_all(folder)
    monkeypatch.setattr(scripts, "load_all", lambda: mutated)
    with pytest.raises((AssertionError, RefusedError)):
        walk(blocking, EXAMPLES or 300, Stage.generate)
