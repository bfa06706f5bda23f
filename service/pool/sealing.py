"""Under which encryption keys the pool's passwords are, and how they come under another one."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from service.errors import RefusedError, SettingsError
from service.pool.records import Records
from service.pool.vault import Vault, VaultError

_PAGE = 200
_SETTING = "EVOPROXY_ENCRYPTION_KEY"


@dataclass(frozen=True, slots=True)
class Resealed:
    """One proxy's password under the new key. ``was`` and ``secret`` as stored."""

    id: str
    was: str = field(repr=False)
    secret: str = field(repr=False)
    fingerprint: str


class Sealing(Records):
    """Methods raise what :meth:`Runner.run` raises."""

    vault: Vault

    async def use_key(self, *, actor: str = "auto", op_id: str | None = None) -> bool:
        """Before the first use of a password: sees to it that every stored one can be opened, and that what is sealed
        from now on is missed by nobody. Answers whether some may still be in clear or under an older key.

        Raises :class:`SettingsError` when a key is missing, or is not the one that all passwords are being put under.
        """
        try:
            reply = await self.run("use_key", key=self.vault.key_id, known=self._known, actor=actor, op_id=op_id)
        except RefusedError as error:
            raise SettingsError(problems=[f"{_SETTING}: {self._reason(error.code)}"]) from None
        return bool(reply[0])

    async def rotate_key(self, *, actor: str) -> AsyncGenerator[tuple[int, int], None]:
        """Puts every password under the key that seals, also those in clear. Answers after each page how many proxies
        were looked at and how many of them resealed.

        To be repeated when it was interrupted; a second time it changes nothing. Meanwhile others may go on if they
        know this key and the older ones; only the sealing of passwords (import, change) waits for their restart with
        this key as the first. Raises :class:`SettingsError` when a key is missing, :class:`VaultError` with the
        ``proxy`` whose password no key opens. Refused: stale (another key has begun).
        """
        try:
            await self.reseal("begin", actor=actor)
        except RefusedError as error:
            raise SettingsError(problems=[f"{_SETTING}: {self._reason(error.code)}"]) from None
        cursor = ""
        while ids := await self.page_ids(cursor, _PAGE):
            items = await self._outdated(ids)
            yield len(ids), await self.reseal("page", items, actor=actor) if items else 0
            cursor = ids[-1]
        await self.reseal("finish", actor=actor)

    async def reseal(
        self,
        what: Literal["begin", "page", "finish"],
        items: Sequence[Resealed] = (),
        *,
        actor: str,
        op_id: str | None = None,
    ) -> int:
        """One step of :meth:`rotate_key`; answers how many were resealed. Refused: wrong_encryption_key, stale."""
        key, known = self.vault.key_id, self._known
        return int((await self.run("reseal", items, what=what, key=key, known=known, actor=actor, op_id=op_id))[0])

    @property
    def _known(self) -> str:
        return " ".join(self.vault.known)

    def _reason(self, code: str) -> str:
        if code == "rotating":
            return "evoproxy rotate-key is at work with another key, or was interrupted: make that key the first"
        if len(self.vault.known) == 1:
            return "not set, but the pool holds passwords that are encrypted"
        return "does not hold every key that the pool's passwords are encrypted with"

    async def _outdated(self, proxy_ids: Sequence[str]) -> list[Resealed]:
        """What is to be stored of those that are not by the key that seals."""
        async with self.redis.pipeline(transaction=False) as pipeline:
            for proxy_id in proxy_ids:
                pipeline.hmget(self.keys.proxy(proxy_id), ["secret", "fingerprint"])
            found = await self.reading(pipeline.execute())
        vault, items = self.vault, []
        for proxy_id, (secret, fingerprint) in zip(proxy_ids, found, strict=True):
            if secret is None:  # removed meanwhile
                continue
            try:
                if not vault.is_current(secret, fingerprint or ""):
                    password = vault.open(secret)
                    items.append(Resealed(proxy_id, secret, vault.seal(password), vault.fingerprint(password)))
            except VaultError:
                raise VaultError(proxy=proxy_id) from None
        return items
