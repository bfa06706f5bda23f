"""How the page's files are served."""

from __future__ import annotations

from tests.web.api import Api
from tests.web.conftest import api, sim

__all__ = ["api", "sim"]

PARTS = ("/", "/docs", "/static/app.js", "/static/lib/dom.js", "/static/style/shell.css", "/favicon.svg")


async def test_strictly_and_anew_when_changed(api: Api) -> None:
    for path in PARTS:
        url = api.client.make_url(path)
        async with api.client.session.get(url) as response:
            assert response.status == 200, path
            policy = dict(part.strip().split(" ", 1) for part in response.headers["Content-Security-Policy"].split(";"))
            assert policy.pop("default-src") == "'none'"
            assert set(policy.values()) <= {"'self'", "'none'"}
            assert {
                "script-src",
                "style-src",
                "connect-src",
                "frame-ancestors",
                "base-uri",
                "form-action",
            } <= policy.keys()
            assert response.headers["Cache-Control"] == "no-cache"
            etag = response.headers["ETag"]
        async with api.client.session.get(url, headers={"If-None-Match": etag}) as response:
            assert response.status == 304, path


async def test_nothing_else(api: Api) -> None:
    for path in ("/static/", "/static/nothing.js", "/static/lib/../../page.py", "/static/%2e%2e/page.py"):
        async with api.client.session.get(api.client.make_url(path)) as response:
            assert response.status == 404, path
