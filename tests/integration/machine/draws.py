"""What the steps of a walk are drawn from: so few of each that they often meet. Times in ms."""

from __future__ import annotations

from types import SimpleNamespace

from hypothesis import strategies as st

from service.models import Protocol, ProxySpec

SETTLE, MEMORY, START = 100_000, 400_000, 1_700_000_000_000
SERVERS = ("s1", "s2")
SPECS = tuple(
    ProxySpec(Protocol.HTTP, "10.0.0.1", port, group=group) for port, group in enumerate(("", "", "", "a", "a"), 1)
)
UNUSABLE = ProxySpec(Protocol.SOCKS4, "10.0.0.1", 9)
IDS = tuple(spec.id for spec in (*SPECS, UNUSABLE))
FOREIGN = "f" * 20
ALL = tuple(SimpleNamespace(id=proxy_id) for proxy_id in IDS)

flags = st.booleans()
rarely = st.sampled_from((False, False, False, True))
picks = st.integers(0, 7)
servers = st.sampled_from(("s1", "s1", "s1", "s2"))
instances = st.sampled_from(("i1", "i2", "i3"))
names = st.sampled_from(("n1", "n1", "n2"))
owners = st.sampled_from(("", "o1", "o2"))
proxies = st.sampled_from(IDS)
pins = st.sampled_from(("",) * 12 + (*IDS, FOREIGN))
rows = st.sampled_from(("off", "off", "", *IDS, FOREIGN))
groups = st.sampled_from(("", "", "", "", "a", "a", "b"))
rests = st.sampled_from((0, 0, 50_000, 300_000))
ages = st.sampled_from((-1, -1, 0, 30_000))
