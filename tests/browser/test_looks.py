"""Every page as it is looked at: both languages, dark and light, from 390 to 1920 pixels."""

from __future__ import annotations

import re

from playwright.async_api import Browser, expect

from tests.browser.conftest import World
from tests.browser.desk import LOOKS, MARKS, Look, sitting
from tests.browser.test_accessibility import check
from tests.browser.test_words import words

pytestmark = MARKS

_LOOKS = [*LOOKS[1:3], Look(1920, "dark", "en-US")]
"""The first and the last of them are seen with all their drawers in test_accessibility.py."""
_PAGES = ("overview", "proxies", "instances", "import", "audit", "settings", "drift")
_SAID = """() => [...document.querySelectorAll("body *")].flatMap((node) => [
    ...["aria-label", "title", "placeholder"].map((name) => node.getAttribute(name)),
    ...[...node.childNodes].filter((child) => child.nodeType === Node.TEXT_NODE).map((child) => child.data),
]).filter(Boolean)"""


async def test_every_page_in_every_look(world: World, browser: Browser) -> None:
    for look in _LOOKS:
        spoken = words(look.locale[:2])
        async with sitting(browser, world.api, look) as desk:
            page = desk.page
            for name in _PAGES:
                await desk.go(name)
                await expect(page.locator("h1")).to_have_text(spoken[f"nav.{name}"])
                await expect(page.locator("main .card, main .listing").first).to_be_visible()
                await expect(page.locator("main .waiting")).to_have_count(0)
                await desk.picture(f"page-{name}")
                said = await page.evaluate(_SAID)
                assert not [text for text in said if _raw(text, spoken)], (look, name)
                if look.scheme == "dark" and look.width == 1440:
                    await check(desk, name)


def _raw(text: str, spoken: dict[str, str]) -> bool:
    """Whether it is the name of a word, which is what stands there of one that is missing; an event's own is told."""
    kinds = {name.partition(".")[0] for name in spoken if "." in name}
    named = re.fullmatch(r"\w+(\.\w+)+", text) is not None and text.partition(".")[0] in kinds
    return named and f"event.{text}" not in spoken
