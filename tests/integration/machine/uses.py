"""The promise that matters most, followed by itself."""

from __future__ import annotations

from math import inf

from tests.integration.machine.facts import Holder


class Uses:
    """Promise P5 by itself: who may still use which proxy, from what was sent and seen alone.

    ``rows``: the row of the holder is known to name it, until it is read as something else. ``sockets``: a connection
    may run through it, from a written row until it is proved gone. ``lands``: until then a set may still reach the row.
    """

    def __init__(self) -> None:
        self.rows: set[tuple[str, Holder]] = set()
        self.sockets: set[tuple[str, Holder]] = set()
        self.lands: dict[tuple[str, Holder], float] = {}
        self.unknown: dict[tuple[str, Holder], float] = {}

    def hand_out(self, proxy_id: str, holder: Holder, now: int) -> None:
        """A lease was made of choice: nobody else may be able to use its proxy."""
        others = {user for used, user in self.rows | self.sockets if used == proxy_id}
        others |= {user for (used, user), until in self.lands.items() if used == proxy_id and until > now}
        assert not others - {holder}, f"{proxy_id} given to {holder}, but {others - {holder}} may still use it"
        self.may_be_set(proxy_id, holder)

    def may_be_set(self, proxy_id: str, holder: Holder) -> None:
        self.lands[proxy_id, holder] = inf

    def seen(self, holder: Holder, row: str) -> None:
        """An explicit row was read (not ``""``)."""
        self.rows = {(proxy_id, user) for proxy_id, user in self.rows if user != holder}
        if row != "off":
            self.rows.add((row, holder))

    def written(self, proxy_id: str, holder: Holder) -> None:
        """The row was written and read back, or adopted."""
        self.seen(holder, proxy_id)
        self.sockets.add((proxy_id, holder))
        self.lands[proxy_id, holder] = self.unknown.get((proxy_id, holder), 0)

    def unanswered(self, proxy_id: str, holder: Holder, until: int) -> None:
        self.unknown[proxy_id, holder] = until

    def no_more_sets(self, proxy_id: str, holder: Holder) -> None:
        self.lands[proxy_id, holder] = self.unknown.get((proxy_id, holder), 0)

    def renamed(self, proxy_id: str, old: Holder, new: Holder) -> None:
        """Both are one instance, whose server bears another name now; its row was read under that one."""
        self.unknown[proxy_id, new] = max(self.unknown.pop((proxy_id, old), 0), self.unknown.get((proxy_id, new), 0))
        self.closed(proxy_id, old)
        self.seen(old, "off")

    def closed(self, proxy_id: str, holder: Holder) -> None:
        """The socket is proved gone, or a human takes the risk."""
        self.sockets.discard((proxy_id, holder))
        self.no_more_sets(proxy_id, holder)
