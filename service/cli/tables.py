"""What commands ask of SQL. Only they load it, because SQLAlchemy takes longer to load than all the rest."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict

from service.cli import environment
from service.cli.backend import Document
from service.mirror import restore as restoring
from service.mirror.database import open_database, url_of
from service.mirror.migrate import migrate as bring_up_to_date
from service.mirror.migrate import require_current
from service.mirror.mirroring import Mirroring
from service.mirror.questions import Questions
from service.mirror.restore import Restored
from service.pool.pool import Pool
from service.settings import Settings


@asynccontextmanager
async def questions(settings: Settings) -> AsyncIterator[Questions]:
    """Raises :class:`~service.errors.RefusedError` (outdated_tables): who asks changes nothing."""
    async with open_database(url_of(settings), create=False) as engine:
        await require_current(engine)
        yield Questions(engine)


async def snapshot(settings: Settings, pool: Pool) -> Document:
    async with open_database(url_of(settings)) as engine:
        mirroring = Mirroring(pool, engine, snapshot_interval=settings.snapshot_interval)
        return asdict(await mirroring.snapshot(actor=environment.actor()))


async def migrate(settings: Settings) -> str:
    """Answers the version of the tables."""
    async with open_database(url_of(settings)) as engine:
        return await bring_up_to_date(engine)


async def restore(
    settings: Settings, pool: Pool, *, merge: bool, dry_run: bool, on_progress: Callable[[Restored], None]
) -> Restored:
    """As :func:`service.mirror.restore.restore`. A dry run migrates nothing: it raises
    :class:`~service.errors.RefusedError` (outdated_tables)."""
    async with open_database(url_of(settings), create=False) as engine:
        if dry_run:
            await require_current(engine)
        return await restoring.restore(
            pool, engine, actor=environment.actor(), merge=merge, dry_run=dry_run, on_progress=on_progress
        )
