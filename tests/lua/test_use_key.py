"""use_key: nobody works on the pool who can't open its passwords."""

from __future__ import annotations

import pytest

from service.errors import SettingsError
from service.pool.pool import Pool
from service.pool.vault import Vault
from tests.lua.stage import Stage, refused, spec


def keyed(stage: Stage, *keys: str) -> Pool:
    """The pool as a process sees it that has these keys."""
    return Pool(stage.redis, stage.pool.name, clock=stage.clock, vault=Vault(keys))


async def test_the_keys_of_a_pool_are_remembered_by_ids_that_tell_nothing(stage: Stage) -> None:
    assert not await stage.pool.use_key()
    assert await keyed(stage, "a long first key").use_key(actor="cli:ana"), "the pool may hold passwords in clear"
    assert await keyed(stage, "a long first key").use_key()
    added = [event["encrypts"] for event in await stage.events("key.added")]
    assert added == ["0", "1"]
    kept = (await stage.raw("meta"))["keys"]
    assert kept == " ".join(reversed(Vault(["a long first key"]).known))
    assert "first key" not in kept


@pytest.mark.parametrize(
    ("keys", "told"),
    [((), "not set, but the pool holds"), (("another",), "does not hold every key"), (("two", "x"), "does not hold")],
)
async def test_a_key_that_is_missing_is_named(stage: Stage, keys: tuple[str, ...], told: str) -> None:
    await keyed(stage, "one").use_key()
    await keyed(stage, "two", "one").use_key()
    with pytest.raises(SettingsError) as caught:
        await keyed(stage, *keys).use_key()
    [problem] = caught.value.params["problems"]
    assert problem.startswith("EVOPROXY_ENCRYPTION_KEY: ")
    assert told in problem
    assert await keyed(stage, "one", "two").use_key()


async def test_while_all_passwords_move_to_a_key_it_has_to_be_the_first(stage: Stage) -> None:
    await stage.pool.use_key()
    await keyed(stage, "new", "old").reseal("begin", actor="cli:ana")
    with pytest.raises(SettingsError, match="rotate-key is at work"):
        await keyed(stage, "old", "new").use_key()
    assert await keyed(stage, "new", "old").use_key()


async def test_what_others_could_not_open_is_not_sealed(stage: Stage) -> None:
    [proxy_id] = await stage.add()
    assert (await stage.raw("meta"))["keys"] == "plain"
    stranger = keyed(stage, "never announced")
    with refused("wrong_encryption_key"):
        await stranger.import_proxies([spec(2)], stamp="s", actor="cli:ana")
    with refused("wrong_encryption_key"):
        await stranger.update(proxy_id, password="new", actor="cli:ana")
    assert await stranger.update(proxy_id, group="br", password="p", actor="cli:ana") == "1", "nothing is sealed"
