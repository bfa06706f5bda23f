"""``restore``: an emptied Redis gets its pool back, from the table or from an export."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Annotated, Any

import typer

from service.cli import environment, output, words
from service.cli.command import REFUSED, command
from service.cli.populate import chunks, opened, show
from service.control.intake import import_proxies
from service.errors import InvalidInputError, RefusedError
from service.pool.pool import Pool
from service.pool.stream import START
from service.settings import Settings
from service.web.models import ImportOut, rfc3339

if TYPE_CHECKING:
    from service.mirror.restore import Restored

SQL = "sql"

Source = Annotated[str, typer.Option("--from", metavar="sql|FILE", help="The table, or an export: proxies only.")]
Merge = Annotated[bool, typer.Option("--merge", help="Into a pool that is not empty: what is there stays as it is.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would happen; change nothing.")]


@command
async def restore(
    source: Source = SQL, merge: Merge = False, dry_run: DryRun = False, as_json: output.Json = False
) -> None:
    """Bring the pool back into an emptied Redis.

    Its proxies, who holds them, and what rests. Nothing is handed out until it is done and each server was read again.
    If it is interrupted, run it again. The service may go on. Tokens of the API can't be restored: make them anew, and
    restart the service for the superadmin's.
    """
    settings = environment.settings()
    async with environment.running_pool(settings, passwords=not dry_run) as pool:
        if source == SQL:
            left = await _from_sql(pool, settings, merge=merge, dry_run=dry_run, as_json=as_json)
        else:
            left = await _from_file(pool, source, settings, merge=merge, dry_run=dry_run, as_json=as_json)
    if not as_json:
        typer.echo(words.text("dry_run" if dry_run else "restored", settings.locale))
    if left:
        raise typer.Exit(REFUSED)


async def _from_sql(pool: Pool, settings: Settings, *, merge: bool, dry_run: bool, as_json: bool) -> int:
    """Answers how many rows could not be restored."""
    from service.cli import tables

    with output.progress("restore") as tell:
        done = await tables.restore(
            settings, pool, merge=merge, dry_run=dry_run, on_progress=lambda now: tell(now.looked)
        )
    if as_json:
        output.document({"from": SQL, "dryRun": dry_run, **_document(done), "damagedIds": done.damaged})
        return done.damaged_count
    output.figures(_document(done))
    for proxy_id in done.damaged:
        typer.echo(words.text("damaged_row", settings.locale, proxy=proxy_id))
    return done.damaged_count


async def _from_file(pool: Pool, file: str, settings: Settings, *, merge: bool, dry_run: bool, as_json: bool) -> int:
    """Its proxies only: the first look at each server finds out who uses them. Answers how many lines were rejected.

    Raises :class:`RefusedError` (not_empty) and :class:`InvalidInputError`, both before anything is changed.
    """
    if merge:
        raise InvalidInputError("merge_of_file", file=file)
    if file == "-":  # it is read twice
        raise InvalidInputError("no_file", file=file)
    actor = environment.actor()
    with opened(file) as source:
        report = await import_proxies(pool, chunks(source, file), actor=actor, dry_run=True)
    if not report.accepted:
        raise InvalidInputError("no_proxy_in_file", file=file)
    if not await pool.restoring() and (there := await pool.size()):
        raise RefusedError("not_empty", proxies=there)
    if not dry_run:
        name = uuid.uuid4().hex
        await pool.begin_restore(name, after=START, token=0, merge=False, actor=actor)
        with opened(file) as source:
            report = await import_proxies(pool, chunks(source, file), actor=actor)
        await pool.finish_restore(name, source="file", proxies=report.added, left=report.rejected_count, actor=actor)
    shown = ImportOut.of(report, settings.locale).model_dump(mode="json", by_alias=True)
    if as_json:
        output.document({"from": file} | shown)
    else:
        await show(shown, settings.locale)
    return report.rejected_count


def _document(done: Restored) -> dict[str, Any]:
    return {
        "asOf": rfc3339(done.as_of),
        "restored": done.restored,
        "leases": done.leases,
        "known": done.known,
        "unleased": done.unleased,
        "damaged": done.damaged_count,
        "paused": done.paused,
        "unmanaged": done.unmanaged,
    }
