"""The calm after the bad hours, and what has to be true at its end."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Any

from service.control.byhand import assign, rotate
from service.evolution.simulator import Instance
from service.pool.models import Applied, Broken, Phase
from tests.load.hours.director import ACTOR, Director
from tests.load.hours.site import SERVERS, SETTINGS, Site

_LOOKS_EVERY = 60.0
_LATE = 10.0
"""Seconds that may pass between a restart's turn and its call: the live state and the row are read in between."""


async def calm(site: Site, director: Director, seconds: float) -> None:
    """Everything is right again but for the proxies that are dead; the last of them die after two minutes. Humans see
    to what waits for humans: a pool that was too small for the bad hours is one of these."""
    await director.end()
    await site.grow()
    for server in SERVERS:
        for half in ("release", "set"):
            await site.pool.brake(server, half, engaged=False, reason="by_hand", actor=ACTOR)
    for minute in range(int(seconds / _LOOKS_EVERY)):
        if minute == 2:
            director.one_more_dies()
        for server, instance in site.cast():
            await _see_to(site, director, server, instance)
        await asyncio.sleep(_LOOKS_EVERY)


async def _see_to(site: Site, director: Director, server: str, instance: Instance) -> None:
    """What policy leaves to a human: an instance that was left unmanaged or holds a proxy of its own, one that may or
    may not use its proxy, one whose rotations are spent, and a release set aside."""
    lease = await site.pool.lease_of(server, instance.id)
    control = site.controller.servers[server]
    if instance.status != "open":
        return
    if lease is None or lease.phase is Phase.RELEASING:
        director.ask(assign(control, instance.name, actor=ACTOR))
    elif lease.applied is Applied.UNKNOWN or lease.spent:
        director.ask(rotate(control, instance.name, actor=ACTOR))


async def broken(site: Site) -> list[str]:
    """What is not as it has to be, in words; empty is well."""
    found = [f"check: {one}" async for one in site.pool.check() if isinstance(one, Broken)]
    found += [f"shared: {one}" for one in site.sockets.violations]
    exits = Counter(socket.exit for socket in site.live() if socket.exit is not None)
    found += [f"{count} sockets share {exit_.id}" for exit_, count in exits.items() if count > 1]
    for server, instance in site.cast():
        if instance.status == "open" and (wrong := await _wrong(site, server, instance)):
            found.append(f"{server}/{instance.name}: {wrong}")
    for server, sim in site.sims.items():
        if sim.calls.counts["instance/connect"]:
            found.append(f"{server}: GET /instance/connect was called")
        for clients in site.lives:
            client = clients[server]
            if client.most_sets > SETTINGS.sets_in_flight:
                found.append(f"{server}: {client.most_sets} sets in flight")
            if over := over_pace(client.restarts):
                found.append(f"{server}: {over:.1f} restarts over the pace")
    stats = await site.pool.stats()
    if stats.stuck or stats.reserved or stats.unprotected:
        found.append(f"stuck {stats.stuck}, reserved {stats.reserved}, unprotected {stats.unprotected}")
    if stats.counts.quarantined > len(site.dead()) + 20:
        found.append(f"{stats.counts.quarantined} proxies are quarantined, {len(site.dead())} are dead")
    return found


async def _wrong(site: Site, server: str, instance: Instance) -> str:
    lease = await site.pool.lease_of(server, instance.id)
    exit_ = instance.socket.exit if instance.socket else None
    if lease is None:
        return f"holds nothing, is {instance.state} through {exit_}"
    if (lease.phase, lease.applied) != (Phase.ACTIVE, Applied.YES):
        return f"{lease.phase} {lease.waits} {lease.applied} {lease.release_reason}, is {instance.state}"
    if exit_ is None or exit_.id != lease.proxy_id:
        return f"is {instance.state} through {exit_}, holds {lease.proxy_id}"
    if exit_ in site.dead():
        return "goes out through a dead proxy"
    return ""


def over_pace(restarts: Sequence[float]) -> float:
    """How many restarts more than burst + rate × time there were in the worst window."""
    over = 0.0
    tokens, at = float(SETTINGS.restart_burst), 0.0
    for call in restarts:
        tokens = min(SETTINGS.restart_burst, tokens + (call - at) * SETTINGS.restart_rate) - 1
        at = call
        over = max(over, -tokens)
    return max(0.0, over - _LATE * SETTINGS.restart_rate)


async def figures(site: Site, director: Director) -> dict[str, Any]:
    """What happened and what it cost."""
    stats = await site.pool.stats()
    counts = sum((sim.calls.counts for sim in site.sims.values()), Counter[str]())
    return {
        "played": dict(director.played.most_common()),
        "humans_refused": dict(director.refused.most_common()),
        "calls": {route: counts[route] for route in sorted(counts) if route.count("/") == 1},
        "lives": len(site.lives),
        "most_sets": max(client.most_sets for clients in site.lives for client in clients.values()),
        "instances": len(site.cast()),
        "held": stats.counts.used,
        "quarantined": stats.counts.quarantined,
        "dead": len(site.dead()),
        "events": stats.events,
    }
