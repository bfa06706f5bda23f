"""What is no HTTP makes no noise in the log."""

from __future__ import annotations

import asyncio
import logging

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from service.settings import Settings
from service.web.app import bare_app


@pytest.mark.parametrize(
    "sent", [b"GET /hush-hush" + b"x" * 9000 + b" HTTP/1.1\r\n\r\n", b"GET / HTTP/hush-hush\r\n\r\n"]
)
async def test_of_what_is_no_http_one_line_is_told(sent: bytes, caplog: pytest.LogCaptureFixture) -> None:
    bare_app(Settings())
    caplog.set_level(logging.INFO)
    async with TestServer(web.Application()) as server:
        reader, writer = await asyncio.open_connection(server.host, server.port)
        writer.write(sent)
        assert b" 400 " in await reader.readline()
        writer.close()
        await writer.wait_closed()
    [record] = [one for one in caplog.records if one.name == "aiohttp.server"]
    assert (record.levelname, record.exc_info) == ("INFO", None)
    assert "hush-hush" not in caplog.text
