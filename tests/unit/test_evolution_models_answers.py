"""From Evolution's JSON to observations and rows: the known shapes, and that an unknown one is loud."""

from __future__ import annotations

from typing import Any

import pytest

from service.evolution.answers import UnknownShapeError, read_observation, read_observations, read_row
from service.evolution.models import Observation, Row

ROW = {
    "id": "cmwrq8cjw",
    "enabled": True,
    "host": "127.0.0.1",
    "port": "54041",
    "protocol": "http",
    "username": "user",
    "password": "pass",
    "createdAt": "2026-11-22T11:01:30.119Z",
    "instanceId": "i-1",
}
ELEMENT = {
    "id": "i-1",
    "name": "bw1",
    "connectionStatus": "close",
    "ownerJid": "5511900000001@s.whatsapp.net",
    "integration": "WHATSAPP-BAILEYS",
    "number": None,
    "token": "44DF75FD",
    "disconnectionReasonCode": 401,
    "disconnectionObject": '{"error":{}}',
    "disconnectionAt": "2026-11-22T11:15:48.159Z",
    "Proxy": ROW,
    "Setting": {"rejectCall": False},
    "_count": {"Message": 0},
}
VERSION_1 = {"instance": {"instanceName": "old", "instanceId": "i-9", "status": "open", "owner": "5511@s.whatsapp.net"}}


def test_an_element_of_version_2() -> None:
    assert read_observations("default", [ELEMENT]) == [
        Observation(
            server="default",
            id="i-1",
            name="bw1",
            state="close",
            integration="WHATSAPP-BAILEYS",
            row=Row(True, "http", "127.0.0.1", "54041", "user", "pass", "i-1"),
            owner="5511900000001",
            disconnection_code=401,
            disconnection_at=1795346148159,
        )
    ]


def test_an_element_of_version_1_tells_no_row() -> None:
    expected = Observation("default", "i-9", "old", "open", "WHATSAPP-BAILEYS", row_listed=False, owner="5511")
    assert read_observations("default", [VERSION_1]) == [expected]
    assert read_observation("default", "old", VERSION_1) == expected


@pytest.mark.parametrize(
    ("told", "integration"),
    [("EVOLUTION", "EVOLUTION"), ({"integration": "WHATSAPP-BUSINESS", "token": "t"}, "WHATSAPP-BUSINESS"), (5, "")],
)
def test_integration_of_version_1(told: object, integration: str) -> None:
    body = {"instance": {**VERSION_1["instance"], "integration": told}}
    assert read_observations("default", [body])[0].integration == integration


@pytest.mark.parametrize(
    ("field", "value", "attribute", "expected"),
    [
        ("connectionStatus", "connecting", "state", "connecting"),
        ("connectionStatus", "refused", "state", "unknown"),
        ("connectionStatus", None, "state", "unknown"),
        ("connectionStatus", ["open"], "state", "unknown"),
        ("ownerJid", None, "owner", None),
        ("ownerJid", "5511900000001:12@s.whatsapp.net", "owner", "5511900000001"),
        ("ownerJid", "123456@lid", "owner", None),
        ("integration", None, "integration", ""),
        ("disconnectionReasonCode", None, "disconnection_code", None),
        ("disconnectionAt", None, "disconnection_at", None),
        ("disconnectionAt", "1970-01-01T01:00:00.001+01:00", "disconnection_at", 1),
        ("Proxy", None, "row", None),
        ("Proxy", {**ROW, "enabled": False, "host": "", "port": ""}, "row", Row(False, instance_id="i-1")),
        (
            "Proxy",
            {**ROW, "port": 80, "username": None},
            "row",
            Row(True, "http", "127.0.0.1", "80", "", "pass", "i-1"),
        ),
    ],
)
def test_fields(field: str, value: Any, attribute: str, expected: Any) -> None:
    (seen,) = read_observations("default", [{**ELEMENT, field: value}])
    assert getattr(seen, attribute) == expected


def test_an_empty_list_is_a_list() -> None:
    assert read_observations("default", []) == []
    assert read_observation("default", "bw1", []) is None


@pytest.mark.parametrize(
    "body",
    [
        None,
        {},
        "[]",
        {"instances": [ELEMENT]},
        [ELEMENT, None],
        [ELEMENT, []],
        [{**ELEMENT, "id": ""}],
        [{**ELEMENT, "id": 5}],
        [{**ELEMENT, "name": None}],
        [{key: value for key, value in ELEMENT.items() if key != "Proxy"}],
        [{**ELEMENT, "Proxy": []}],
        [{**ELEMENT, "Proxy": {**ROW, "enabled": None}}],
        [{**ELEMENT, "Proxy": {**ROW, "host": ["s3cret"]}}],
        [{**ELEMENT, "disconnectionAt": "s3cret"}],
        [{**ELEMENT, "disconnectionAt": "2026-11-22T11:15:48.159"}],
        [{**ELEMENT, "disconnectionAt": 5}],
        [{**ELEMENT, "disconnectionReasonCode": "s3cret"}],
        [ELEMENT, {**ELEMENT, "name": "other"}],
        [ELEMENT, {**ELEMENT, "id": "i-2"}],
        [{"instance": {"instanceName": "old", "status": "open"}}],
    ],
)
def test_what_is_not_known_spoils_the_whole_list(body: Any) -> None:
    with pytest.raises(UnknownShapeError) as caught:
        read_observations("default", body)
    assert "s3cret" not in repr(caught.value)


@pytest.mark.parametrize("value", [{}, [], "x", {"enabled": True}, {"enabled": True, "host": "h", "port": "1"}])
def test_no_row(value: Any) -> None:
    with pytest.raises(UnknownShapeError):
        read_row(value)
