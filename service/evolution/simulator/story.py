"""The life that the demo shows: numbers appear, connect, drop, go away, come back, log out, are deleted."""

from __future__ import annotations

import itertools
import random
import unicodedata
from collections import deque
from collections.abc import Callable, Iterator

from service.evolution.simulator.instance import Instance
from service.evolution.simulator.proxies import Condition, Endpoint
from service.evolution.simulator.server import Simulator

_TRADES = ("Padaria", "Clínica", "Farmácia", "Ótica", "Mercadinho", "Auto Peças", "Pet Shop", "Academia", "Salão")
_FAMILIES = ("São João", "Conceição", "Araújo & Filhos", "Três Irmãos", "Bela Vista", "Guimarães", "D'Ávila", "Central")
_DESKS = ("Vendas", "Suporte", "Financeiro", "Recepção")
_DEAD_AT_MOST = 3


def company_names(rng: random.Random) -> Iterator[str]:
    """Endless different names of Brazilian companies; some with spaces, accents and slashes, some as slugs."""
    for round_ in itertools.count(1):
        pairs = [(trade, family) for trade in _TRADES for family in _FAMILIES]
        rng.shuffle(pairs)
        for trade, family in pairs:
            plain = f"{trade} {family}" if round_ == 1 else f"{trade} {family} {round_}"
            ascii_ = unicodedata.normalize("NFKD", plain).encode("ascii", "ignore").decode()
            slug = "-".join(ascii_.lower().replace("&", "e").replace("'", "").split())
            yield rng.choice((slug, slug, plain, f"{plain} - {rng.choice(_DESKS)}", f"{slug}/{rng.randint(1, 3)}"))


class Story:
    """Plays on a simulator: :meth:`begin` fills it, :meth:`run` lets something happen about every ``pace`` seconds.

    The same seed tells the same story, as far as the proxies that evoproxy assigns don't change it. It stays near
    ``instances``, of which ``open_ones`` are connected, numbers that it begins with exactly.
    """

    def __init__(
        self, sim: Simulator, *, instances: int = 120, open_ones: int = 60, pace: float = 3.0, seed: int = 7
    ) -> None:
        self._sim = sim
        self._instances = instances
        self._open_ones = open_ones
        self._pace = pace
        self._rng = random.Random(seed)
        self._names = company_names(self._rng)
        self._dead: deque[Endpoint] = deque()
        self._chapters: dict[Callable[[], None], int] = {
            self._connect: 6,
            self._drop: 5,
            self._go_away: 3,
            self._log_out: 2,
            self._appear: 2,
            self._delete: 2,
            self._proxy_dies: 1,
        }

    def begin(self) -> None:
        """The instances of the start, at once."""
        for index in range(self._instances):
            instance = self._new()
            if index < self._open_ones:
                self._sim.open(instance.name)

    async def run(self) -> None:
        """Something happens, again and again, until cancelled."""
        while True:
            await self._sim.sleep(self._pace * self._rng.uniform(0.5, 1.5))
            self.step()

    def step(self) -> None:
        """One thing happens; nothing if no instance is in the state for it."""
        chapters, weights = zip(*self._chapters.items(), strict=True)
        self._rng.choices(chapters, weights)[0]()

    def _appear(self) -> None:
        if len(self._sim.database) < self._instances * 1.2:
            self._new()

    def _new(self) -> Instance:
        number = f"55{self._rng.randint(11, 99)}9{self._rng.randint(10**7, 10**8 - 1)}"
        return self._sim.create(next(self._names), number=number)

    def _connect(self) -> None:
        """A new number is paired, or one that was away or logged out comes back."""
        if self._open_now() < self._open_ones * 1.2 and (one := self._one_of(_is_closed)):
            self._sim.open(one.name)

    def _drop(self) -> None:
        if one := self._one_of(_is_open):
            self._sim.drop(one.name)

    def _go_away(self) -> None:
        if self._open_now() > self._open_ones * 0.8 and (one := self._one_of(_is_open)):
            self._sim.disconnect(one.name)

    def _log_out(self) -> None:
        if self._open_now() > self._open_ones * 0.8 and (one := self._one_of(_is_open)):
            self._sim.logout(one.name, self._rng.choice((401, 401, 401, 403)))

    def _delete(self) -> None:
        if len(self._sim.database) > self._instances * 0.8 and (one := self._one_of(_is_logged_out)):
            self._sim.delete(one.name)

    def _proxy_dies(self) -> None:
        """An open instance loses its proxy and loops; the proxy that has been dead longest works again."""
        if one := self._one_of(lambda instance: instance.socket is not None and instance.socket.exit is not None):
            assert one.socket is not None
            assert one.socket.exit is not None
            if len(self._dead) == _DEAD_AT_MOST:
                del self._sim.conditions[self._dead.popleft()]
            self._dead.append(one.socket.exit)
            self._sim.conditions[one.socket.exit] = Condition.DEAD
            self._sim.drop(one.name)

    def _open_now(self) -> int:
        return sum(map(_is_open, self._sim.memory.values()))

    def _one_of(self, fits: Callable[[Instance], bool]) -> Instance | None:
        fitting = sorted((one for one in self._sim.memory.values() if fits(one)), key=lambda one: one.name)
        return self._rng.choice(fitting) if fitting else None


def _is_open(instance: Instance) -> bool:
    return instance.state == "open"


def _is_closed(instance: Instance) -> bool:
    return instance.state == "close" and not instance.reconnecting


def _is_logged_out(instance: Instance) -> bool:
    return instance.disconnection_code is not None and not instance.paired
