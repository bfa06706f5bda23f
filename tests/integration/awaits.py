"""Where a coroutine is suspended, as a name; and a task factory that tells of each suspension."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Generator, Iterator
from pathlib import Path
from types import CodeType, TracebackType
from typing import Any, Literal

import service

Moment = Literal["suspended", "resumed"]

_PACKAGE = Path(service.__file__).parent
_ROOMS = tuple(f"{_PACKAGE / room}/" for room in ("control", "pool", "evolution", "mirror"))
_SIMULATOR = f"{_PACKAGE / 'evolution' / 'simulator'}/"


def _ours(code: CodeType) -> bool:
    return code.co_filename.startswith(_ROOMS) and not code.co_filename.startswith(_SIMULATOR)


def _frames(coroutine: object) -> Iterator[str]:
    """``file:line:function`` of each of evoproxy's awaits that the suspended ``coroutine`` is in, outermost first."""
    while coroutine is not None:
        frame = getattr(coroutine, "cr_frame", None) or getattr(coroutine, "gi_frame", None)
        if frame is not None and _ours(frame.f_code):
            yield f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}:{frame.f_code.co_name}"
        coroutine = getattr(coroutine, "cr_await", None) or getattr(coroutine, "gi_yieldfrom", None)


class Traced(Coroutine[Any, Any, Any]):
    """Runs a coroutine and tells ``watch`` whenever an await of evoproxy's suspends it, and is about to go on.

    An await is named by the whole chain of evoproxy's frames that lead to it, so that one line of the pool counts
    anew for each line that calls it. Awaits that never suspend let nothing else happen and are no point of their own.
    """

    def __init__(self, inner: Coroutine[Any, Any, Any], watch: Callable[[str, Moment], None]) -> None:
        self._inner = inner
        self._watch = watch
        self._at = ""

    def send(self, value: Any) -> Any:
        return self._step(lambda: self._inner.send(value))

    def throw(self, kind: Any, value: Any = None, trace: TracebackType | None = None) -> Any:
        error = kind if value is None else value
        return self._step(lambda: self._inner.throw(error))

    def close(self) -> None:
        self._inner.close()

    def __await__(self) -> Generator[Any, Any, Any]:
        return self._inner.__await__()

    def _step(self, step: Callable[[], Any]) -> Any:
        if self._at:
            self._watch(self._at, "resumed")
        self._at = ""
        yielded = step()
        self._at = " > ".join(_frames(self._inner))
        if self._at:
            self._watch(self._at, "suspended")
        return yielded


def trace(loop: asyncio.AbstractEventLoop, watch: Callable[[str, Moment], None]) -> None:
    """Every task that ``loop`` makes from now on is traced."""

    def make(loop: asyncio.AbstractEventLoop, coroutine: Any, **options: Any) -> asyncio.Task[Any]:
        return asyncio.Task(Traced(coroutine, watch), loop=loop, **options)

    loop.set_task_factory(make)
