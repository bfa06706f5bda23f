"""disable: isActive=false."""

from __future__ import annotations

from service.pool.models import Evidence
from tests.lua.stage import HOUR, Stage, refused


async def test_a_proxy_that_nobody_holds_is_disabled_at_once(stage: Stage) -> None:
    [proxy_id] = await stage.add()
    for _ in range(2):
        assert await stage.pool.disable(proxy_id, reason="human", actor="cli:ana") == "disabled"
    assert (await stage.try_acquire()).word == "NO_PROXY_AVAILABLE"
    [event] = await stage.events("proxy.disabled")
    assert (event["reason"], event["actor"]) == ("human", "cli:ana")


async def test_a_held_one_drains(stage: Stage) -> None:
    [proxy_id] = await stage.add()
    lease = await stage.active()
    assert await stage.pool.disable(proxy_id, reason="human", actor="auto") == "used"
    await stage.pool.finish_release(lease, Evidence.GONE, rest_ms=HOUR, rest_reason="orphan")
    assert await stage.status(proxy_id) == "disabled"


async def test_the_rest_of_what_drained_is_not_forgotten(stage: Stage) -> None:
    [proxy_id] = await stage.add()
    lease = await stage.active()
    await stage.pool.disable(proxy_id, reason="human", actor="auto")
    await stage.pool.finish_release(lease, Evidence.GONE, rest_ms=HOUR, rest_reason="orphan")
    stage.clock.move(HOUR - 1)
    await stage.pool.enable(proxy_id, actor="auto")
    assert (await stage.try_acquire("i2")).word == "NO_PROXY_AVAILABLE"
    assert (await stage.try_acquire("i2", pin=proxy_id, human=True)).word == "RESTING"
    stage.clock.move(1)
    assert (await stage.try_acquire("i2")).word == "LEASED"


async def test_an_unknown_proxy(stage: Stage) -> None:
    with refused("unknown_proxy"):
        await stage.pool.disable("0" * 20, reason="human", actor="auto")
