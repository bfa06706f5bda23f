"""The epoch: what open_pool does when Redis may have lost writes."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from service.errors import StoreUnavailableError
from service.pool.pool import Pool, open_pool
from tests.lua.invariants import dump
from tests.lua.stage import MovedClock, Stage, refused
from tests.redis_server import running

pytestmark = pytest.mark.redis

AOF = ("--appendonly", "yes", "--appendfsync", "always")


def _ids(found: list[tuple[str, dict[str, str]]]) -> list[tuple[int, ...]]:
    return [tuple(map(int, entry_id.split("-"))) for entry_id, _ in found]


async def _events(pool: Pool) -> list[tuple[int, ...]]:
    return _ids((await dump(pool.redis, pool.keys.root))["events"])


async def test_connections_to_the_same_life_change_nothing(tmp_path: Path) -> None:
    with running(tmp_path) as url:
        epochs = []
        for _ in range(3):
            async with open_pool(url, "test") as pool:
                epochs.append(await pool.epoch())
                found = await dump(pool.redis, pool.keys.root)
        assert len(set(epochs)) == 1
        assert [fields["type"] for _, fields in found["events"]] == ["pool.created"]


async def test_a_restart_closes_the_gate_until_each_server_was_compared(tmp_path: Path) -> None:
    clock = MovedClock()
    with running(tmp_path, *AOF) as url:
        async with open_pool(url, "test") as pool:
            pool.clock = clock
            stage = Stage(pool, clock)
            await stage.open()
            await stage.add(3)
            before = await stage.active("i1")
            epoch, events = await pool.epoch(), await _events(pool)
    with running(tmp_path, *AOF) as url:
        async with open_pool(url, "test") as pool:
            pool.clock = clock
            stage = Stage(pool, clock)
            assert int(await pool.epoch()) > int(epoch)
            with refused("not_reconciled", "a"):
                await stage.try_acquire("i2")
            with refused("stale"):
                await pool.mark_read("a", epoch=epoch, listed=1)
            assert await stage.lease(before.proxy_id) == before
            await stage.open()
            after = await stage.reserved("i2")
            assert int(after.token) > int(before.token)
            assert min(set(await _events(pool)) - set(events)) > max(events)


async def test_an_open_pool_meets_a_restart_with_its_next_command(tmp_path: Path) -> None:
    with running(tmp_path, *AOF) as url:
        pools = open_pool(url, "test")
        pool = await pools.__aenter__()
        stage = Stage(pool, MovedClock())
        await stage.open()
        await stage.add()
        epoch = await pool.epoch()
    try:
        with pytest.raises(StoreUnavailableError):
            await pool.epoch()
        with running(tmp_path, *AOF):
            with refused("not_reconciled", "a"):
                await stage.try_acquire()
            assert int(await pool.epoch()) > int(epoch)
    finally:
        await pools.__aexit__(None, None, None)


async def test_after_lost_writes_tokens_and_event_ids_still_grow(tmp_path: Path) -> None:
    """The last writes are lost: the server comes back with an older copy of its append-only file."""
    clock = MovedClock()
    with running(tmp_path, *AOF) as url:
        async with open_pool(url, "test") as pool:
            pool.clock = clock
            stage = Stage(pool, clock)
            await stage.open()
            await stage.add(2)
            shutil.copytree(tmp_path / "appendonlydir", tmp_path / "older")
            clock.move(1000)
            lost = await stage.active("i1")
            events = await _events(pool)
    shutil.rmtree(tmp_path / "appendonlydir")
    (tmp_path / "older").rename(tmp_path / "appendonlydir")
    with running(tmp_path, *AOF) as url:
        async with open_pool(url, "test") as pool:
            pool.clock = clock
            stage = Stage(pool, clock)
            assert await pool.lease(lost.proxy_id) is None
            with refused("not_reconciled", "a"):
                await stage.try_acquire("i2")
            clock.move(1)
            await stage.see("i1", row=lost.proxy_id)
            await stage.open()
            again = await stage.reserved("i2")
            assert again.proxy_id != lost.proxy_id, "the row was seen before anything was handed out"
            assert int(again.token) > int(lost.token)
            new = set(await _events(pool)) - set(events)
            assert new
            assert min(new) > max(events)
