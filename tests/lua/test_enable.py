"""enable: isActive=true."""

from __future__ import annotations

from service.models import Protocol
from tests.lua.stage import HOUR, Stage, refused, spec


async def test_a_disabled_proxy_goes_back_into_the_line(stage: Stage) -> None:
    [proxy_id] = await stage.add()
    await stage.pool.disable(proxy_id, reason="human", actor="auto")
    for _ in range(2):
        assert await stage.pool.enable(proxy_id, actor="auto") == "free"
    assert len(await stage.events("proxy.enabled")) == 1
    assert (await stage.try_acquire()).word == "LEASED"


async def test_a_draining_lease_goes_on(stage: Stage) -> None:
    [proxy_id] = await stage.add()
    await stage.active()
    await stage.pool.disable(proxy_id, reason="human", actor="auto")
    assert await stage.pool.enable(proxy_id, actor="auto") == "used"


async def test_a_rest_or_probation_goes_on(stage: Stage) -> None:
    [proxy_id] = await stage.add()
    await stage.pool.quarantine(proxy_id, reason="dead", probation_ms=HOUR, actor="auto")
    await stage.pool.disable(proxy_id, reason="human", actor="auto")
    await stage.pool.enable(proxy_id, actor="auto")
    assert await stage.status(proxy_id) == "cooling"
    stage.clock.move(HOUR)
    assert await stage.status(proxy_id) == "free"


async def test_what_a_row_names_is_kept_back(stage: Stage) -> None:
    [proxy_id] = await stage.add()
    await stage.pool.disable(proxy_id, reason="human", actor="auto")
    await stage.see("foreign", row=proxy_id, managed=False)
    assert await stage.pool.enable(proxy_id, actor="auto") == "quarantined"


async def test_what_evolution_cant_use_stays_disabled(stage: Stage) -> None:
    https = spec(protocol=Protocol.HTTPS)
    await stage.pool.import_proxies([https], stamp="s", actor="auto")
    with refused("unusable", "protocol"):
        await stage.pool.enable(https.id, actor="auto")
    with refused("unknown_proxy"):
        await stage.pool.enable("0" * 20, actor="auto")
