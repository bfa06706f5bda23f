"""lua/README.md says what the headers say."""

from __future__ import annotations

import re

from service.pool.models import Evidence
from service.pool.scripts import FOLDER
from tests.lua.headers import README, SCRIPTS, body, entries, promised, tables
from tests.lua.stage import HOUR, Stage, refused
from tests.lua.transitions import TRANSITIONS

PARTS = [f"lib/{path.stem}" for path in sorted((FOLDER / "lib").glob("*.lua"))]
TYPES = {cells[0]: cells[1] for cells in tables() if len(cells) == 3}
OUTCOMES = {cells[0]: set(cells[1].split()) for cells in tables() if len(cells) == 2 and cells[0] in SCRIPTS}


def test_the_key_table_holds_exactly_the_keys_of_the_headers() -> None:
    named: dict[str, str] = {}
    for one in (*SCRIPTS, *PARTS):
        for key, kind in entries(one, "KEYS").items():
            assert named.setdefault(key, kind) == kind, f"{one} says that {key} is a {kind}"
    assert {key: kind for key, kind in TYPES.items() if ":" not in key} == named


def test_the_key_table_holds_exactly_the_names_that_are_built() -> None:
    built = set(re.findall(r"root \.\. '(\w+):'", body("lib/names")))
    built |= {line for one in (*SCRIPTS, *PARTS) for line in re.findall(r"line_key\('(\w+)'", body(one))}
    assert {key.partition(":")[0] for key in TYPES if ":" in key} == built


def test_the_outcome_table_holds_exactly_the_words_of_the_headers() -> None:
    assert {name: promised(name) for name in SCRIPTS} == OUTCOMES


def test_every_script_and_part_is_explained() -> None:
    assert {f"`{name}`" for name in SCRIPTS} <= set(re.findall(r"`\w+`", README))


async def test_every_key_in_redis_has_the_type_of_the_table(stage: Stage) -> None:
    for name in TRANSITIONS:
        pool = await stage.beside(name)
        call = await TRANSITIONS[name](pool)
        await call(pool.pool)
    rested = await stage.beside("rested")
    [proxy_id] = await rested.add()
    await rested.released(rest_ms=HOUR, rest_reason="ban")
    await rested.pool.remove(proxy_id, actor="auto")
    rested.clock.move(2 * HOUR)
    await rested.add()
    await rested.pool.finish_release(await rested.active(), Evidence.FORCED)
    spent = await stage.beside("spent")
    await spent.add(2)
    await spent.see()
    with refused("rotations_spent"):
        await spent.pool.rotate(await spent.active(), reason="dead_proxy", per_day=0)
    seen: set[str] = set()
    for key in await stage.redis.keys("evoproxy:*"):
        short = key.partition("}:")[2]
        prefix, colon, _ = short.partition(":")
        [row] = [one for one in TYPES if one == short or (colon and one.startswith(prefix + ":"))]
        assert await stage.redis.type(key) == TYPES[row], key
        seen.add(row)
    assert TYPES.keys() - seen == set()
