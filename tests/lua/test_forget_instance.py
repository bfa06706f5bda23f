"""forget_instance: what is proved gone."""

from __future__ import annotations

from service.pool.models import Evidence
from tests.lua.stage import Stage, refused


async def test_nothing_is_left_of_it_and_its_row_holds_nothing_back(stage: Stage) -> None:
    [proxy_id] = await stage.add()
    await stage.see(row=proxy_id)
    await stage.pool.unmanage("a", "i1", unmanaged=True, actor="auto")
    await stage.pool.forget_instance("a", "i1")
    assert await stage.pool.instance("a", "i1") is None
    assert await stage.pool.instance_id("a", "name-i1") is None
    assert await stage.pool.unmanaged("a") == set()
    await stage.assert_let_go(proxy_id)
    [event] = await stage.events("instance.gone")
    assert event["name"] == "name-i1"


async def test_what_is_not_known_is_no_error(stage: Stage) -> None:
    await stage.pool.forget_instance("a", "i1")
    assert await stage.events("instance.gone") == []


async def test_one_that_holds_a_lease_or_a_tail_is_refused(stage: Stage) -> None:
    await stage.add(2)
    new, old = await stage.tail()
    with refused("held", new.proxy_id):
        await stage.pool.forget_instance("a", "i1")
    await stage.pool.finish_release(new, Evidence.GONE)
    with refused("held", old.proxy_id):
        await stage.pool.forget_instance("a", "i1")
    await stage.pool.finish_release(old, Evidence.GONE)
    await stage.pool.forget_instance("a", "i1")
