"""What ``serve`` would do, told: the plan of every server, or of one instance with the reasons."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import typer

from service.cli import environment, output, words
from service.cli.command import exit_code, lines, tell
from service.cli.control import controller
from service.control.assigning import wish_of
from service.control.controller import Controller
from service.control.locate import locate
from service.control.plan import Left, Pace, Planned, counted, shortage
from service.control.planning import Foreseen, foresee
from service.control.server import ServerControl
from service.control.words import left_out_of, why_chosen
from service.errors import EvolutionError, RefusedError
from service.messages import Locale
from service.pool.choice import Choice
from service.pool.models import Proxy
from service.pool.pool import Pool
from service.settings import Settings
from service.web.models import ChoiceOut

COLUMNS = {
    "server": "server",
    "name": "name",
    "state": "state",
    "does": "steps",
    "left": "left",
    "proxy": "proxyId",
    "group": "group",
}
_QUIET = (Left.RIGHT, Left.NOT_YET)


async def show(settings: Settings, instance: str | None, server: str | None, *, as_json: bool) -> None:
    """Reads the servers and the pool, and writes to neither."""
    async with environment.running_pool(settings) as pool, controller(settings, pool) as controlled:
        if instance is not None:
            await _explain(await locate(controlled, instance, server), instance, as_json)
        else:
            await _plan(controlled, server, as_json)


async def _plan(controlled: Controller, server: str | None, as_json: bool) -> None:
    settings, pool = controlled.settings, controlled.pool
    names = [name for name in controlled.servers if server in (None, name)]
    looked = await asyncio.gather(
        *(foresee(controlled.servers[name].context) for name in names), return_exceptions=True
    )
    plans: dict[str, Foreseen] = {}
    failures: dict[str, EvolutionError] = {}
    for name, found in zip(names, looked, strict=True):
        if isinstance(found, EvolutionError):
            failures[name] = found
        elif isinstance(found, BaseException):
            raise found
        else:
            plans[name] = found
    planned = [one for found in plans.values() for one in found.planned]
    shown = planned if as_json else [one for one in planned if one.left not in _QUIET]
    await output.listed(_views(shown), COLUMNS, as_json=as_json)
    totals = await _totals(pool, settings, plans)
    if as_json:
        output.document(totals | {"errors": {name: error.code for name, error in failures.items()}})
    else:
        output.figures(totals)
    for error in failures.values():
        tell(error, settings.locale)
    for line in _warnings(plans, totals, await pool.paused(), settings.locale):
        typer.echo(f"evoproxy: {line}", err=True)
    if failures:
        raise typer.Exit(max(exit_code(error) for error in failures.values()))


async def _totals(pool: Pool, settings: Settings, plans: Mapping[str, Foreseen]) -> dict[str, Any]:
    """``available`` leaves out the free proxies that rows name. Each server has its own pace: the slowest one tells."""
    stats = await pool.stats()
    planned = [one for found in plans.values() for one in found.planned]
    named: Counter[str] = sum((found.named for found in plans.values()), Counter())
    available = stats.counts.available - named.total()
    by_group = {name: counts.available - named[name] for name, counts in stats.groups.items()}
    needs = [one for one in planned if one.needs_proxy]
    pace = Pace(settings.sets_in_flight, settings.restart_rate, settings.restart_burst)
    return {
        "instances": len(planned),
        "steps": counted(planned),
        "left": dict(Counter(one.left.value for one in planned if one.left)),
        "needed": len(needs),
        "available": available,
        "groups": {
            group: {"needed": number, "available": by_group.get(group, 0)}
            for group, number in sorted(Counter(one.group for one in needs if one.group).items())
        },
        "missing": {group or "any": number for group, number in shortage(needs, available, by_group).items()},
        "seconds": max((round(pace.seconds(found.planned)) for found in plans.values()), default=0),
    }


def _warnings(plans: Mapping[str, Foreseen], totals: Mapping[str, Any], paused: bool, locale: Locale) -> Iterable[str]:
    if paused:
        yield words.text("plan_paused", locale)
    for server, found in plans.items():
        if found.braked:
            yield words.text("plan_braked", locale, server=server)
    for group, number in totals["missing"].items():
        code = "plan_short" if group == "any" else "plan_short_of_group"
        yield words.text(code, locale, count=number, group=group)


async def _views(planned: Sequence[Planned]) -> AsyncGenerator[dict[str, Any], None]:
    for one in planned:
        yield _view(one)


def _view(one: Planned) -> dict[str, Any]:
    value = {"instanceId" if name == "instance" else name: item for name, item in asdict(one).items()}
    del value["proxy_id"]
    return {**value, "proxyId": one.proxy_id or None, "group": one.group or None}


async def _explain(control: ServerControl, name: str, as_json: bool) -> None:
    pool, context = control.pool, control.context
    found = await foresee(context)
    one = next((each for each in found.planned if each.name == name and each.instance in found.look.observations), None)
    if one is None:
        raise RefusedError("unknown_instance", instance=name, server=context.server)
    lease = found.look.leases.get(one.instance)
    value = _view(one) | {"outcome": "held" if lease else None, "waitsFor": None}
    if lease is not None:
        choice, proxy_id = lease.chosen, lease.proxy_id
        says = why_chosen(choice, context.locale)
    elif one.left in (None, Left.NOT_YET, Left.HELD_BACK):
        told = await pool.explain(context.server, wish_of(context, found.look.observations[one.instance]))
        choice, proxy_id = told.choice, told.outcome.proxy_id
        value |= {"outcome": told.outcome.word.lower(), "waitsFor": told.closed or None}
        says = _said_of(told.outcome.word, choice, context.locale)
        if proxy_id and any(row == proxy_id for key, row in found.look.rows.items() if key != one.instance):
            # The pool has not seen that row yet: the proxy will be adopted, or kept back.
            choice, proxy_id, says = None, "", words.text("plan_unread", context.locale)
    else:
        choice, proxy_id, says = None, "", words.text(f"left_{one.left}", context.locale)
    proxy = await pool.proxy(proxy_id) if proxy_id else None
    value |= {"choice": ChoiceOut.of(choice).model_dump(mode="json", by_alias=True) if choice else None, "says": says}
    value |= {
        "proxyId": proxy_id or None,
        "address": _address(proxy),
        "group": value["group"] or (proxy and proxy.group) or None,
    }
    if as_json:
        output.document(value)
    else:
        output.figures({key: item for key, item in value.items() if key != "choice"})


def _said_of(word: str, choice: Choice, locale: Locale) -> str:
    if word == "LEASED":
        return why_chosen(choice, locale)
    refused = lines(RefusedError(word.lower()), locale)[0]
    left_out = left_out_of(choice, locale)
    return f"{refused}: {left_out}" if left_out else refused


def _address(proxy: Proxy | None) -> str | None:
    return f"{proxy.protocol}://{proxy.host}:{proxy.port}" if proxy else None
