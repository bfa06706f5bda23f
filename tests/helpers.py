"""What tests of several rooms share."""

from __future__ import annotations

import asyncio
import inspect
import os
import shutil
from collections.abc import Callable

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
"""The browser of the tests."""

LONG = 30.0
"""Seconds that pass only where something hangs: no machine is slow enough to need them."""


async def wait_until(condition: Callable[[], object], *, deadline: float = LONG, what: str = "") -> None:
    """Return once ``condition()`` (or what it awaits) is truthy; it is asked again and again on the running loop.

    Fails the test after ``deadline`` seconds, naming ``what`` and the last result.
    """
    loop = asyncio.get_running_loop()
    end = loop.time() + deadline
    while True:
        result = condition()
        value = await result if inspect.isawaitable(result) else result
        if value:
            return
        if loop.time() >= end:
            pytest.fail(f"not within {deadline:g} s: {what or condition!r}; last result {value!r}")
        await asyncio.sleep(0.005)


def require(name: str, present: object) -> None:
    """Go on if ``present``; otherwise skip the test on a laptop and fail it on CI, where nothing may be missing."""
    if present:
        return
    if os.environ.get("CI") == "true":
        pytest.fail(f"{name} is missing on CI")
    pytest.skip(f"{name} is not installed here")
