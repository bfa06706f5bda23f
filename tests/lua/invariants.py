"""Promise P1 and every figure, computed a second time from the raw keys."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

from redis.asyncio import Redis

Hash = dict[str, str]
Dump = dict[str, Any]

NEVER = 253402300799000
KEPT = {"kept_phone", "kept_name"}


async def dump(redis: Redis, root: str) -> Dump:
    """Everything below ``root``, by short name: a string, a list, a hash, a set, a sorted set as a dict of scores, or a
    stream as a list of (id, fields)."""
    names = sorted([name async for name in redis.scan_iter(match=_literal(root) + "*", count=1000)])
    async with redis.pipeline(transaction=False) as pipeline:
        for name in names:
            pipeline.type(name)
        kinds = await pipeline.execute()
    async with redis.pipeline(transaction=False) as pipeline:
        for name, kind in zip(names, kinds, strict=True):
            _READ[kind](pipeline, name)
        values = await pipeline.execute()
    return {name.removeprefix(root): _plain(value) for name, value in zip(names, values, strict=True)}


_READ: dict[str, Any] = {
    "string": lambda pipeline, name: pipeline.get(name),
    "list": lambda pipeline, name: pipeline.lrange(name, 0, -1),
    "hash": lambda pipeline, name: pipeline.hgetall(name),
    "set": lambda pipeline, name: pipeline.smembers(name),
    "zset": lambda pipeline, name: pipeline.zrange(name, 0, -1, withscores=True),
    "stream": lambda pipeline, name: pipeline.xrange(name),
}


def _literal(root: str) -> str:
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in root)


def _plain(value: Any) -> Any:
    """Sorted sets as dicts; redis-py answers their members as pairs, lists or tuples by version and protocol."""
    if isinstance(value, list) and value and isinstance(value[0], list | tuple) and isinstance(value[0][1], float):
        return {member: int(score) for member, score in value}
    return value


def assert_invariants(found: Dump, now: int) -> None:
    """Every structure says what the records of proxies, leases and instances say, and nothing else."""
    proxies = _below(found, "proxy:")
    leases = _below(found, "lease:")
    _check_places(found, proxies, now)
    _check_leases(found, proxies, leases)
    _check_rows(found, proxies)
    _check_instances(found, proxies, leases)
    _check_events(found)


def _below(found: Dump, prefix: str) -> dict[str, Any]:
    return {name.removeprefix(prefix): value for name, value in found.items() if name.startswith(prefix)}


def _check_places(found: Dump, proxies: dict[str, Hash], now: int) -> None:
    expected: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for proxy_id, proxy in proxies.items():
        at, status = int(proxy["available_at"]), proxy["status"]
        if status == "free":
            expected[proxy["line"]][proxy_id] = at
            expected[f"{proxy['line']}:{proxy['group']}"][proxy_id] = at
            assert proxy["line"] == ("kept" if proxy.keys() & KEPT else "free")
        else:
            expected["quarantine" if status == "quarantined" else status][proxy_id] = (
                at if status == "quarantined" else 0
            )
    lines = {name for name in found if name.startswith(("free:", "kept:"))}
    for name in {"free", "kept", "used", "quarantine", "disabled", *lines, *expected}:
        assert found.get(name, {}) == expected[name], name
    groups = Counter(f"{proxy['status']}:{proxy['group']}" for proxy in proxies.values())
    assert found.get("groups", {}) == {name: str(number) for name, number in groups.items()}
    assert set(found.get("all", {})) == set(proxies)
    hosts = Counter(f"{proxy['host']}|{proxy['protocol']}" for proxy in proxies.values())
    assert found.get("hosts", {}) == {name: str(number) for name, number in hosts.items()}
    memory = {proxy[field]: proxy_id for proxy_id, proxy in proxies.items() for field in KEPT & proxy.keys()}
    assert found.get("memory", {}) == memory
    assert set(found.get("keeping", {})) == set(memory.values())
    expiring = {proxy_id: int(proxy["expires_at"]) for proxy_id, proxy in proxies.items() if proxy["expires_at"]}
    listed = found.get("expiring", {})
    assert listed.items() <= expiring.items()
    assert {proxy_id for proxy_id, at in expiring.items() if at > now} <= set(listed)


def _check_leases(found: Dump, proxies: dict[str, Hash], leases: dict[str, Hash]) -> None:
    assert set(leases) == {proxy_id for proxy_id, proxy in proxies.items() if proxy["status"] == "used"}
    maps: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for proxy_id, lease in leases.items():
        if lease["tail"] == "1":
            maps[f"tails:{lease['server']}"][proxy_id] = lease["instance"]
        else:
            assert lease["instance"] not in maps[f"leases:{lease['server']}"], "two leases of one instance"
            maps[f"leases:{lease['server']}"][lease["instance"]] = proxy_id
    for name in {name for name in found if name.startswith(("leases:", "tails:"))} | set(maps):
        assert found.get(name, {}) == maps[name], name
    for phase in ("reserved", "releasing"):
        assert set(found.get(phase, {})) == {one for one, lease in leases.items() if lease["phase"] == phase}, phase
    assert set(found.get("stuck", {})) == {one for one, lease in leases.items() if lease.get("stuck") == "1"}
    for lease in leases.values():
        assert ("waits" in lease) == (lease["phase"] == "releasing")
    reservations = {
        f"{lease['server']}/{lease['instance']}": int(lease["expires_at"])
        for lease in leases.values()
        if lease.get("reservation")
    }
    assert found.get("reservations", {}) == reservations
    tokens = [int(lease["token"]) for lease in leases.values()]
    assert len(set(tokens)) == len(tokens)
    assert max(tokens, default=0) <= int(found.get("meta", {}).get("token", "0"))


def _check_rows(found: Dump, proxies: dict[str, Hash]) -> None:
    users: defaultdict[str, set[str]] = defaultdict(set)
    for holder, row in found.get("rows", {}).items():
        users[row].add(holder)
    for holder, forced in _below(found, "forced:").items():
        for proxy_id in forced:
            users[proxy_id].add(holder)
    assert {name: set(members) for name, members in _below(found, "users:").items()} == dict(users)
    named = [one for one in users if one in proxies and proxies[one]["status"] == "free"]
    assert not named, "a row names a proxy that stands in the line"


def _check_instances(found: Dump, proxies: dict[str, Hash], leases: dict[str, Hash]) -> None:
    records = {holder: raw for holder, raw in _below(found, "instance:").items() if "name" in raw}
    figures = ("instances", "external", "unapplied", "spent", "unprotected")
    expected: dict[str, set[str]] = {name: set() for name in figures}
    states: Counter[str] = Counter()
    for holder, record in records.items():
        server, _, instance = holder.partition("/")
        member = f"{server}/{record['name']}\n{instance}"
        proxy_id = found.get(f"leases:{server}", {}).get(instance)
        lease = leases.get(proxy_id or "", {})
        phase, applied = lease.get("phase"), lease.get("applied")
        expected["instances"].add(member)
        states[f"{server}:{record['state']}"] += 1
        external = not lease and record["row"] not in ("", "off", *proxies)
        if external:
            expected["external"].add(member)
        if lease.get("spent") == "1":
            expected["spent"].add(member)
        if phase == "active" and applied != "yes":
            expected["unapplied"].add(member)
        protected = phase in ("active", "releasing") and applied == "yes" and record["row"] in ("", proxy_id)
        managed = record["managed"] == "1" and holder not in found.get("unmanaged", set())
        if record["state"] == "open" and managed and not external and not protected:
            expected["unprotected"].add(member)
        assert found[f"names:{server}"].get(record["name"]) is not None
    for name, members in expected.items():
        assert set(found.get(name, {})) == members, name
    assert found.get("states", {}) == {name: str(number) for name, number in states.items()}
    for server, names in _below(found, "names:").items():
        for name, instance in names.items():
            assert records[f"{server}/{instance}"]["name"] == name, "a name leads to an instance that bears another"


def _check_events(found: Dump) -> None:
    ids = [tuple(map(int, entry_id.split("-"))) for entry_id, _ in found.get("events", [])]
    assert ids == sorted(set(ids))
    for _, fields in found.get("events", []):
        assert fields["level"] in ("debug", "info", "warning", "error")
        assert fields["actor"]
        assert not {"secret", "password", "fingerprint"} & fields.keys()
