"""The Evolution servers' webhooks: where they go, what the global one posts, and what each instance adds to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum

from service.control.policy import Policy
from service.errors import EvolutionError, EvolutionNotFoundError
from service.evolution.client import EvolutionClient
from service.evolution.models import Webhook

PATH = "/webhooks/evolution"

EVENTS = frozenset({"STATUS_INSTANCE", "LOGOUT_INSTANCE", "REMOVE_INSTANCE"})
"""Those of interest that the global webhook never posts (EVOLUTION.md, B28)."""

_AT_ONCE = 8


class Outcome(StrEnum):
    """What became of one instance's webhook."""

    SET = "set"
    UNCHANGED = "unchanged"
    LEFT_ALONE = "left_alone"
    """It has one of its operator's own."""
    GONE = "gone"
    """The instance was deleted meanwhile."""
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Installed:
    """``reason`` is the code of the error of one that failed."""

    instance: str
    outcome: Outcome
    reason: str = ""


def environment(base_url: str, server: str, secret: str, *, qr: bool) -> dict[str, str]:
    """The variables of the Evolution server that have its global webhook post to evoproxy at ``base_url``.

    The global webhook sends no header, so its URL holds the secret. ``qr``: QR codes are told, too.
    """
    told = ["CONNECTION_UPDATE", "INSTANCE_CREATE", "INSTANCE_DELETE", *(["QRCODE_UPDATED"] if qr else [])]
    return {
        "WEBHOOK_GLOBAL_ENABLED": "true",
        "WEBHOOK_GLOBAL_URL": f"{url_of(base_url, server)}/{secret}",
        "WEBHOOK_GLOBAL_WEBHOOK_BY_EVENTS": "false",
        **{f"WEBHOOK_EVENTS_{event}": "true" for event in told},
    }


def url_of(base_url: str, server: str) -> str:
    return f"{base_url.rstrip('/')}{PATH}/{server}"


async def install(
    client: EvolutionClient, policy: Policy, base_url: str, secret: str, *, dry_run: bool = False
) -> AsyncIterator[Installed]:
    """Has every managed instance post :data:`EVENTS` to evoproxy at ``base_url``, and tells of each as it is done.

    A webhook that leads elsewhere is left alone. Sent again, it changes nothing. Raises
    :class:`service.errors.EvolutionError` when the instances can't be listed; what one of them refuses is its outcome.
    """
    names = [one.name for one in await client.fetch_instances() if policy.manages(one)]
    url, headers = url_of(base_url, client.name), {"authorization": f"Bearer {secret}"}
    wanted = Webhook(url, True, EVENTS, headers)
    slots = asyncio.Semaphore(_AT_ONCE)
    none: set[str] = set()

    async def look(name: str) -> None:
        async with slots:
            with suppress(EvolutionError):
                if await client.find_webhook(name) is None:
                    none.add(name)

    async def finish(name: str) -> Installed:
        async with slots:
            try:
                webhook = await client.find_webhook(name)
                if webhook is None and name not in none:
                    return Installed(name, Outcome.FAILED, "evolution_unavailable")
                if webhook is not None and not _is_ours(webhook, client.name):
                    return Installed(name, Outcome.LEFT_ALONE)
                if webhook == wanted and webhook.headers == headers:
                    return Installed(name, Outcome.UNCHANGED)
                if not dry_run:
                    await client.set_webhook(name, url, EVENTS, headers)
                return Installed(name, Outcome.SET)
            except EvolutionNotFoundError:
                return Installed(name, Outcome.GONE)
            except EvolutionError as error:
                return Installed(name, Outcome.FAILED, error.code)

    # Null says "none", but also "DB down" (EVOLUTION.md, B2), and an operator's own must not be overwritten: so a good
    # list comes between two looks that found none.
    await asyncio.gather(*map(look, names))
    if none:
        await client.fetch_instances()
    for done in asyncio.as_completed(map(finish, names)):
        yield await done


def _is_ours(webhook: Webhook, server: str) -> bool:
    """Whether it leads to the server's route of evoproxy, maybe at an address that evoproxy had before."""
    return webhook.url.endswith(f"{PATH}/{server}")
