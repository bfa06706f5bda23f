"""The names of everything in Redis. The types and meanings stand in lua/README.md."""

from __future__ import annotations


class Keys:
    """Builds every name of one pool: ``evoproxy:{<pool>}:…``, so that a pool lives in one cluster slot."""

    __slots__ = ("root",)

    def __init__(self, pool: str) -> None:
        self.root = f"evoproxy:{{{pool}}}:"

    def named(self, name: str) -> str:
        """One of the pool's own structures, as the scripts' KEYS name them."""
        return self.root + name

    def proxy(self, proxy_id: str) -> str:
        return f"{self.root}proxy:{proxy_id}"

    def lease(self, proxy_id: str) -> str:
        return f"{self.root}lease:{proxy_id}"

    def leases(self, server: str) -> str:
        return f"{self.root}leases:{server}"

    def tails(self, server: str) -> str:
        return f"{self.root}tails:{server}"

    def names(self, server: str) -> str:
        return f"{self.root}names:{server}"

    def server(self, server: str) -> str:
        return f"{self.root}server:{server}"

    def users(self, proxy_id: str) -> str:
        return f"{self.root}users:{proxy_id}"

    def shunned(self, server: str, instance: str) -> str:
        return f"{self.root}shunned:{server}/{instance}"

    def instance(self, server: str, instance: str) -> str:
        return f"{self.root}instance:{server}/{instance}"

    def session(self, session: str) -> str:
        return f"{self.root}session:{session}"

    def job(self, job: str) -> str:
        return f"{self.root}job:{job}"
