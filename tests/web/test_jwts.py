"""JWTs: which are believed, and that nothing else is."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from jwt.algorithms import RSAAlgorithm

from service.pool.tokens import Role
from service.web.context import Caller
from service.web.jwks import Jwks, keys_of
from service.web.jwts import Jwts, looks_like_jwt
from service.web.models import LATEST
from tests.web.issuer import SECRET, claims, ec_key, ed_key, jwk, pem, rsa_key, signed

OTHER = "another secret that is quite as long as it"


def by_secret() -> Jwts:
    return Jwts(SECRET, None, None, None)


class Known(Jwks):
    """Keys that need no URL."""

    def __init__(self, *jwks: dict[str, Any]) -> None:
        super().__init__("http://nowhere.invalid")
        self._keys = keys_of(json.dumps({"keys": jwks}).encode())
        self._read_at = self._tried_at = self._now()


def raw(header: object, payload: object, key: bytes = SECRET.encode()) -> str:
    """Signed with HS256 whatever the header says."""

    def part(value: bytes) -> str:
        return base64.urlsafe_b64encode(value).decode().rstrip("=")

    begins = ".".join(part(one if isinstance(one, bytes) else json.dumps(one).encode()) for one in (header, payload))
    return f"{begins}.{part(hmac.new(key, begins.encode(), hashlib.sha256).digest())}"


@pytest.mark.parametrize("role", Role)
async def test_a_good_one(role: Role) -> None:
    exp = int(time.time()) + 600
    caller = await by_secret().caller_of(signed(role=role.value, exp=exp))
    assert caller == Caller("jwt:ana", role, expires_at=(exp + 30) * 1000)
    assert looks_like_jwt(signed())


@pytest.mark.parametrize(
    "changed",
    [
        {"exp": timedelta(seconds=-20)},
        {"exp": 9999999999.5},
        {"nbf": timedelta(seconds=20)},
        {"iat": timedelta(seconds=20)},
        {"aud": "anybody"},
        {"iss": "anybody"},
        {"sub": "x" * 128},
        {"sub": "josé da silva"},
    ],
)
async def test_what_is_still_good(changed: dict[str, Any]) -> None:
    """Clocks differ; who else is meant is asked only where the settings name somebody."""
    assert await by_secret().caller_of(signed(**changed)) is not None


@pytest.mark.parametrize(
    "changed",
    [
        {"exp": ...},
        {"exp": None},
        {"exp": timedelta(seconds=-40)},
        {"exp": "9999999999"},
        {"exp": float("inf")},
        {"exp": float("nan")},
        {"exp": True},
        {"exp": []},
        {"exp": {}},
        {"exp": -(10**400)},
        {"nbf": timedelta(seconds=60)},
        {"nbf": float("inf")},
        {"nbf": "soon"},
        {"iat": timedelta(seconds=60)},
        {"iat": []},
        {"sub": ...},
        {"sub": ""},
        {"sub": 5},
        {"sub": "x" * 129},
        {"sub": "a\nb"},
        {"sub": "a\x00b"},
        {"sub": "a\u202eb"},
        {"role": ...},
        {"role": "king"},
        {"role": "Admin"},
        {"role": ["admin"]},
        {"role": {"admin": 1}},
        {"role": None},
    ],
)
async def test_claims_that_are_not_good(changed: dict[str, Any]) -> None:
    good = claims(**changed)
    assert await by_secret().caller_of(raw({"alg": "HS256", "typ": "JWT"}, good)) is None


async def test_an_end_beyond_all_times_is_the_latest_time() -> None:
    caller = await by_secret().caller_of(signed(exp=10**30))
    assert caller == Caller("jwt:ana", Role.ADMIN, expires_at=LATEST)


@pytest.mark.parametrize(
    ("audience", "issuer", "changed", "good"),
    [
        ("evoproxy", None, {"aud": "evoproxy"}, True),
        ("evoproxy", None, {"aud": ["x", "evoproxy"]}, True),
        ("evoproxy", None, {}, False),
        ("evoproxy", None, {"aud": "other"}, False),
        ("evoproxy", None, {"aud": 5}, False),
        (None, "app", {"iss": "app"}, True),
        (None, "app", {}, False),
        (None, "app", {"iss": "other"}, False),
        (None, "app", {"iss": ["app"]}, False),
    ],
)
async def test_for_whom_and_by_whom(
    audience: str | None, issuer: str | None, changed: dict[str, Any], good: bool
) -> None:
    text = raw({"alg": "HS256"}, claims(**changed))
    assert (await Jwts(SECRET, None, audience, issuer).caller_of(text) is not None) is good


FORGERIES = {
    "another secret": signed(OTHER),
    "another algorithm": signed(algorithm="HS512", key=SECRET * 2),
    "signed, but told to be none": raw({"alg": "none"}, claims()),
    "none": raw({"alg": "none"}, claims()).rpartition(".")[0] + ".",
    "None": raw({"alg": "None"}, claims()),
    "RS256 by a secret": raw({"alg": "RS256"}, claims()),
    "algorithms": raw({"alg": ["HS256"]}, claims()),
    "null algorithm": raw({"alg": None}, claims()),
    "no algorithm": raw({}, claims()),
    "header is a list": raw([], claims()),
    "claims are a list": raw({"alg": "HS256"}, []),
    "claims are deep": raw({"alg": "HS256"}, b"[" * 5000),
    "claims hold a long number": raw({"alg": "HS256"}, b'{"exp": 1' + b"0" * 5000 + b"}"),
    "header is deep": raw(b"[" * 5000, claims()),
    "critical": raw({"alg": "HS256", "crit": ["exp"]}, claims()),
    "number as kid": raw({"alg": "HS256", "kid": 5}, claims()),
    "b64": raw({"alg": "HS256", "b64": False}, claims()),
    "signature cut": signed()[:-2],
    "no signature": signed().rpartition(".")[0] + ".",
    "more behind": signed() + "é",
    "letters": "ey.ey.ey",
    "nothing": "",
    "surrogates": "\udcff.\udcff.\udcff",
}


@pytest.mark.parametrize("text", FORGERIES.values(), ids=FORGERIES)
async def test_forgeries(text: str) -> None:
    assert await by_secret().caller_of(text) is None


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [
        (rsa_key(), "RS256"),
        (rsa_key(), "RS512"),
        (rsa_key(), "PS256"),
        (ec_key(), "ES256"),
        (ed_key(), "EdDSA"),
    ],
)
async def test_signatures_of_published_keys(key: Any, algorithm: str) -> None:
    jwts = Jwts(None, Known(jwk(key, kid="k1")), None, None)
    assert await jwts.caller_of(signed(key, algorithm, kid="k1")) is not None
    assert await jwts.caller_of(signed(key, algorithm, kid="k2")) is None
    assert await jwts.caller_of(signed(key, algorithm)) is None
    alone = Jwts(None, Known(jwk(key)), None, None)
    assert await alone.caller_of(signed(key, algorithm)) is not None


async def test_no_public_key_is_a_secret() -> None:
    """HS256 over what everybody can read."""
    key = rsa_key()
    published = jwk(key, kid="k1")
    for secret in (None, OTHER):
        jwts = Jwts(secret, Known(published), None, None)
        for guess in (pem(key), pem(key).strip(), json.dumps(published).encode(), published["n"].encode()):
            assert await jwts.caller_of(raw({"alg": "HS256", "kid": "k1"}, claims(), guess)) is None
            assert await jwts.caller_of(raw({"alg": "RS256", "kid": "k1"}, claims(), guess)) is None


async def test_a_secret_and_published_keys_side_by_side() -> None:
    jwts = Jwts(SECRET, Known(jwk(rsa_key(), kid="k1")), None, None)
    assert await jwts.caller_of(signed()) is not None
    assert await jwts.caller_of(signed(rsa_key(), "RS256", kid="k1")) is not None
    assert await jwts.caller_of(signed(rsa_key(1), "RS256", kid="k1")) is None


@pytest.mark.parametrize(
    "fields",
    [
        {"use": "enc"},
        {"alg": "RS512"},
        {"alg": "HS256"},
        {"alg": 5},
        {"kty": "oct", "k": "AAAA"},
        {"kty": 5},
        {"n": "!"},
        {"n": 5},
        {"kid": 5},
        RSAAlgorithm.to_jwk(rsa_key(), as_dict=True),  # published by mistake, so anybody's
    ],
)
async def test_keys_that_verify_nothing(fields: dict[str, Any]) -> None:
    jwts = Jwts(None, Known({**jwk(rsa_key(), kid="k1"), **fields}), None, None)
    assert await jwts.caller_of(signed(rsa_key(), "RS256", kid="k1")) is None


async def test_a_weak_key_verifies_nothing() -> None:
    weak = rsa_key(9, 1024)
    jwts = Jwts(None, Known(jwk(weak, kid="k1")), None, None)
    good = signed(rsa_key(), "RS256", kid="k1")
    begins = good.rpartition(".")[0]
    signature = base64.urlsafe_b64encode(weak.sign(begins.encode(), PKCS1v15(), SHA256())).decode().rstrip("=")
    assert await jwts.caller_of(f"{begins}.{signature}") is None


async def test_the_log_tells_the_operator_why(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    text = signed(role="king")
    await by_secret().caller_of(text)
    [record] = [one for one in caplog.records if one.name == "service.web.jwts"]
    assert vars(record)["reason"] == "role must be viewer, admin or superadmin"
    assert text not in caplog.text
