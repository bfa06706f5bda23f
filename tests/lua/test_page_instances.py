"""page_instances: instances from a cursor on."""

from __future__ import annotations

import pytest
from redis.exceptions import ResponseError

from tests.lua.stage import Stage, spec


async def test_each_instance_is_met_once_in_the_order_of_names(stage: Stage) -> None:
    for instance, name in (("i1", "c/d"), ("i2", "a\nb"), ("i3", "b")):
        await stage.see(instance, name=name)
    met, cursor = [], ""
    for _ in range(2):
        cursor, instances = await stage.pool.page_instances(cursor, limit=2)
        met += [(instance.id, instance.name) for instance in instances]
    assert (met, cursor) == ([("i2", "a\nb"), ("i3", "b"), ("i1", "c/d")], "")


async def test_a_lease_and_the_will_of_humans_come_along(stage: Stage) -> None:
    await stage.add()
    await stage.see()
    lease = await stage.active()
    await stage.pool.unmanage("a", "i1", unmanaged=True, actor="cli:ana")
    _, [instance] = await stage.pool.page_instances()
    assert (instance.lease, instance.unmanaged) == (await stage.lease(lease.proxy_id), True)


async def test_the_lists_of_the_figures_can_be_paged(stage: Stage) -> None:
    await stage.add()
    await stage.see("protected?")
    await stage.active("protected?")
    await stage.see("naked")
    await stage.see("external", row=spec(77).id)
    found = {}
    for which in ("unprotected", "unapplied", "external"):
        _, instances = await stage.pool.page_instances(which=which)
        found[which] = {instance.id for instance in instances}
    assert found == {"unprotected": {"protected?", "naked"}, "unapplied": {"protected?"}, "external": {"external"}}
    with pytest.raises(ResponseError, match="BADARG list"):
        await stage.pool.page_instances(which="lost")
