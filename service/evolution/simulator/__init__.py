"""A simulated Evolution API server for tests and the demo: it behaves as EVOLUTION.md says, warts included.

``async with Simulator() as sim`` serves on loopback; ``sim.create("a", state="open")`` makes an instance,
``sim.warts`` holds the switches for what goes wrong, ``sim.conditions[endpoint]`` says what a proxy does,
``sim.exits()`` where each live socket goes out, ``sim.violations`` each moment at which two instances shared a proxy.
"""

from service.evolution.simulator.calls import Call, Calls
from service.evolution.simulator.instance import BAILEYS, Instance
from service.evolution.simulator.paces import OBSERVED_SERVICE_TIMES, Paces
from service.evolution.simulator.proxies import OFF, Condition, Endpoint, ProxyRow
from service.evolution.simulator.server import Simulator
from service.evolution.simulator.sockets import Socket, Sockets, Violation
from service.evolution.simulator.story import Story
from service.evolution.simulator.warts import Fault, Warts
from service.evolution.simulator.webhooks import Retries

__all__ = [
    "BAILEYS",
    "OBSERVED_SERVICE_TIMES",
    "OFF",
    "Call",
    "Calls",
    "Condition",
    "Endpoint",
    "Fault",
    "Instance",
    "Paces",
    "ProxyRow",
    "Retries",
    "Simulator",
    "Socket",
    "Sockets",
    "Story",
    "Violation",
    "Warts",
]
