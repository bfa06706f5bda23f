"""The switches for what goes wrong. Each names its place in EVOLUTION.md.

How each surprise of part B is made to happen (*always*: the server's plain behaviour, without a switch):

== ==================================================================================================
1  ``silent_loss``, ``db_down``; *always* for a set without username or password, or with a long field
2  ``null_on_read``, ``db_down``
3  ``save_delay``, ``Condition.SILENT``
4  *always*: GET /instance/connect
5  ``direct_reconnect``
6  not simulated: no one is contacted but the webhooks
7  ``default_proxy``
8  *always*: ``drop`` and ``hang``; ``shown_status``
9  ``Condition.DEAD`` and ``drop``; how often: ``Paces.attempt``
10 ``Condition.REFUSING``, ``Condition.SILENT``, ``hang``
11 ``db_down`` and ``drop`` or a restart
12 not simulated: the API does not show media
13 *always*; ``restart_refused``, ``restart_ignored``
14 ``shown_state``, ``not_loaded``; *always* just after a delete
15 ``ghosts``
16 *always*: create with a bad proxy; how long: ``Paces.rejected_create``
17 ``delete_delay``
18 ``not_loaded`` and a logout
19 *always*; ``db_down`` for tokens
20 *always*
21 *always*
22 ``invalid_proxy``, ``invalid_next``, ``Condition.SAME_EXIT``
23 *always*; ``protocols``; a row of an unknown protocol breaks restart and connect
24 *always*: a set is tested each time
25 *always*
26 *always*
27 *always*
28 ``webhooks_shuffled``, ``webhooks_repeated``, ``Retries``; *always* lost by ``unload``
29 ``Fault("", hang=True)``
== ==================================================================================================
"""

from __future__ import annotations

from collections.abc import Callable, Container
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, TypeVar

from service.evolution.simulator.proxies import Endpoint, ProxyRow

T = TypeVar("T")
Rule: TypeAlias = bool | Container[T] | Callable[[T], bool]
"""For whom a wart holds: all or none, the members, or those a predicate names."""


def applies(rule: Rule[T], subject: T) -> bool:
    if isinstance(rule, bool):
        return rule
    return rule(subject) if callable(rule) else subject in rule


@dataclass(slots=True)
class Fault:
    """Something that happens to calls in place of, or around, their proper answer.

    ``route`` is the first two segments of the path (``"proxy/set"``) and ``name`` the instance's; ``None`` fits all.
    ``times`` bounds how often it strikes. Before the call is carried out it is delayed (seconds), then held until
    ``release()``, then cut off or answered with ``status``, or with ``body`` (JSON text; status 200 unless given) as
    by a server of an unknown version; ``cut="after"`` carries it out and loses the answer.
    """

    route: str | None = None
    name: str | None = None
    times: int | None = None
    delay: float = 0.0
    hang: bool = False
    status: int | None = None
    body: bytes | None = None
    cut: Literal["before", "after"] | None = None

    def fits(self, route: str, name: str | None) -> bool:
        return self.times != 0 and self.route in (None, route) and self.name in (None, name)


@dataclass(slots=True)
class Warts:
    """All off by default, but for those that are the server's plain behaviour. May be changed at any time."""

    db_down: bool = False
    """The DB can't be reached (1, B2, B11 and the table at the end of B)."""
    not_loaded: Rule[str] = False
    """Names that are in the DB, not in memory: the server is starting (4, 5, C7)."""
    silent_loss: Rule[Endpoint] = False
    """201, nothing saved (B1)."""
    invalid_proxy: Rule[Endpoint] = False
    """The proxy test fails; ``True`` is icanhazip.com down (B22)."""
    invalid_next: int = 0
    """The next so many proxy tests fail, whatever the proxy (B22)."""
    save_delay: float | None = 0.0
    """Seconds from the answer of a set to its save; ``None``: until ``release()`` (7, B3)."""
    null_on_read: Rule[str] = False
    """Names for which proxy/find answers ``null`` though there is a row (B2)."""
    hidden: Rule[str] = False
    """Names missing in the unfiltered list: ``True`` is an empty list (C7)."""
    shown_state: dict[str, str | None] = field(default_factory=dict)
    """What connectionState says, by name; ``None`` leaves ``state`` out (5, B14)."""
    shown_status: dict[str, str] = field(default_factory=dict)
    """What the list says as connectionStatus, by name (B8)."""
    default_proxy: ProxyRow | None = None
    """PROXY_HOST in the server's environment: where instances without a proxy of their own go out (7, B7)."""
    direct_reconnect: Rule[str] = False
    """Names whose next sockets go out directly although a proxy is set (B5)."""
    restart_refused: Rule[str] = False
    """restart answers 200 error:true (B13)."""
    restart_ignored: Rule[str] = False
    """restart answers as always and does nothing (B13)."""
    delete_delay: float | None = 0.0
    """Seconds that a deleted instance lives on after its 200; ``None``: until ``release()`` (6, B17)."""
    ghosts: bool = True
    """An instance deleted while it reconnects lives on until the server restarts (B15)."""
    webhooks_shuffled: float = 0.0
    """Each webhook is held back for a random time up to so many seconds (11, B28)."""
    webhooks_repeated: float = 0.0
    """Probability that a delivered webhook is sent again (11, B28)."""
    webhook_apikey: bool = False
    """AUTHENTICATION_EXPOSE_IN_FETCH_INSTANCES: webhook bodies hold the instance's token (11)."""
    version_1: bool = False
    """fetchInstances answers in the shape of version 1 (introduction)."""
    protocols: frozenset[str] = frozenset({"http", "socks", "socks5"})
    """What the server can use; 2.3.6 and older: http and socks (introduction)."""
    faults: list[Fault] = field(default_factory=list)

    def strike(self, route: str, name: str | None) -> Fault | None:
        """The first fault that fits this call, counted as used."""
        for fault in self.faults:
            if fault.fits(route, name):
                if fault.times is not None:
                    fault.times -= 1
                return fault
        return None

    def fails_proxy_test(self, endpoint: Endpoint) -> bool:
        if self.invalid_next > 0:
            self.invalid_next -= 1
            return True
        return applies(self.invalid_proxy, endpoint)
