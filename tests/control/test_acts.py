"""The acts of one server: one an instance, a reconnect beside it, and nothing left at the end."""

from __future__ import annotations

import asyncio

from service.control.acts import Acts
from tests.helpers import wait_until


async def test_a_queued_reconnect_runs_after_the_one_that_is_running() -> None:
    acts, gate, told = Acts("a"), asyncio.Event(), list[str]()

    async def act(name: str) -> None:
        told.append(f"{name} begins")
        await gate.wait()
        told.append(f"{name} ends")

    acts.start_beside("i", act("first"))
    acts.start_beside("i", act("refused"))
    acts.start_beside("i", act("second"), queued=True)
    await asyncio.sleep(0)
    assert told == ["first begins"]
    gate.set()
    await wait_until(lambda: not len(acts))
    assert told == ["first begins", "first ends", "second begins", "second ends"]


async def test_nothing_starts_once_it_stops() -> None:
    acts, told = Acts("a"), list[str]()

    async def act(name: str) -> None:
        told.append(name)
        await asyncio.Event().wait()

    acts.start_beside("i", act("first"))
    acts.start_beside("i", act("queued"), queued=True)
    await asyncio.sleep(0)
    await acts.stop(deadline=0)
    acts.start("i", act("late"))
    assert (told, len(acts)) == (["first"], 0)
