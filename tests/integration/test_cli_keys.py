"""Another encryption key for a pool in use: ``evoproxy rotate-key``."""

from __future__ import annotations

from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from service.cli.command import DONE, USAGE
from service.errors import RefusedError
from service.pool.pool import Pool, open_pool
from service.pool.vault import Vault
from tests.commands import Commands, clean
from tests.lua.stage import spec

pytestmark = pytest.mark.redis

ROOT = "evoproxy:{default}:"
OLD, NEW = "the-old-key-of-the-operator", "the-new-key-of-the-operator"
LINES = b"".join(b"192.0.2.%d:80:user:pass-%d\n" % (number, number) for number in range(1, 251)) + b"192.0.2.251:80\n"


@pytest.fixture
def evoproxy(store: Any, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Commands:
    clean(monkeypatch, tmp_path)
    return Commands({"REDIS_URL": redis_url})


def records(store: Any) -> dict[str, dict[str, str]]:
    return {key: store.hgetall(key) for key in store.scan_iter(ROOT + "proxy:*", count=1000)}


def events(store: Any, kind: str) -> list[dict[str, str]]:
    return [event for _, event in store.xrange(ROOT + "events") if event["type"] == kind]


def assert_sealed_with(store: Any, *keys: str) -> None:
    """Each password is opened by ``keys`` alone, and is what the file said."""
    vault = Vault(keys)
    for record in records(store).values():
        number = record["host"].rpartition(".")[2]
        password = vault.open(record["secret"])
        assert password == ("" if number == "251" else f"pass-{number}")
        assert record["fingerprint"] == vault.fingerprint(password)


def test_from_clear_to_a_key_to_another(evoproxy: Commands, store: Any) -> None:
    evoproxy("populate", "-", stdin=LINES)
    before = records(store)
    for keys, resealed in ((OLD, 251), (f"{NEW},{OLD}", 251), (NEW, 0), (NEW, 0)):
        [told] = evoproxy("rotate-key", "--json", EVOPROXY_ENCRYPTION_KEY=keys).documents
        assert told == {"proxies": 251, "resealed": resealed}
        assert_sealed_with(store, keys.partition(",")[0])
        [report] = evoproxy("populate", "-", "--json", stdin=LINES, EVOPROXY_ENCRYPTION_KEY=keys).documents
        assert (report["unchanged"], report["updated"]) == (251, 0)
    for key, record in records(store).items():
        changed = {name for name in record if record[name] != before[key].get(name)} - {"stamp"}
        assert changed <= {"secret", "fingerprint"}
    assert [event["resealed"] for event in events(store, "key.rotated")] == ["251", "251"]
    assert events(store, "proxy.updated") == []
    everything = str([store.xrange(ROOT + "events"), store.hgetall(ROOT + "meta")])
    assert OLD not in everything
    assert NEW not in everything


def test_the_old_key_is_not_enough_any_more(evoproxy: Commands, store: Any) -> None:
    evoproxy("populate", "-", stdin=LINES, EVOPROXY_ENCRYPTION_KEY=OLD)
    evoproxy("rotate-key", EVOPROXY_ENCRYPTION_KEY=f"{NEW},{OLD}")
    for command in (("populate", "-"), ("rotate-key",), ("export", "--secrets")):
        for env, told in ((OLD, "does not hold every key"), ("", "not set")):
            result = evoproxy(*command, stdin=LINES, EVOPROXY_ENCRYPTION_KEY=env)
            assert result.exit_code == USAGE, (command, result)
            assert result.stderr.startswith(f"evoproxy: EVOPROXY_ENCRYPTION_KEY: {told}")
            assert len(result.stderr.splitlines()) == 1
    assert evoproxy("stats").exit_code == DONE
    assert evoproxy("proxies", "--json").exit_code == DONE
    assert_sealed_with(store, NEW)


def test_without_a_key_there_is_nothing_to_encrypt_with(evoproxy: Commands) -> None:
    result = evoproxy("rotate-key")
    assert (result.exit_code, result.stdout) == (USAGE, "")
    assert result.stderr == "evoproxy: EVOPROXY_ENCRYPTION_KEY: not set, so there is no key to encrypt with\n"


def test_what_it_says(evoproxy: Commands) -> None:
    evoproxy("populate", "-", stdin=LINES)
    told = evoproxy("rotate-key", EVOPROXY_ENCRYPTION_KEY=NEW, EVOPROXY_LOCALE="pt-BR").stdout
    assert told == "251 proxies verificados, 251 senhas cifradas de novo; só a primeira chave é necessária agora\n"


async def test_a_record_that_no_key_opens_is_named(evoproxy: Commands, store: Any, redis_url: str) -> None:
    async with open_pool(redis_url, "default", vault=Vault([OLD])) as pool:
        await pool.import_proxies([spec(number) for number in range(250)], stamp="s", actor="cli:test")
    damaged = max(records(store))
    store.hset(damaged, "secret", "sealed:garbage")
    keys = f"{NEW},{OLD}"
    proxy_id = damaged.rpartition(":")[2]
    for command in (("rotate-key",), ("export", "--secrets")):
        result = await evoproxy.beside(*command, EVOPROXY_ENCRYPTION_KEY=keys)
        assert (result.exit_code, proxy_id in result.stderr) == (USAGE, True), (command, result)
    async with open_pool(redis_url, "default", vault=Vault([NEW, OLD])) as pool:
        await pool.update(proxy_id, password="known again", actor="cli:test")
    assert (await evoproxy.beside("rotate-key", EVOPROXY_ENCRYPTION_KEY=keys)).exit_code == DONE
    [event] = events(store, "key.rotated")
    assert event["resealed"] == "249", "of both attempts; the damaged one was written anew"
    assert all(Vault([NEW]).open(record["secret"]) for record in records(store).values())


async def test_interrupted_after_any_page_it_is_finished_by_the_next(store: Any, redis_url: str) -> None:
    async with open_pool(redis_url, "default") as pool:
        await pool.import_proxies([spec(number) for number in range(600)], stamp="s", actor="cli:test")
    for number in range(4):
        async with open_pool(redis_url, "default", vault=Vault([f"key {number + 1}", f"key {number}"])) as pool:
            async with aclosing(pool.rotate_key(actor="cli:test")) as pages:
                for _ in range(number):
                    await anext(pages)
            assert [page async for page in pool.rotate_key(actor="cli:test")][number:] == [(200, 200)] * (3 - number)
            await only_needs(pool, f"key {number + 1}")
    assert [event["resealed"] for event in events(store, "key.rotated")] == ["600"] * 4


async def test_the_service_goes_on_meanwhile(store: Any, redis_url: str) -> None:
    """Between any two pages another process with both keys imports, changes and removes."""
    vault = Vault([NEW, OLD])
    async with (
        open_pool(redis_url, "default", vault=Vault([OLD])) as before,
        open_pool(redis_url, "default", vault=vault) as walking,
        open_pool(redis_url, "default", vault=vault) as living,
    ):
        await before.use_key()
        await before.import_proxies([spec(number) for number in range(600)], stamp="s", actor="cli:test")
        await living.use_key()
        await before.import_proxies([spec(600)], stamp="s", actor="cli:test")
        pages = 0
        async for _ in walking.rotate_key(actor="cli:test"):
            new = [spec(1000 + 50 * pages + number) for number in range(50)]
            await living.import_proxies(new, stamp="s", actor="cli:test")
            for number in range(pages, 600, 40):
                await living.update(spec(number).id, password="changed", actor="cli:test")
                await living.remove(spec(number + 10).id, actor="cli:test")
            with pytest.raises(RefusedError, match="wrong_encryption_key"):
                await before.import_proxies([spec(9999)], stamp="s", actor="cli:test")
            pages += 1
        assert pages >= 4
        await only_needs(living, NEW)


async def only_needs(pool: Pool, key: str) -> None:
    """Who has ``key`` alone may use the pool and opens every password."""
    alone = Pool(pool.redis, pool.name, vault=Vault([key]))
    assert not await alone.use_key()
    seen, cursor = 0, None
    while cursor != "":
        cursor, page = await alone.page(cursor or "")
        assert {alone.spec_of(proxy).password for proxy in page} <= {"p", "changed"}
        seen += len(page)
    assert seen >= 600
