"""What the transitions of instances, servers and the whole pool ought to do."""

from __future__ import annotations

from collections.abc import Sequence

from service.pool.batches import Sighting
from service.pool.models import Phase
from tests.integration.machine.facts import Holder, Record, Refused, Server
from tests.integration.machine.state import State


class Instances(State):
    """Named and refused as those of :class:`service.pool.instances.Instances`."""

    def observe(self, server: str, sightings: Sequence[Sighting], seen_at: int) -> bool:
        counted = 0
        for sighting in sightings:
            holder = (server, sighting.instance)
            old = self.records.get(holder)
            if old and old.name != sighting.name:
                self.forget_name(holder, old.name)
            before = self.names.get((server, sighting.name), sighting.instance)
            if before != sighting.instance and not self.held((server, before), tails=True):
                self.forget((server, before))
            row = old.row if old else ""
            if self.changed_at.get(holder, 0) < seen_at:
                moved, row, counted = row != sighting.row, sighting.row, counted + 1
                self.see_row(holder, row)
                if old and moved:
                    self.is_back(holder, row)
            self.records[holder] = Record(sighting.name, sighting.state, sighting.managed, row, sighting.owner)
            self.names[server, sighting.name] = sighting.instance
        return counted == len(sightings)

    def is_back(self, holder: Holder, row: str) -> None:
        """A row that named something else names the proxy of the holder's lease again."""
        hold = self.proxies[row].hold if row and self.held(holder) == row else None
        if hold and hold.phase is Phase.ACTIVE:
            hold.unapply(self.now)
            self.note_change(holder)
            self.emit("lease.asserted")

    def forget_instance(self, server: str, instance: str) -> None:
        if self.held((server, instance), tails=True):
            raise Refused("HELD")
        self.forget((server, instance))

    def unmanage(self, server: str, instance: str, *, unmanaged: bool) -> None:
        holder = (server, instance)
        hold = self.proxies[held].hold if (held := self.held(holder)) else None
        if not unmanaged:
            self.rotated.pop(holder, None)
            if hold:
                hold.spent = False
        if (holder in self.unmanaged) != unmanaged:
            (self.unmanaged.add if unmanaged else self.unmanaged.discard)(holder)
            self.emit("instance.unmanaged" if unmanaged else "instance.managed")

    def renew_epoch(self, life: str, *, behind: bool) -> str:
        if life != self.life or behind:
            self.epoch = max(self.epoch + 1, self.now)
            self.emit("pool.rewound" if self.life else "pool.created")
            self.life = life
        return str(self.epoch)

    def configured_server(self, server: str) -> Server:
        if server not in self.configured:
            raise Refused("NOT_CONFIGURED")
        return self.servers[server]

    def mark_read(self, server: str, epoch: str) -> None:
        known = self.configured_server(server)
        if epoch != str(self.epoch):
            raise Refused("STALE")
        known.read, known.read_epoch = True, self.epoch

    def ignore_server(self, server: str, *, ignored: bool) -> None:
        known = self.configured_server(server)
        if known.ignored != ignored:
            known.ignored = ignored
            self.emit("server.ignored" if ignored else "server.heeded")

    def brake(self, server: str, half: str, *, engaged: bool) -> bool:
        if half not in ("release", "set"):
            raise Refused("BADARG")
        known = self.configured_server(server)
        if (half in known.brakes) == engaged:
            return False
        (known.brakes.add if engaged else known.brakes.discard)(half)
        if half == "set":
            known.refused.clear()
        self.emit("brake.engaged" if engaged else "brake.released")
        return True

    def suspect(self, server: str, *, suspected: bool) -> bool:
        known = self.configured_server(server)
        if known.suspected == suspected:
            return False
        known.suspected = suspected
        self.emit("server.suspect" if suspected else "server.cleared")
        return True

    def pause(self, *, paused: bool) -> bool:
        if self.paused == paused:
            return False
        self.paused = paused
        self.emit("pool.paused" if paused else "pool.resumed")
        return True
