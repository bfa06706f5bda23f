"""reseal: another key, the same passwords."""

from __future__ import annotations

import pytest
from redis.exceptions import ResponseError

from service.pool.sealing import Resealed
from service.pool.vault import Vault
from tests.lua.invariants import dump
from tests.lua.stage import Stage, refused, spec
from tests.lua.test_use_key import keyed


def resealed(proxy_id: str, was: str, vault: Vault, password: str = "p") -> Resealed:
    return Resealed(proxy_id, was, vault.seal(password), vault.fingerprint(password))


async def test_nobody_else_sees_a_difference(stage: Stage) -> None:
    await stage.add(2)
    lease = await stage.active()
    new = keyed(stage, "new")
    await new.reseal("begin", actor="cli:ana")
    before = await dump(stage.redis, stage.pool.keys.root)
    assert await new.reseal("page", [resealed(lease.proxy_id, "plain:p", new.vault)], actor="cli:ana") == 1
    after = await dump(stage.redis, stage.pool.keys.root)
    record = f"proxy:{lease.proxy_id}"
    assert {name for name in after if after[name] != before.get(name) and "op:" not in name} == {record, "meta"}
    fields = {name for name in after[record] if after[record][name] != before[record].get(name)}
    assert fields == {"secret", "fingerprint"}
    assert not (await stage.lease(lease.proxy_id)).outdated
    assert await new.spec(lease.proxy_id) == spec()


async def test_the_same_password_is_no_change_under_any_key(stage: Stage) -> None:
    """What an import, a change and an assert tell after and before the record came under another key."""
    [proxy_id] = await stage.add()
    lease = await stage.active()
    pools = [keyed(stage, "old", "new"), keyed(stage, "new", "old")]
    for sealing in (None, *pools):
        if sealing is not None:
            was = (await stage.raw(f"proxy:{proxy_id}"))["secret"]
            await sealing.reseal("begin", actor="cli:ana")
            assert await sealing.reseal("page", [resealed(proxy_id, was, sealing.vault)], actor="cli:ana") == 1
            await sealing.reseal("finish", actor="cli:ana")
        for pool in pools:
            await pool.use_key()
            [imported] = await pool.import_proxies([spec()], stamp="s", actor="cli:ana")
            assert (imported.word, (await pool.preview([spec()]))[0].word) == ("unchanged", "unchanged")
            assert await pool.update(proxy_id, password="p", actor="cli:ana") == "0"
            await stage.redis.hset(pool.keys.lease(proxy_id), "outdated", "1")
            await pool.mark(lease, "asserted", fingerprints=pool.vault.fingerprints("p"))
            assert not (await stage.lease(proxy_id)).outdated
            await stage.redis.hset(pool.keys.lease(proxy_id), "outdated", "1")
            await pool.mark(lease, "asserted", fingerprints=pool.vault.fingerprints("another"))
            assert (await stage.lease(proxy_id)).outdated
            await stage.redis.hdel(pool.keys.lease(proxy_id), "outdated")


async def test_a_password_that_was_changed_meanwhile_stays(stage: Stage) -> None:
    first, second, third = await stage.add(3)
    new = keyed(stage, "new")
    await new.reseal("begin", actor="cli:ana")
    items = [resealed(one, "plain:p", new.vault) for one in (first, second, third)]
    await new.update(second, password="another", actor="cli:ana")
    await new.remove(third, actor="cli:ana")
    assert await new.reseal("page", items, actor="cli:ana") == 1
    assert [(await new.spec(one)) for one in (first, second)] == [spec(1), spec(2, password="another")]
    assert await new.spec(third) is None


async def test_from_begin_on_only_this_key_seals(stage: Stage) -> None:
    await stage.add()
    new = keyed(stage, "new")
    await new.reseal("begin", actor="cli:ana")
    with refused("wrong_encryption_key"):
        await stage.pool.import_proxies([spec(2)], stamp="s", actor="cli:ana")
    await new.import_proxies([spec(3)], stamp="s", actor="cli:ana")


async def test_one_event_with_what_all_attempts_did_and_no_other_key_is_needed(stage: Stage) -> None:
    ids = await stage.add(3)
    new = keyed(stage, "new")
    for part in (ids[:1], ids[1:]):  # the first attempt is interrupted
        await new.reseal("begin", actor="cli:ana")
        await new.reseal("page", [resealed(one, "plain:p", new.vault) for one in part], actor="cli:ana")
    assert await new.reseal("finish", actor="cli:ana") == 3
    assert await new.reseal("finish", actor="cli:ana") == 0
    [event] = await stage.events("key.rotated")
    assert (event["resealed"], event["actor"], event["level"]) == ("3", "cli:ana", "warning")
    meta = await stage.raw("meta")
    assert (meta["keys"], meta.keys() & {"rotating", "resealed"}) == (new.vault.key_id, set())


async def test_who_lacks_a_key_begins_nothing(stage: Stage) -> None:
    await keyed(stage, "old").use_key()
    with refused("wrong_encryption_key"):
        await keyed(stage, "new").reseal("begin", actor="cli:ana")
    assert "rotating" not in await stage.raw("meta")


async def test_of_two_at_work_the_later_one_goes_on(stage: Stage) -> None:
    [proxy_id] = await stage.add()
    earlier, later = keyed(stage, "one", "two"), keyed(stage, "two", "one")
    await earlier.reseal("begin", actor="cli:ana")
    await later.reseal("begin", actor="cli:bob")
    for what in ("page", "finish"):
        with refused("stale"):
            await earlier.reseal(what, [resealed(proxy_id, "plain:p", earlier.vault)], actor="cli:ana")
    assert await later.reseal("page", [resealed(proxy_id, "plain:p", later.vault)], actor="cli:bob") == 1
    with pytest.raises(ResponseError, match="BADARG what"):
        await later.run("reseal", what="pause", key=later.vault.key_id, known="", actor="cli:bob")
