"""update: what a human may change of a proxy."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from redis.exceptions import ResponseError

from tests.lua.stage import HOUR, Stage, refused


@dataclass(frozen=True)
class _Field:
    name: str
    value: str


async def test_what_is_given_changes_and_the_rest_stays(stage: Stage) -> None:
    [proxy_id] = await stage.add(group="us", labels=("x",))
    await stage.pool.update(proxy_id, actor="cli:ana", group="br", expires_at=stage.clock.at + HOUR)
    proxy = await stage.pool.proxy(proxy_id)
    assert proxy is not None
    assert (proxy.group, proxy.labels, proxy.expires_at) == ("br", ("x",), stage.clock.at + HOUR)
    assert stage.pool.spec_of(proxy).password == "p"
    await stage.pool.update(proxy_id, actor="cli:ana", clear_expiry=True, labels=(), password="new")
    proxy = await stage.pool.proxy(proxy_id)
    assert proxy is not None
    assert (proxy.group, proxy.labels, proxy.expires_at) == ("br", (), None)
    assert stage.pool.spec_of(proxy).password == "new"
    changed = [event["changed"] for event in await stage.events("proxy.updated")]
    assert changed == ["group,expires_at", "labels,expires_at,password"]


async def test_the_same_values_again_change_nothing(stage: Stage) -> None:
    [proxy_id] = await stage.add(group="us")
    first = await stage.pool.update(proxy_id, actor="cli:ana", group="br")
    assert await stage.pool.update(proxy_id, actor="cli:ana", group="br", password="p") == first
    assert len(await stage.events("proxy.updated")) == 1


async def test_a_proxy_in_any_status_moves_to_another_group(stage: Stage) -> None:
    first, second, third, fourth = ids = await stage.add(4)
    await stage.active(pin=first)
    await stage.pool.quarantine(second, reason="dead", probation_ms=HOUR, actor="auto")
    await stage.pool.disable(third, reason="human", actor="auto")
    before = [await stage.status(one) for one in ids]
    for proxy_id in ids:
        await stage.pool.update(proxy_id, actor="cli:ana", group="br")
    assert [await stage.status(one) for one in ids] == before
    assert (await stage.try_acquire("i2", group="br", strict=True)).proxy_id == fourth


async def test_an_expected_revision_guards_against_lost_updates(stage: Stage) -> None:
    [proxy_id] = await stage.add()
    proxy = await stage.pool.proxy(proxy_id)
    assert proxy is not None
    rev = await stage.pool.update(proxy_id, actor="cli:ana", rev=proxy.rev, group="br")
    with refused("rev_mismatch", rev):
        await stage.pool.update(proxy_id, actor="cli:ana", rev=proxy.rev, group="us")
    with refused("rev_mismatch", rev):
        await stage.pool.update(proxy_id, actor="cli:ana", rev=f"{proxy.rev},1{rev}", group="us")
    assert await stage.pool.update(proxy_id, actor="cli:ana", rev=f"{proxy.rev},{rev}", group="us") != rev


async def test_identity_cant_be_changed(stage: Stage) -> None:
    [proxy_id] = await stage.add()
    fields = [_Field("group", "br"), _Field("host", "10.9.9.9")]
    with pytest.raises(ResponseError, match="BADARG field host"):
        await stage.pool.run(
            "update", fields, actor="auto", proxy=proxy_id, rev="", key="plain", secret="", fingerprints=""
        )
    proxy = await stage.pool.proxy(proxy_id)
    assert proxy is not None
    assert proxy.group == ""
    with refused("unknown_proxy"):
        await stage.pool.update("0" * 20, actor="cli:ana", group="br")
