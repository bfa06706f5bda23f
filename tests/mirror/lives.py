"""Mirrors that live in processes of their own, to be killed."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import orjson

from tests.lua.stage import Stage
from tests.mirror.kill_child import LIVED, Order

ROOT = Path(__file__).parents[2]
BATCH = 5


class Lives:
    """Where lives of a mirror come from. ``folder`` is for the FIFOs that they tell."""

    def __init__(self, nursery: subprocess.Popen[str], folder: Path, redis_url: str, database_url: str) -> None:
        self._nursery = nursery
        self._folder = folder
        self._urls = {"redis_url": redis_url, "database_url": database_url}
        self._count = 0

    @classmethod
    @contextmanager
    def open(cls, folder: Path, redis_url: str, database_url: str) -> Iterator[Lives]:
        command = [sys.executable, "-m", "tests.mirror.kill_child"]
        with subprocess.Popen(command, stdin=subprocess.PIPE, text=True, cwd=ROOT) as nursery:
            yield cls(nursery, folder, redis_url, database_url)

    def _begin(self, stage: Stage, *, moment: int = 0, forever: bool = False) -> Path:
        """Begins a life; answers the FIFO that it tells."""
        self._count += 1
        fifo = self._folder / f"life{self._count}"
        os.mkfifo(fifo)
        order = Order(
            str(fifo),
            pool=stage.pool.name,
            batch=BATCH,
            now=stage.clock.at,
            moment=moment,
            forever=forever,
            **self._urls,
        )
        assert self._nursery.stdin is not None
        self._nursery.stdin.write(orjson.dumps(asdict(order)).decode() + "\n")
        self._nursery.stdin.flush()
        return fifo

    async def live(self, stage: Stage, moment: int) -> bool:
        """Whether the life outlived that moment."""
        lines = (await asyncio.to_thread(self._begin(stage, moment=moment).read_text)).splitlines()
        assert lines, "it did not begin"
        return lines[-1] == LIVED

    async def go_on(self, stage: Stage) -> int:
        """Begins a life that goes on until it is killed; answers its process id once it is about to work."""
        return int(await asyncio.to_thread(_first_line, self._begin(stage, forever=True)))


def _first_line(fifo: Path) -> str:
    with fifo.open() as told_by:
        return told_by.readline()
