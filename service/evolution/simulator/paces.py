"""How long things take at the simulated server, in seconds."""

from __future__ import annotations

from dataclasses import dataclass, field

OBSERVED_SERVICE_TIMES: dict[str, tuple[float, float]] = {
    "instance/create": (0.013, 0.038),
    "instance/fetchInstances": (0.017, 0.040),
    "instance/connectionState": (0.001, 0.001),
    "instance/restart": (0.004, 0.004),
    "proxy/set": (0.010, 0.020),
    "proxy/find": (0.002, 0.004),
}
"""Shortest and longest answer on loopback (EVOLUTION.md, 3 to 7, 12), the list for up to 100 instances. A real proxy
makes a set as slow as two fetches of icanhazip.com: a few hundred milliseconds."""


@dataclass(slots=True)
class Paces:
    """The defaults are the observed ones, but calls are answered at once unless ``service`` names their route."""

    close: float = 0.1
    """From the answer of a restart until the old socket is gone and the state is ``close`` (EVOLUTION.md, 6)."""
    connecting: float = 0.1
    """From ``close`` to ``connecting``."""
    open: float = 0.1
    """From ``connecting``, when the row is read, to ``open``."""
    attempt: float = 0.03
    """One turn of the reconnect loop with a dead proxy: 33 a second (B9)."""
    delete: float = 0.02
    """From the answer of a delete until the row is gone; meanwhile connectionState lacks its state (6)."""
    qr: float = 2.0
    """connect with state ``close`` (6)."""
    create_qr: float = 5.0
    """create with ``qrcode: true`` (3)."""
    rejected_create: float = 0.02
    """From Invalid proxy at a create until the instance is gone (B16)."""
    service: dict[str, tuple[float, float]] = field(default_factory=dict)
    """Shortest and longest service time by route, see :data:`OBSERVED_SERVICE_TIMES`."""

    @classmethod
    def fast(cls) -> Paces:
        """For tests: every transition is there, and lasts 10 ms; opening longer, so that a restart is not missed by who
        looks while the machine is busy."""
        return cls(0.01, 0.01, 0.1, attempt=0.01, delete=0.01, qr=0.01, create_qr=0.01, rejected_create=0.01)
