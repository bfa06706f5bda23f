"""Steps of servers that come and go."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

from service.pool.models import Phase
from tests.integration.machine.draws import SERVERS, SETTLE, rests
from tests.integration.machine.steps import Steps, step


class ServerSteps(Steps):
    """What the settings and a human say of whole servers."""

    @step(1, servers=st.sampled_from((("s1", "s2"), ("s1", "s2"), ("s1",), ("s2",))))
    def configure(self, servers: Sequence[str]) -> None:
        self.both(lambda: self.model.configure(servers), self.pool.configure(servers, events_max=100_000))

    @step(2, server=st.sampled_from((*SERVERS, "s3")), rest=rests)
    def forget_server(self, server: str, rest: int) -> None:
        async def go() -> tuple[int, int]:
            done = await self.pool.forget_server(server, actor="test", rest_ms=rest)
            assert not done.more
            return done.leases, done.instances

        known = [holder for holder in self.model.records if holder[0] == server]
        if not self.both(lambda: self.model.forget_server(server, rest_ms=rest), go()):
            return
        for lease in [lease for lease in self.current if lease.server == server]:
            holder = (server, lease.instance)
            if lease.phase is Phase.RESERVED:
                self.uses.unanswered(lease.proxy_id, holder, self.clock.at + SETTLE)
            self.uses.closed(lease.proxy_id, holder)
            until = max(self.uses.lands[lease.proxy_id, holder], self.clock.at + rest)
            self.uses.lands[lease.proxy_id, holder] = until
            known.append(holder)
        for holder in known:
            self.uses.seen(holder, "off")
