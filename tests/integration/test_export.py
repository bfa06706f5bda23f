"""What an export writes, an import reads back: any proxy, in any form."""

from __future__ import annotations

import dataclasses
import json
import tracemalloc
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis

from service.control.import_report import ImportReport
from service.control.intake import import_proxies
from service.models import Protocol, ProxySpec
from service.pool.models import Status
from service.pool.pool import Pool
from service.pool.vault import Vault, VaultError
from service.web.export import CSV_COLUMNS, Format, Wanted, export

pytestmark = pytest.mark.redis

NASTY = st.sampled_from(":@%#?/,;|\"' &=+\\[]{}0aZ")
PRINTABLE = st.characters(exclude_categories=["C", "Z"], exclude_characters="\N{REPLACEMENT CHARACTER}")
credentials = st.text(NASTY | PRINTABLE, max_size=8)
words = st.text(NASTY | PRINTABLE, max_size=8).map(lambda text: " ".join(text.split()))
specs = st.builds(
    ProxySpec,
    st.sampled_from(Protocol),
    st.sampled_from(["198.51.100.7", "2001:db8::7", "gw.example.com", "squid"]),
    st.integers(1, 65535),
    credentials,
    credentials,
    words,
    st.lists(words.filter(bool), max_size=3, unique=True).map(tuple),
    st.none() | st.integers(1, 253_402_300_799_000),
)
AWKWARD = ProxySpec(
    Protocol.SOCKS5, "2001:db8::7", 1080, ' u"', ' ="a, b" ', 'g,"h', ("a,b", '["c', "d;e|f", "#x"), 1_800_000_000_123
)


async def written(pool: Pool, **wanted: object) -> bytes:
    parts = export(pool, Wanted(**wanted), actor="cli:test")  # type: ignore[arg-type]
    return b"".join([part.text async for part in parts])


async def read(pool: Pool, document: bytes) -> ImportReport:
    async def source() -> AsyncIterator[bytes]:
        yield document

    return await import_proxies(pool, source(), actor="cli:test")


async def filled(redis: Redis, specs: Sequence[ProxySpec], name: str = "from") -> Pool:
    pool = Pool(redis, name, vault=Vault(["a key of the test"]))
    await pool.import_proxies(specs, stamp="s", actor="cli:test")
    return pool


async def held(pool: Pool) -> list[ProxySpec]:
    return [pool.spec_of(proxy) for proxy in (await pool.page("", 1000))[1]]


def a_hundred(count: int = 450) -> list[ProxySpec]:
    return [ProxySpec(Protocol.HTTP, "gw.example.com", 80, f"u{number}", f"p{number}") for number in range(count)]


@pytest.mark.parametrize("form", Format)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(several=st.lists(specs, max_size=4, unique_by=lambda spec: spec.id))
@example(several=[AWKWARD])
@example(several=[dataclasses.replace(AWKWARD, username="a ", password=" ", labels=())])
@example(several=[])
async def test_it_is_read_back_exactly(redis: Redis, form: Format, several: list[ProxySpec]) -> None:
    await redis.flushall()
    pool, other = await filled(redis, several), Pool(redis, "to")
    document = await written(pool, format=form, secrets=True)
    report = await read(other, document)
    assert (report.added, report.rejected) == (len(several), [])
    if form is Format.LINES:
        several = [dataclasses.replace(spec, group="", labels=(), expires_at=None) for spec in several]
    assert await held(other) == sorted(several, key=lambda spec: spec.id)
    assert (await read(pool, document)).unchanged == len(several)


@pytest.mark.parametrize("form", Format)
async def test_without_secrets_it_holds_none_and_read_back_it_takes_none_away(redis: Redis, form: Format) -> None:
    pool = await filled(redis, [dataclasses.replace(AWKWARD, password="Pl4nted&Pass")])
    document = await written(pool, format=form)
    assert b"Pl4nted" not in document
    assert b"sealed:" not in document
    report = await read(pool, document)
    assert (report.unchanged, report.rejected) == (1, [])
    assert [spec.password for spec in await held(pool)] == ["Pl4nted&Pass"]


async def test_each_form_is_what_its_name_says(redis: Redis) -> None:
    pool = await filled(redis, a_hundred())
    lines = (await written(pool, secrets=True)).decode().splitlines()
    assert sorted(lines) == sorted(f"http://{one.username}:{one.password}@gw.example.com:80" for one in a_hundred())
    assert "http://u7@gw.example.com:80" in (await written(pool)).decode().splitlines()
    header, *rows = (await written(pool, format=Format.CSV, secrets=True)).decode().splitlines()
    assert (header, len(rows)) == (",".join(CSV_COLUMNS), 450)
    objects = json.loads(await written(pool, format=Format.JSON, secrets=True))
    assert [value["id"] for value in objects] == sorted(one.id for one in a_hundred())
    assert {value["password"] for value in objects} == {one.password for one in a_hundred()}
    ndjson = (await written(pool, format=Format.NDJSON)).decode().splitlines()
    assert [json.loads(line) for line in ndjson] == [{**value, "password": None} for value in objects]
    assert json.loads(await written(pool, format=Format.JSON, group="none")) == []


async def test_filters(redis: Redis) -> None:
    several = [dataclasses.replace(one, group="br" if number < 2 else "") for number, one in enumerate(a_hundred(5))]
    pool = await filled(redis, [*several, ProxySpec(Protocol.SOCKS4, "gw.example.com", 80)])
    for wanted, count in (({"group": "br"}, 2), ({"status": Status.DISABLED}, 1), ({"protocol": Protocol.HTTP}, 5)):
        assert len((await written(pool, **wanted)).splitlines()) == count
    assert len((await written(pool, group="", status=Status.FREE)).splitlines()) == 3


async def test_only_passwords_are_an_event_and_it_comes_first(redis: Redis) -> None:
    pool = await filled(redis, a_hundred(3))

    async def told() -> list[dict[str, str]]:
        entries: Any = await redis.xrange(pool.keys.named("events"))
        return [event for _, event in entries if event["type"] == "export.made"]

    await written(pool)
    assert await told() == []
    parts = export(pool, Wanted(Format.CSV, secrets=True, status=Status.FREE), actor="token:ana")
    await anext(parts)
    [event] = await told()
    assert (event["actor"], event["format"], event["total"], event["status"]) == ("token:ana", "csv", "3", "free")
    await parts.aclose()


async def test_a_password_that_can_not_be_opened_ends_it(redis: Redis) -> None:
    pool = await filled(redis, a_hundred(3))
    stranger = Pool(redis, "from", vault=Vault(["another key of the test"]))
    with pytest.raises(VaultError):
        await written(stranger, secrets=True)
    assert len((await written(stranger)).splitlines()) == 3
    assert pool.vault.key_id not in str(await redis.xrange(pool.keys.named("events")))


async def test_its_memory_does_not_follow_the_pool(redis: Redis) -> None:
    pool = await filled(redis, a_hundred(500))

    async def peak() -> int:
        tracemalloc.start()
        async for _ in export(pool, Wanted(Format.JSON, secrets=True), actor="cli:test"):
            pass
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    await peak()
    small = await peak()
    for start in range(0, 5000, 500):
        more = [dataclasses.replace(one, port=start + 81) for one in a_hundred(500)]
        await pool.import_proxies(more, stamp="s", actor="cli:test")
    assert await peak() < 1.5 * small
