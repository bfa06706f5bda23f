"""Tests that ``make test`` runs a share of, in full."""

from __future__ import annotations

import asyncio
import os
import sys

from tests.load.result import Result
from tests.load.simulated import ROOT


async def mutations(_redis_url: str, workers: int) -> Result:
    """Each mutation of the code turns a test red."""
    return await _passed("-m", "mutation", "-n", str(workers), MUTATIONS="all")


async def moments(_redis_url: str, stride: int) -> Result:
    """The mirror is killed at one of so many moments at which one of its awaits begins or ends, on each database."""
    return await _passed("tests/mirror/test_kill.py", MIRROR_STRIDE=str(stride))


async def _passed(*arguments: str, **environment: str) -> Result:
    """The tests pass; what pytest says goes to stderr."""
    command = (sys.executable, "-m", "pytest", "-q", *arguments)
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=pipe, env=os.environ | environment)
    output, _ = await process.communicate()
    said = output.decode()
    print(said, file=sys.stderr)
    summary = said.splitlines()[-1] if said else "nothing"
    return Result({"pytest": summary}, [f"pytest said: {summary}"] if process.returncode else [])
