"""Importing: what a report says, in batches, dry, in sync, and in bounded memory."""

from __future__ import annotations

import asyncio
import tracemalloc
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from typing import Any

import pytest
from redis.asyncio import Redis

from service.control import intake
from service.control.import_report import KEPT, ImportReport, Judged, Verdict
from service.control.intake import import_proxies
from service.errors import InvalidInputError
from service.importing import ProxyReader
from service.models import Protocol, ProxySpec
from service.pool.batches import Imported
from service.pool.pool import Pool
from tests.lua.invariants import dump


@pytest.fixture
async def pool(redis: Redis) -> Pool:
    pool = Pool(redis, "test")
    await pool.renew_epoch("life")
    return pool


async def chunks(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


def text(numbers: Iterable[int], password: str = "secret") -> bytes:
    return b"".join(f"10.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}:80:user:{password}\n".encode() for n in numbers)


def figures(report: ImportReport) -> tuple[int, int, int, int, int]:
    return report.added, report.updated, report.unchanged, report.disabled, report.drained


async def take(pool: Pool, *parts: bytes, **options: object) -> ImportReport:
    return await import_proxies(pool, chunks(*parts), actor="cli:test", **options)  # type: ignore[arg-type]


async def test_added_unchanged_updated(pool: Pool) -> None:
    assert figures(await take(pool, text(range(3)))) == (3, 0, 0, 0, 0)
    assert figures(await take(pool, text(range(3)))) == (0, 0, 3, 0, 0)
    assert figures(await take(pool, text(range(2), "other"), text([3]))) == (1, 2, 0, 0, 0)
    [found] = [one for one in (await pool.page())[1] if one.host == "10.0.0.0"]
    assert pool.spec_of(found).password == "other"


async def test_bad_lines_cost_no_good_one(pool: Pool) -> None:
    report = await take(pool, text([1]), b"nonsense\n", text([2]), b"https://10.9.9.9:443\n")
    assert figures(report) == (3, 0, 0, 1, 0)
    assert ([one.line for one in report.rejected], report.rejected_count) == ([2], 1)
    assert [(one.line, one.code) for one in report.warnings] == [(4, "unusable_protocol")]


async def test_one_address_under_two_protocols_is_warned_of(pool: Pool) -> None:
    await take(pool, b"10.0.0.1:80\n")
    for dry_run in (True, False):
        report = await take(pool, b"socks5://10.0.0.1:1080\n", dry_run=dry_run)
        assert [(one.line, one.code) for one in report.warnings] == [(1, "shared_address")]
        assert "http" in report.warnings[0].reason


async def test_defaults_for_what_names_none(pool: Pool) -> None:
    await take(pool, b"10.0.0.1:80\n", default_protocol=Protocol.SOCKS5, group="br")
    [found] = (await pool.page())[1]
    assert (found.protocol, found.group) == (Protocol.SOCKS5, "br")


async def test_a_dry_run_foretells_and_changes_nothing(pool: Pool, redis: Redis) -> None:
    await take(pool, text(range(4)))
    source = (
        text([0])
        + text([1], "other")
        + text([1, 1], "third")
        + text([7, 7])
        + text([7], "other")
        + b"https://10.9.9.9:443\n10.8.8.8:80\nsocks5://10.8.8.8:1080\n"
    )
    before = await _everything(redis)
    foretold = await take(pool, source, mode="sync", dry_run=True)
    assert await _everything(redis) == before
    done = await take(pool, source, mode="sync")
    assert _plain(foretold) == done
    assert figures(done) == (4, 3, 3, 1, 2)
    assert [one.code for one in done.warnings] == ["unusable_protocol", "shared_address"]


async def test_each_line_has_its_verdict(pool: Pool) -> None:
    await take(pool, text(range(4)))
    source = (
        b"host,port,username,password,group,expires\n"
        b"10.0.0.0,80,user,secret,,\n"
        b"10.0.0.1,80,user,other,br,2999-01-01\n"
        b"nonsense\n"
        b"10.0.0.7,80,user,secret,,\n"
        b"10.0.0.7,80,user,secret,,\n"
        b"10.0.0.0,80,user,secret,,\n"
        b"10.0.0.7,80,user,fresh,,\n"
        b"https://10.9.9.9,443,,,,\n"
    )
    foretold = await take(pool, source, dry_run=True)
    assert [_shown(told) for told in foretold.in_order()] == [
        (2, "unchanged", "10.0.0.0", (), []),
        (3, "changed", "10.0.0.1", ("password", "group", "expires_at"), []),
        (4, "refused", None, (), ["port"]),
        (5, "new", "10.0.0.7", (), []),
        (6, "duplicate", "10.0.0.7", (), []),
        (7, "duplicate", "10.0.0.0", (), []),
        (8, "changed", "10.0.0.7", ("password",), []),
        (9, "new", "10.9.9.9", (), ["unusable_protocol"]),
    ]
    done = await take(pool, source)
    assert _plain(foretold) == done
    entries: Any = await pool.redis.xrange(pool.keys.named("events"))
    changed = [event["changed"] for _, event in entries if "changed" in event]
    assert changed == [",".join(judged.changed) for judged in foretold.in_order() if judged.changed]


async def test_a_sync_names_what_it_drains_and_what_it_says_of_no_proxy(pool: Pool) -> None:
    await take(pool, text(range(3)))
    report = await take(pool, b"host,port,username,colour\n10.0.0.0,80,user,red\n", mode="sync", dry_run=True)
    first, second, *drained = [_shown(judged) for judged in report.in_order()]
    assert first == (1, "warned", None, (), ["unknown_columns"])
    assert second == (2, "unchanged", "10.0.0.0", (), ["half_credentials"])
    assert sorted(drained) == [(None, "drained", f"10.0.0.{n}", (), []) for n in (1, 2)]


def _shown(judged: Judged) -> tuple[int | None, str, str | None, tuple[str, ...], list[str]]:
    host = judged.endpoint[1] if judged.endpoint else None
    return judged.line, judged.verdict, host, judged.changed, [one.code for one in judged.remarks]


def _plain(report: ImportReport) -> ImportReport:
    """Without what only a dry run tells."""
    return replace(report, dry_run=False, verdicts=Counter(), lines=[])


async def test_the_first_lines_of_each_verdict_are_told_and_the_others_counted(pool: Pool) -> None:
    many = KEPT + 3
    source = text(range(many)) + b"nonsense\n" * many + b"https://10.9.9.9:443\n"
    report = await take(pool, source, dry_run=True)
    kept = Counter(judged.verdict for judged in report.lines)
    assert kept == {Verdict.NEW: KEPT + 1, Verdict.REFUSED: KEPT}
    assert report.verdicts == {Verdict.NEW: many + 1, Verdict.REFUSED: many}
    assert report.in_order()[-1].endpoint == (Protocol.HTTPS, "10.9.9.9", 443), "listed for its warning"


async def _everything(redis: Redis) -> dict[str, Any]:
    return await dump(redis, "evoproxy:{test}:")


async def test_a_sync_drains_what_the_source_does_not_name(pool: Pool) -> None:
    await take(pool, text(range(5)))
    assert figures(await take(pool, text(range(2)), mode="sync")) == (0, 0, 2, 0, 3)
    assert (await pool.stats()).counts.disabled == 3
    assert figures(await take(pool, text(range(2)), mode="sync")) == (0, 0, 2, 0, 0)


@pytest.mark.parametrize("source", [b"", b"nonsense\n", b"\x00\x01\x02"])
async def test_a_sync_without_a_proxy_is_refused_and_drains_nothing(pool: Pool, source: bytes) -> None:
    await take(pool, text(range(2)))
    with pytest.raises(InvalidInputError) as caught:
        await take(pool, source, mode="sync")
    assert caught.value.params["field"] == "file"
    assert (await pool.stats()).counts.disabled == 0


@pytest.mark.parametrize("dry_run", [True, False])
async def test_a_sync_with_a_damaged_line_imports_the_others_and_drains_nothing(pool: Pool, dry_run: bool) -> None:
    await take(pool, text(range(3)))
    report = await take(pool, text([0]) + b"nonsense\n" + text([9]), mode="sync", dry_run=dry_run)
    assert figures(report) == (1, 0, 1, 0, 0)
    assert [(one.line, one.code) for one in report.warnings] == [(2, "not_drained")]
    assert (await pool.stats()).counts.disabled == 0


async def test_that_nothing_was_drained_is_the_first_of_many_warnings(pool: Pool) -> None:
    damaged = b"nonsense\n" + text([1]) + b"https://10.9.9.9:443\n" * (KEPT + 1)
    report = await take(pool, damaged, mode="sync")
    assert (report.warnings[0].code, len(report.warnings)) == ("not_drained", KEPT)
    assert report.warnings_count == KEPT + 2


async def test_a_proxy_that_stays_disabled_is_told(pool: Pool) -> None:
    await take(pool, text([1]) + b"https://10.9.9.9:443\n")
    [disabled] = [one.id for one in (await pool.page())[1] if one.host == "10.0.0.1"]
    await pool.disable(disabled, reason="human", actor="cli:test")
    for dry_run in (True, False):
        report = await take(pool, text([1]) + b"https://10.9.9.9:443\n", dry_run=dry_run)
        told = {(one.line, one.code) for one in report.warnings}
        assert told == {(1, "still_disabled"), (2, "unusable_protocol")}


async def test_an_expired_proxy_is_told_and_disabled(pool: Pool) -> None:
    for dry_run in (True, False):
        report = await take(pool, b"host,port,expires\n10.0.0.1,80,2001-01-01\n", dry_run=dry_run)
        assert figures(report) == (1, 0, 0, 1, 0)
        assert [(one.line, one.code) for one in report.warnings] == [(2, "expired")]
    assert (await pool.stats()).counts.disabled == 1


async def test_a_source_that_breaks_off_drains_nothing(pool: Pool) -> None:
    await take(pool, text(range(9)))

    async def broken() -> AsyncIterator[bytes]:
        yield text([1])
        raise ConnectionError

    with pytest.raises(ConnectionError):
        await import_proxies(pool, broken(), actor="cli:test", mode="sync")
    assert (await pool.stats()).counts.disabled == 0


async def test_one_operation_is_one_import(pool: Pool) -> None:
    first = await take(pool, text(range(3)), op_id="one")
    again = await take(pool, text(range(3)), op_id="one")
    assert figures(first) == figures(again) == (3, 0, 0, 0, 0)


async def test_one_operation_with_another_source_is_another_import(pool: Pool) -> None:
    await take(pool, text(range(3)), op_id="one")
    assert figures(await take(pool, text(range(3, 5)), op_id="one")) == (2, 0, 0, 0, 0)
    assert figures(await take(pool, text([3, 4], "other"), op_id="one")) == (0, 2, 0, 0, 0)


async def test_a_sync_under_the_id_of_an_older_one_drains(pool: Pool, redis: Redis) -> None:
    await take(pool, text(range(3)), mode="sync", op_id="nightly")
    for kept in await redis.keys("*op:*"):
        await redis.delete(kept)  # as ten minutes do
    assert figures(await take(pool, text(range(2)), mode="sync", op_id="nightly")) == (0, 0, 2, 0, 1)


async def test_a_sync_that_was_cut_off_is_finished_under_its_id(pool: Pool) -> None:
    await take(pool, text(range(intake.BATCH + 2)))

    async def broken() -> AsyncIterator[bytes]:
        yield text(range(intake.BATCH + 1))
        raise ConnectionError

    with pytest.raises(ConnectionError):
        await import_proxies(pool, broken(), actor="cli:test", mode="sync", op_id="one")
    report = await take(pool, text(range(intake.BATCH + 1)), mode="sync", op_id="one")
    assert (report.unchanged, report.drained) == (intake.BATCH + 1, 1)


async def test_no_name_in_redis_tells_a_password(pool: Pool, redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def fingerprint(password: str) -> str:
        asked.append(password)
        return "print"

    monkeypatch.setattr(pool.vault, "fingerprint", fingerprint)
    await take(pool, text([1]), op_id="one")
    first = set(await redis.keys("*op:*"))
    await take(pool, text([1], "other"), op_id="one")
    assert set(await redis.keys("*op:*")) == first, "the id rests on fingerprints alone"
    assert {"secret", "other"} <= set(asked)


async def test_progress_is_told_after_each_batch(pool: Pool) -> None:
    told: list[int] = []
    await take(pool, text(range(intake.BATCH * 2 + 1)), on_progress=lambda report: told.append(report.accepted))
    assert told == [intake.BATCH, intake.BATCH * 2, intake.BATCH * 2 + 1]


class _Nowhere(Pool):
    """Takes everything and keeps nothing."""

    async def import_proxies(self, specs: list[ProxySpec], **options: object) -> list[Imported]:  # type: ignore[override]
        return [Imported("added", "free", ()) for _ in specs]


async def test_a_long_source_needs_no_more_memory_than_a_short_one(redis: Redis) -> None:
    async def source(lines: int) -> AsyncIterator[bytes]:
        for start in range(0, lines, 1000):
            yield text(range(start, start + 1000)) + b"nonsense\n" * 200

    async def peak(lines: int) -> int:
        tracemalloc.start()
        report = await import_proxies(_Nowhere(redis, "test"), source(lines), actor="cli:test")
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert (report.accepted, report.rejected_count) == (lines, lines // 5)
        assert len(report.rejected) <= KEPT
        return most

    short, long = await peak(5_000), await peak(10_000)
    assert long < short * 1.2


async def test_others_get_their_turn_while_a_chunk_is_read(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    longest = 0
    seen: list[int] = []
    feed = ProxyReader.feed

    def measured(self: ProxyReader, data: bytes) -> object:
        nonlocal longest
        longest = max(longest, len(data))
        seen.append(turns)
        return feed(self, data)

    monkeypatch.setattr(ProxyReader, "feed", measured)
    task = asyncio.create_task(others())
    await take(pool, b"nonsense\n" * 20_000)
    task.cancel()
    assert longest <= 16384
    assert len(set(seen)) >= 180_000 // 16384
