"""What the pool ought to do: a plain model, written from DESIGN.md (part 3) and the headers of the scripts.

It keeps facts and derives everything that the scripts keep beside them: the lease map, the tails, the lines, the
memory, the figures. Times are in ms. :class:`Uses` knows nothing of all that: it follows who may still use a proxy.
"""

from __future__ import annotations

from tests.integration.machine.facts import Holder, Refused
from tests.integration.machine.proxies import Proxies
from tests.integration.machine.servers import Servers
from tests.integration.machine.uses import Uses

__all__ = ["Holder", "Model", "Refused", "Uses"]


class Model(Servers, Proxies):
    """One method a transition, named and refused as those of :class:`service.pool.pool.Pool`."""
