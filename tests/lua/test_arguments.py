"""A bad argument is an error that names it, and changes nothing. Those of one script only are in its own file."""

from __future__ import annotations

import pytest
from redis.exceptions import ResponseError

from service.pool.scripts import load_all
from tests.lua.headers import SCRIPTS
from tests.lua.invariants import dump
from tests.lua.stage import Stage

GOOD = {"int": "1", "flag": "0", "str": ""}
BAD = {"int": ("", "x", "1.5"), "flag": ("", "true", "2"), "str": ()}


@pytest.mark.parametrize("name", SCRIPTS)
async def test_every_argument_is_checked_before_anything_is_written(stage: Stage, name: str) -> None:
    script = load_all()[name]
    arguments = (*script.arguments, *script.repeated)
    good = [GOOD[argument.kind] for argument in arguments]
    keys = [stage.pool.keys.named(key) for key in script.keys]
    before = await dump(stage.redis, stage.pool.keys.root)
    for place, argument in enumerate(arguments):
        for bad in BAD[argument.kind]:
            argv = [*good[:place], bad, *good[place + 1 :]]
            with pytest.raises(ResponseError, match=f"BADARG {argument.name}"):
                await stage.redis.eval(script.text, len(keys), *keys, *argv)
    if len(script.repeated) != 1:  # else it is a shorter list
        with pytest.raises(ResponseError, match="BADARG"):
            await stage.redis.eval(script.text, len(keys), *keys, *good[:-1])
    assert await dump(stage.redis, stage.pool.keys.root) == before
