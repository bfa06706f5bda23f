"""How a step is made: the same in the model and in the real pool."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from service.errors import RefusedError
from service.pool.clock import Clock
from service.pool.models import Lease, Phase, Rests
from service.pool.pool import Pool
from tests.integration.machine.draws import IDS, MEMORY, SETTLE, START
from tests.integration.pool_model import Holder, Model, Refused, Uses


class Hand(Clock):
    """A clock that the machine moves."""

    def __init__(self) -> None:
        super().__init__()
        self.at = START

    def now(self) -> int:
        return self.at


class Recording(Pool):
    """A pool that remembers what it was called with, so that a call can be sent again."""

    calls: list[tuple[str, Sequence[object], dict[str, Any], list[Any]]]

    async def run(
        self, name: str, rows: Sequence[object] = (), /, *, op_id: str | None = None, **values: Any
    ) -> list[Any]:
        op_id = op_id or f"op{len(self.calls)}"
        reply = await super().run(name, rows, op_id=op_id, **values)
        if name not in ("stats", "page", "page_instances", "verify", "verify_leases", "explain"):
            self.calls.append((name, rows, {**values, "op_id": op_id}, reply))
        return reply

    async def again(self, index: int) -> tuple[list[Any], list[Any]]:
        name, rows, values, reply = self.calls[index]
        return reply, await super().run(name, rows, **values)


_Method = Callable[..., None]
STEPS: dict[str, st.SearchStrategy[dict[str, Any]]] = {}
WEIGHED: list[str] = []


def step(weight: int = 1, /, **arguments: st.SearchStrategy[Any]) -> Callable[[_Method], _Method]:
    """One of the steps of a walk, taken in proportion to its weight."""

    def listed(method: _Method) -> _Method:
        STEPS[method.__name__] = st.fixed_dictionaries(arguments)
        WEIGHED.extend([method.__name__] * weight)
        return method

    return listed


def steps() -> st.SearchStrategy[tuple[str, dict[str, Any]]]:
    return st.sampled_from(WEIGHED).flatmap(lambda name: st.tuples(st.just(name), STEPS[name]))


class Steps(RuleBasedStateMachine):
    """Sends the same step to model and pool."""

    def __init__(self, loop: asyncio.Runner, redis: Redis) -> None:
        super().__init__()
        self.wait: Callable[[Coroutine[Any, Any, Any]], Any] = loop.run
        self.clock = Hand()
        self.redis: Redis = redis
        self.wait(self.empty())
        self.pool = Recording(redis, clock=self.clock, rests=Rests(SETTLE, MEMORY))
        self.pool.calls = []
        self.model, self.uses = Model(START, SETTLE, MEMORY), Uses()
        self.current: list[Lease] = []
        self.past: list[Lease] = []
        self.last_event, self.told, self.token = "-", 0, 0

    async def empty(self) -> None:
        await self.redis.flushdb()

    def both(self, expected: Callable[[], Any], actual: Coroutine[Any, Any, Any], *, answers: bool = True) -> bool:
        """Makes a step in model and pool; refusals must agree, and ``answers``. Tells whether it was done."""
        try:
            wanted = expected()
        except Refused as refusal:
            wanted = refusal
        try:
            got = self.wait(actual)
        except RefusedError as error:
            got = Refused(error.code.upper())
        except ResponseError as error:
            got = Refused(str(error).split()[0])
        if answers or isinstance(wanted, Refused) or isinstance(got, Refused):
            assert got == wanted
        return not isinstance(got, Refused)

    def a_lease(self, pick: int | Lease, *phases: Phase) -> Lease:
        """Mostly a present one in a fitting phase, sometimes another, a past one or none at all."""
        if isinstance(pick, Lease):
            return pick
        fitting = [lease for lease in self.current if lease.phase in phases]
        line = (fitting if pick > 1 and fitting else self.current) if pick else self.past
        if line:
            return line[-1 - pick % len(line)]
        nobodys = {"server": "s1", "instance": "i1", "name": "n1", "token": "1", "phase": "active"}
        return Lease.parse(IDS[0], nobodys)

    def took(self, proxy_id: str, token: str, holder: Holder) -> None:
        """The pool handed out a proxy by its own choice or by a pin."""
        assert int(token) > self.token
        self.token = int(token)
        self.uses.hand_out(proxy_id, holder, self.clock.at)

    @step(6, step=st.sampled_from((1, 1, 1000, 50_000, SETTLE, 300_000)))
    def time_passes(self, step: int) -> None:
        self.clock.at = self.model.now = self.model.now + step

    @step(2, index=st.integers(0, 30))
    def again(self, index: int) -> None:
        if index < len(self.pool.calls):
            first, second = self.wait(self.pool.again(-1 - index))
            assert first == second
