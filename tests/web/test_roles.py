"""Who may call what. Each route has its row here, and each row is tried with every role."""

from __future__ import annotations

import asyncio

import pytest
from yarl import URL

from service.pool.tokens import Role
from service.web import routes
from tests.web.api import Api

VIEWER, ADMIN, SUPERADMIN = Role

TABLE = {
    "GET /stats": VIEWER,
    "GET /stats/stream": VIEWER,
    "GET /stats/history": VIEWER,
    "POST /snapshots": ADMIN,
    "GET /proxies": VIEWER,
    "POST /proxies/import": ADMIN,
    "GET /export": SUPERADMIN,
    "GET /proxies/{id}": VIEWER,
    "PATCH /proxies/{id}": ADMIN,
    "DELETE /proxies/{id}": ADMIN,
    "POST /proxies/{id}/disable": ADMIN,
    "POST /proxies/{id}/enable": ADMIN,
    "POST /proxies/{id}/reveal": SUPERADMIN,
    "GET /instances": VIEWER,
    "GET /instances/{instance:[^/]+}": VIEWER,
    "POST /instances/{instance:[^/]+}/proxy": ADMIN,
    "DELETE /instances/{instance:[^/]+}/proxy": ADMIN,
    "POST /instances/{instance:[^/]+}/proxy/rotate": ADMIN,
    "POST /proxies/bulk": ADMIN,
    "POST /instances/bulk": ADMIN,
    "GET /jobs": ADMIN,
    "GET /jobs/{id}": ADMIN,
    "DELETE /jobs/{id}": ADMIN,
    "POST /reservations": ADMIN,
    "DELETE /reservations/{id}": ADMIN,
    "GET /servers": VIEWER,
    "POST /servers/{name}/ignore": ADMIN,
    "POST /servers/{name}/forget": ADMIN,
    "GET /drift": VIEWER,
    "POST /drift/{id}/repair": ADMIN,
    "GET /events": ADMIN,
    "GET /ledger": ADMIN,
    "POST /brake/release": ADMIN,
    "POST /pause": ADMIN,
    "POST /resume": ADMIN,
    "POST /session": VIEWER,
    "GET /session": VIEWER,
    "DELETE /session": VIEWER,
    "GET /sessions": SUPERADMIN,
    "DELETE /sessions/{id}": SUPERADMIN,
    "GET /tokens": SUPERADMIN,
    "POST /tokens": SUPERADMIN,
    "DELETE /tokens/{id}": SUPERADMIN,
}


def test_every_route_has_its_row() -> None:
    assert {f"{route.method} {route.path}" for route in routes.ALL} == TABLE.keys()


@pytest.mark.parametrize("row", [row for row in TABLE if "stream" not in row])
async def test_a_role_and_those_above_it_are_let_in(api: Api, row: str) -> None:
    method, path = row.replace(":[^/]+", "").split()
    path = path.format(id="none", instance="none", name="none")
    for role in (None, *Role):
        answer = await api.call(method, path, role=role)
        if role is None:
            assert (answer.status, answer.code) == (401, "unauthorized")
        elif not role.covers(TABLE[row]):
            assert (answer.status, answer.code) == (403, "forbidden")
        else:
            assert answer.status not in (401, 403, 404, 405, 500) or answer.code != "unknown_route"
            assert answer.status < 500


@pytest.mark.parametrize("prefix", ["/api/v1", "/%61pi/v1", "/api/%76%31", "/%61%70%69/v1"])
async def test_no_spelling_of_a_path_gets_around_the_token(api: Api, prefix: str) -> None:
    for row, role in TABLE.items():
        method, path = row.replace(":[^/]+", "").split()
        path = path.format(id="none", instance="none", name="none")
        url = URL(str(api.client.make_url("/")).rstrip("/") + prefix + path, encoded=True)
        async with api.client.session.request(method, url) as answer:
            assert (row, answer.status) == (row, 401)
        if role is not VIEWER:
            headers = {"Authorization": f"Bearer {api.tokens[VIEWER]}"}
            async with api.client.session.request(method, url, headers=headers) as answer:
                assert (row, answer.status) == (row, 403)


async def test_the_absolute_form_does_not_either(api: Api) -> None:
    host, port = api.client.host, api.client.port
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(f"GET http://{host}:{port}/%61pi/v1/proxies HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    assert (await reader.readline()).split()[1] == b"401"
    writer.close()
