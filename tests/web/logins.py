"""A browser's login: the cookie, and the word that its writes bring."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http.cookies import Morsel, SimpleCookie
from typing import Any

from service.pool.tokens import Role
from service.web.auth import COOKIE
from tests.web.api import Answer, Api


@dataclass(frozen=True, slots=True)
class Login:
    """``me`` is what the login answered."""

    secret: str
    me: dict[str, Any]

    @property
    def cookie(self) -> dict[str, str]:
        return {"Cookie": f"{COOKIE}={self.secret}"}

    @property
    def headers(self) -> dict[str, str]:
        return {**self.cookie, "X-CSRF-Token": self.me["csrf"]}


async def log_in(
    api: Api, role: Role = Role.ADMIN, *, text: str | None = None, headers: Mapping[str, str] | None = None
) -> Login:
    """By ``text``, else by the token of ``role``."""
    answer = await api.call("POST", "/session", {"token": text or api.tokens[role]}, role=None, headers=headers)
    assert answer.status == 201, answer.text
    return Login(cookie_of(answer).value, answer.body)


def cookie_of(answer: Answer) -> Morsel[str]:
    """The session's cookie that the answer sets."""
    return SimpleCookie(answer.headers["Set-Cookie"])[COOKIE]


async def call(api: Api, login: Login, method: str, path: str, json: Any = None) -> Answer:
    """As the dashboard does it."""
    return await api.call(method, path, json, role=None, headers=login.headers)
