"""Restore: an emptied pool gets its proxies and leases back from the table."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from service.errors import RefusedError
from service.mirror.database import explained
from service.mirror.mirror import Mirror
from service.mirror.rows import Row, snapshot_of
from service.mirror.schema import EVENTS, PROXIES
from service.mirror.standing import Standing, standing
from service.mirror.store import locked, proxy_pages, refuse_others
from service.pool.models import Phase, Proxy
from service.pool.pool import Pool
from service.pool.records import Snapshot
from service.pool.stream import START, EventId

PAGE = 500
BATCH = 50
"""Proxies a script call: some three milliseconds of Redis' time."""
DAMAGED_KEPT = 100
"""Damaged rows whose ids a report lists; beyond it they are only counted."""

_LATEST = 1_000
_LATEST_FIRST = (EVENTS.c.epoch.desc(), EVENTS.c.seq.desc())
_NEEDED = (
    "username",
    "secret",
    "fingerprint",
    "group",
    "available_at",
    "expires_at",
    "rev",
    "created_at",
    "updated_at",
)


@dataclass(slots=True)
class Restored:
    """What a restore did, or in a dry run would do.

    ``restored`` came back, ``leases`` of them held (reservations and tails included); ``known`` were there already and
    stay as they are. ``unleased`` came back without their lease, because their instance holds another proxy by now.
    The rows of ``damaged`` say what no pool wrote: they were left out. ``as_of`` (ms) is the last event that the table
    knows of: what came later is lost. What humans told policy holds again: ``paused``, and that it leaves ``unmanaged``
    instances alone.
    """

    restored: int = 0
    leases: int = 0
    known: int = 0
    unleased: int = 0
    damaged_count: int = 0
    damaged: list[str] = field(default_factory=list)
    as_of: int | None = None
    paused: bool = False
    unmanaged: int = 0

    @property
    def looked(self) -> int:
        return self.restored + self.known + self.damaged_count

    def leave(self, proxy_id: str) -> None:
        self.damaged_count += 1
        if len(self.damaged) < DAMAGED_KEPT:
            self.damaged.append(proxy_id)


async def restore(
    pool: Pool,
    engine: AsyncEngine,
    *,
    actor: str,
    merge: bool = False,
    dry_run: bool = False,
    on_progress: Callable[[Restored], None] | None = None,
) -> Restored:
    """Brings back what the table holds and the pool does not know; nothing that is there changes. With ``merge`` the
    pool need not be empty.

    Every row is looked at before the first change. Nothing is handed out from then on until the end, and each server
    was compared after it; a restore that was cut keeps it so and is to be repeated. A service may run beside it.

    Raises :class:`SettingsError` for tables of another pool, :class:`VaultError` for a password that no key at hand
    opens, :class:`DatabaseError` and :class:`StoreUnavailableError`. Refused: nothing_to_restore, not_empty, stale
    (somebody else has begun a restore), wrong_encryption_key.
    """
    if not merge and not await pool.restoring() and (there := await pool.size()):
        raise RefusedError("not_empty", proxies=there)
    if not dry_run:
        await Mirror(pool, engine).prepare()
    foreseen, told = await _foresee(pool, engine, on_progress)
    if dry_run:
        return foreseen
    name = uuid.uuid4().hex
    # Under the lock: the full comparison, which would take what is not there yet for removed, sees that this goes on.
    async with locked(engine, pool.name) as (connection, place):
        after = max(place.position, await _last_event(connection))
        token = await _last_token(connection)
        await pool.begin_restore(name, after=after, token=token, merge=merge, actor=actor)
    done = replace(foreseen, restored=0, leases=0, known=0, unleased=0, damaged_count=0, damaged=[])
    async for page in proxy_pages(engine, PROXIES.c, PAGE):
        sound = _sound(pool, page, done)
        for start in range(0, len(sound), BATCH):
            for outcome, _ in await pool.restore(name, sound[start : start + BATCH], actor=actor):
                done.restored += outcome != "KNOWN"
                done.known += outcome == "KNOWN"
                done.leases += outcome == "LEASED"
                done.unleased += outcome == "UNLEASED"
        if on_progress is not None:
            on_progress(done)
    if told.paused:
        await pool.pause(paused=True, actor=actor)
    for server, instance in told.unmanaged:
        await pool.unmanage(server, instance, unmanaged=True, actor=actor)
    left = done.unleased + done.damaged_count
    await pool.finish_restore(name, source="sql", proxies=done.restored, leases=done.leases, left=left, actor=actor)
    return done


async def _foresee(
    pool: Pool, engine: AsyncEngine, on_progress: Callable[[Restored], None] | None
) -> tuple[Restored, Standing]:
    """What a restore would do, from one look at everything. Raises as :func:`restore`."""
    foreseen = Restored()
    with explained():
        async with engine.connect() as connection:
            await refuse_others(connection, pool.name)
            foreseen.as_of = await connection.scalar(select(EVENTS.c.at).order_by(*_LATEST_FIRST).limit(1))
            told = await standing(connection)
            foreseen.paused, foreseen.unmanaged = told.paused, len(told.unmanaged)
    async for page in proxy_pages(engine, PROXIES.c, PAGE):
        sound = _sound(pool, page, foreseen)
        missing = set(await pool.unknown([one.id for one in sound]))
        foreseen.known += len(sound) - len(missing)
        foreseen.restored += len(missing)
        foreseen.leases += sum(bool(one.lease) for one in sound if one.id in missing)
        if on_progress is not None:
            on_progress(foreseen)
    if not foreseen.looked:
        raise RefusedError("nothing_to_restore")
    return foreseen, told


def _sound(pool: Pool, rows: Sequence[Row], report: Restored) -> list[Snapshot]:
    """The records of ``rows`` with their passwords under the key that seals; those that nobody could have written are
    left out. Raises :class:`VaultError`."""
    sound = []
    for row in rows:
        try:
            sound.append(_checked(pool, snapshot_of(row)))
        except (KeyError, TypeError, ValueError):
            report.leave(row["id"])
    return sound


def _checked(pool: Pool, snapshot: Snapshot) -> Snapshot:
    """Raises ``KeyError`` or ``ValueError`` for a record that no script wrote, and :class:`VaultError`."""
    record, vault = snapshot.proxy, pool.vault
    proxy = Proxy.parse(snapshot.id, record, snapshot.lease, pool.clock.now())
    if missing := [name for name in _NEEDED if name not in record]:
        raise KeyError(*missing)
    if proxy.secret and not proxy.secret.startswith(("plain:", "sealed:")):
        raise ValueError("a password as people write it")
    password = pool.spec_of(proxy).password
    if proxy.spec(password).id != snapshot.id:
        raise ValueError("another endpoint has this id")
    if (lease := proxy.lease) and (lease.phase is Phase.RELEASING) != (lease.waits is not None):
        raise ValueError("only a release waits for something")
    if vault.is_current(proxy.secret, record["fingerprint"]):
        return snapshot
    secret = {"secret": vault.seal(password), "fingerprint": vault.fingerprint(password)}
    return replace(snapshot, proxy={**record, **secret})


async def _last_event(connection: AsyncConnection) -> EventId:
    latest = select(EVENTS.c.epoch, EVENTS.c.seq).order_by(*_LATEST_FIRST).limit(1)
    found = (await connection.execute(latest)).first()
    return EventId(*found) if found else START


async def _last_token(connection: AsyncConnection) -> int:
    """The highest token of the leases that there are, and of those that the latest events tell of."""
    known = select(EVENTS.c.token).where(EVENTS.c.token.is_not(None), EVENTS.c.proxy.is_not(None))
    latest = await connection.scalars(known.order_by(*_LATEST_FIRST).limit(_LATEST))
    tokens = [int(token) for token in latest if token.isdecimal() and len(token) < 17]
    return max([*tokens, await connection.scalar(select(func.max(PROXIES.c.token))) or 0])
