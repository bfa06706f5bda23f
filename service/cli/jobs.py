"""``jobs``: the bulk actions that are under way or over."""

from __future__ import annotations

from typing import Annotated

import typer

from service.cli import output
from service.cli.asking import asking
from service.cli.backend import Backend
from service.cli.command import named
from service.errors import InvalidInputError

COLUMNS = {
    "id": "id",
    "target": "target",
    "action": "action",
    "state": "state",
    "done": "done",
    "total": "total",
    "failed": "failedCount",
    "actor": "actor",
    "created": "createdAt",
}


def _named(value: str | None) -> str | None:
    return None if value is None else named(value)


Job = Annotated[str | None, typer.Argument(metavar="[JOB]", callback=_named, help="One job's id; else all are listed.")]
Cancel = Annotated[bool, typer.Option("--cancel", help="Begin nothing more of it; what is done stays done.")]


@asking
async def jobs(backend: Backend, job: Job = None, cancel: Cancel = False, as_json: output.Json = False) -> None:
    """List the jobs of bulk actions, or show JOB."""
    if job is None:
        if cancel:
            raise InvalidInputError("no_job_named")
        await output.listed(backend.jobs(), COLUMNS, as_json=as_json)
        return
    if cancel:
        await backend.cancel_job(job)
    (output.document if as_json else output.figures)(await backend.job(job))
