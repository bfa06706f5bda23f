"""Transitions of proxies that nobody's instance takes part in."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, field

from service.errors import RefusedError
from service.models import USABLE_PROTOCOLS, Protocol, ProxySpec
from service.pool.batches import Foretold, Imported
from service.pool.models import Proxy
from service.pool.records import Records
from service.pool.vault import Vault, VaultError


@dataclass(frozen=True, slots=True)
class _Item:
    id: str
    protocol: str
    host: str
    port: str
    username: str
    secret: str = field(repr=False)
    fingerprints: str
    group: str
    labels: str
    expires_at: str
    unusable: str
    ip: bool


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    value: str = field(repr=False)


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


class Proxies(Records):
    """What an administrator and the clock do to proxies. Methods raise what :meth:`Runner.run` raises."""

    vault: Vault

    async def import_proxies(
        self, specs: Sequence[ProxySpec], *, stamp: str, actor: str, op_id: str | None = None
    ) -> list[Imported]:
        """Adds or updates a batch (a thousand is a good size); the answers are in its order. What a known proxy's spec
        does not name (password, group, labels, expiry) stays. Refused: wrong_encryption_key."""
        items = [
            _Item(
                id=spec.id,
                protocol=spec.protocol,
                host=spec.host,
                port=str(spec.port),
                username=spec.username,
                secret=self.vault.seal(spec.password),
                fingerprints=self.vault.fingerprints(spec.password),
                group=spec.group,
                labels="\n".join(spec.labels),
                expires_at="" if spec.expires_at is None else str(spec.expires_at),
                unusable="" if spec.protocol in USABLE_PROTOCOLS else "protocol",
                ip=_is_ip(spec.host),
            )
            for spec in specs
        ]
        reply = await self.run("import", items, stamp=stamp, key=self.vault.key_id, actor=actor, op_id=op_id)
        return [
            Imported(word, status, tuple(filter(None, others.split(","))))
            for word, status, others in zip(reply[::3], reply[1::3], reply[2::3], strict=True)
        ]

    async def preview(self, specs: Sequence[ProxySpec]) -> list[Foretold]:
        """What :meth:`import_proxies` would answer now; changes nothing. ``status`` is ``""`` for a new proxy."""
        details = ("status", "fingerprint", "group", "labels", "expires_at")
        async with self.redis.pipeline(transaction=False) as pipeline:
            for spec in specs:
                others = [f"{spec.host}|{protocol}" for protocol in Protocol if protocol is not spec.protocol]
                pipeline.hmget(self.keys.proxy(spec.id), details)
                pipeline.hmget(self.keys.named("hosts"), others)
            answers = await self.reading(pipeline.execute())
        return [self._foretold(*words) for words in zip(specs, answers[::2], answers[1::2], strict=True)]

    def _foretold(self, spec: ProxySpec, known: Sequence[str | None], others: Sequence[str | None]) -> Foretold:
        status, fingerprint, *details = known
        changed: list[str] = []
        if status is None:
            word = "added" if spec.protocol in USABLE_PROTOCOLS else "disabled"
        else:
            wanted = (spec.group, "\n".join(spec.labels), "" if spec.expires_at is None else str(spec.expires_at))
            if spec.password and fingerprint not in self.vault.fingerprints(spec.password).split():
                changed.append("password")
            named = zip(("group", "labels", "expires_at"), wanted, details, strict=True)
            changed += [name for name, want, have in named if want and want != have]
            word = "updated" if changed else "unchanged"
        protocols = [protocol for protocol in Protocol if protocol is not spec.protocol]
        shared = tuple(str(name) for name, there in zip(protocols, others, strict=True) if there)
        return Foretold(word, status or "", shared if _is_ip(spec.host) else (), tuple(changed))

    async def sync(self, *, stamp: str, cursor: str, limit: int, actor: str) -> tuple[str, int]:
        """Drains what the import ``stamp`` did not name, one page; answers the next cursor and how many."""
        following, drained = await self.run("sync", stamp=stamp, cursor=cursor, limit=limit, actor=actor)
        return following, int(drained)

    async def quarantine(
        self, proxy_id: str, *, reason: str, probation_ms: int, actor: str, op_id: str | None = None
    ) -> tuple[int, int]:
        """Answers the end of the probation in ms and the number of strikes. Refused: unknown_proxy, held, disabled."""
        until, strikes = await self.run(
            "quarantine", proxy=proxy_id, reason=reason, probation_ms=probation_ms, actor=actor, op_id=op_id
        )
        return int(until), int(strikes)

    async def disable(self, proxy_id: str, *, reason: str, actor: str, op_id: str | None = None) -> str:
        """Answers the status in Redis: ``used`` drains. Refused: unknown_proxy."""
        return str((await self.run("disable", proxy=proxy_id, reason=reason, actor=actor, op_id=op_id))[0])

    async def enable(self, proxy_id: str, *, actor: str, op_id: str | None = None) -> str:
        """Answers the status in Redis. Refused: unknown_proxy, unusable."""
        return str((await self.run("enable", proxy=proxy_id, actor=actor, op_id=op_id))[0])

    async def remove(self, proxy_id: str, *, actor: str, op_id: str | None = None) -> None:
        """Refused: unknown_proxy, held."""
        await self.run("remove", proxy=proxy_id, actor=actor, op_id=op_id)

    async def reveal(self, proxy_id: str, *, actor: str) -> str:
        """The password, after its event was written. Refused: unknown_proxy. Raises what opening it raises."""
        await self.run("reveal", proxy=proxy_id, actor=actor)
        proxy = await self.proxy(proxy_id)
        if proxy is None:
            raise RefusedError("unknown_proxy")
        return self.spec_of(proxy).password

    async def note_export(
        self,
        export_format: str,
        *,
        actor: str,
        status: str = "",
        group: str = "",
        protocol: str = "",
        op_id: str | None = None,
    ) -> int:
        """Writes the event of an export with passwords, before anything of it is given. Answers the pool's size."""
        filters = {"status": status, "group": group, "protocol": protocol}
        return int((await self.run("export", format=export_format, **filters, actor=actor, op_id=op_id))[0])

    async def note_snapshot(self, *, actor: str) -> None:
        """Writes the event of a comparison by hand, before anything in SQL is mended."""
        await self.run("snapshot", actor=actor)

    async def update(
        self,
        proxy_id: str,
        *,
        actor: str,
        rev: str | None = None,
        group: str | None = None,
        labels: Sequence[str] | None = None,
        expires_at: int | None = None,
        clear_expiry: bool = False,
        password: str | None = None,
        op_id: str | None = None,
    ) -> str:
        """Changes what is given; answers the new revision. ``rev`` are the expected ones, with a comma between them.
        Refused: unknown_proxy, rev_mismatch, wrong_encryption_key."""
        fields = []
        if group is not None:
            fields.append(_Field("group", group))
        if labels is not None:
            fields.append(_Field("labels", "\n".join(labels)))
        if expires_at is not None or clear_expiry:
            fields.append(_Field("expires_at", "" if expires_at is None else str(expires_at)))
        reply = await self.run(
            "update",
            fields,
            proxy=proxy_id,
            rev=rev,
            key=self.vault.key_id,
            secret=self.vault.seal(password or ""),
            fingerprints="" if password is None else self.vault.fingerprints(password),
            actor=actor,
            op_id=op_id,
        )
        return str(reply[0])

    async def sweep(self, *, limit: int, actor: str = "auto") -> bool:
        """Does what is due by the clock, at most ``limit`` of each kind; answers whether more is left."""
        return bool(int((await self.run("sweep", limit=limit, actor=actor, op_id=""))[3]))

    async def spec(self, proxy_id: str) -> ProxySpec | None:
        """The endpoint of a known proxy with its password opened. Raises as :meth:`spec_of`."""
        raw = await self.reading(self.redis.hgetall(self.keys.proxy(proxy_id)))
        return self.spec_of(Proxy.parse(proxy_id, raw, {}, self.clock.now())) if raw else None

    def spec_of(self, proxy: Proxy) -> ProxySpec:
        """The endpoint with its password opened. Raises :class:`service.pool.vault.VaultError` with its ``proxy``."""
        try:
            return proxy.spec(self.vault.open(proxy.secret))
        except VaultError:
            raise VaultError(proxy=proxy.id) from None
