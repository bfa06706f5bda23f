"""import: new proxies, changed ones, and the others."""

from __future__ import annotations

from service.models import Protocol
from service.pool.models import Evidence
from tests.lua.invariants import dump
from tests.lua.stage import HOUR, Stage, spec


async def test_new_proxies_join_the_line_at_once(stage: Stage) -> None:
    specs = [spec(1, group="br", labels=("x", "y")), spec(2, protocol=Protocol.SOCKS4)]
    answers = await stage.pool.import_proxies(specs, stamp="s", actor="cli:ana")
    assert [(one.word, one.status) for one in answers] == [("added", "free"), ("disabled", "disabled")]
    first, second = [await stage.pool.proxy(one.id) for one in specs]
    assert first is not None
    assert second is not None
    assert (first.group, first.labels, first.unusable) == ("br", ("x", "y"), "")
    assert (second.unusable, second.disabled_reason) == ("protocol", "protocol")
    assert (await stage.try_acquire()).proxy_id == specs[0].id
    assert len(await stage.events("proxy.added")) == 2


async def test_the_same_file_again_changes_nothing_and_enables_nothing(stage: Stage) -> None:
    [proxy_id] = await stage.add()
    await stage.pool.disable(proxy_id, reason="human", actor="auto")
    before = await dump(stage.redis, stage.pool.keys.root)
    [answer] = await stage.pool.import_proxies([spec()], stamp="s0", actor="auto")
    assert (answer.word, answer.status) == ("unchanged", "disabled")
    after = await dump(stage.redis, stage.pool.keys.root)
    assert {name: value for name, value in after.items() if name in before or "op:" not in name} == before


async def test_a_line_without_a_password_does_not_clear_it(stage: Stage) -> None:
    """An export without passwords, read back, changes nothing."""
    await stage.add()
    lease = await stage.active()
    [answer] = await stage.pool.import_proxies([spec(password="")], stamp="s", actor="auto")
    [foretold] = await stage.pool.preview([spec(password="")])
    assert (answer.word, foretold.word) == ("unchanged", "unchanged")
    assert await stage.pool.spec(lease.proxy_id) == spec()
    assert not (await stage.lease(lease.proxy_id)).outdated
    [answer] = await stage.pool.import_proxies([spec(password="", group="br")], stamp="s", actor="auto")
    assert answer.word == "updated"
    assert (await stage.events())[-1]["changed"] == "group"


async def test_a_known_proxy_takes_over_what_the_file_says(stage: Stage) -> None:
    [proxy_id] = await stage.add()
    wanted = spec(password="new", group="br", labels=("x",), expires_at=stage.clock.at + 5)
    [foretold] = await stage.pool.preview([wanted])
    await stage.pool.import_proxies([wanted], stamp="s", actor="auto")
    proxy = await stage.pool.proxy(proxy_id)
    assert proxy is not None
    assert (proxy.group, proxy.labels, proxy.expires_at) == ("br", ("x",), stage.clock.at + 5)
    assert stage.pool.spec_of(proxy).password == "new"
    [event] = await stage.events("proxy.updated")
    assert event["changed"] == "password,group,labels,expires_at" == ",".join(foretold.changed)
    [answer] = await stage.pool.import_proxies([spec(password="new")], stamp="s", actor="auto")
    assert answer.word == "unchanged"


async def test_a_held_proxy_keeps_its_lease(stage: Stage) -> None:
    await stage.add()
    lease = await stage.active()
    [answer] = await stage.pool.import_proxies([spec(group="br")], stamp="s", actor="auto")
    assert (answer.word, answer.status) == ("updated", "used")
    assert (await stage.lease(lease.proxy_id)).token == lease.token


async def test_an_endpoint_that_a_row_names_does_not_become_free(stage: Stage) -> None:
    await stage.see("foreign", row=spec().id, managed=False)
    assert (await stage.pool.stats()).external == 1
    [answer] = await stage.pool.import_proxies([spec()], stamp="s", actor="auto")
    assert (answer.word, answer.status) == ("added", "quarantined")


async def test_a_new_proxy_that_has_expired_is_never_handed_out(stage: Stage) -> None:
    specs = [spec(1, expires_at=stage.clock.at), spec(2, expires_at=stage.clock.at + 1)]
    answers = await stage.pool.import_proxies(specs, stamp="s", actor="auto")
    assert [(one.word, one.status) for one in answers] == [("disabled", "disabled"), ("added", "free")]
    expired = await stage.pool.proxy(specs[0].id)
    assert expired is not None
    assert (expired.active, expired.disabled_reason, expired.unusable) == (False, "expired", "")
    while await stage.pool.sweep(limit=10):
        pass
    assert await stage.pool.enable(specs[0].id, actor="cli:ana") == "free"


async def test_what_was_removed_while_it_rested_still_rests(stage: Stage) -> None:
    [proxy_id] = await stage.add()
    await stage.pool.finish_release(await stage.active(), Evidence.GONE, rest_ms=HOUR, rest_reason="orphan")
    ready = stage.clock.at + HOUR
    await stage.pool.remove(proxy_id, actor="auto")
    stage.clock.move(1)
    await stage.add()
    proxy = await stage.pool.proxy(proxy_id)
    assert proxy is not None
    assert (proxy.status.value, proxy.available_at) == ("cooling", ready)


async def test_one_address_under_two_protocols_is_told(stage: Stage) -> None:
    await stage.add()
    [other] = await stage.pool.import_proxies([spec(protocol=Protocol.SOCKS5)], stamp="s", actor="auto")
    assert other.other_protocols == ("http",)
    named = [spec(protocol=protocol, host="gate.example") for protocol in (Protocol.HTTP, Protocol.SOCKS5)]
    answers = await stage.pool.import_proxies(named, stamp="s", actor="auto")
    assert [one.other_protocols for one in answers] == [(), ()]


async def test_no_event_holds_a_secret(stage: Stage) -> None:
    await stage.pool.import_proxies([spec(password="hunter2")], stamp="s", actor="auto")
    await stage.pool.import_proxies([spec(password="hunter3")], stamp="s", actor="auto")
    assert "hunter" not in str(await stage.events())
