"""Settings: what they become, and that every mistake has its line."""

from __future__ import annotations

import json
import traceback
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from service.errors import SettingsError
from service.settings import GroupRule, RotateAfter, Settings, describe, load
from service.urls import normalise_url


def problems(**env: str) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load(env)
    found = caught.value.params["problems"]
    assert isinstance(found, list)
    return found


def test_an_empty_environment_gives_the_documented_defaults() -> None:
    settings = load({})
    assert settings.servers == ()
    assert (settings.poll_interval, settings.release_grace, settings.ban_rest) == (30, 60, 86_400)
    assert settings.integrations == ("WHATSAPP-BAILEYS",)
    assert settings.rotate_after == RotateAfter(signs=3, seconds=300)
    assert settings.redis_url is None


def test_the_first_server_and_the_listed_ones_are_merged() -> None:
    more = json.dumps([{"name": "b", "baseUrl": "https://B.example:443/api/", "apiKey": "key-b"}])
    settings = load(
        {"EVOLUTION_API_BASE_URL": "http://a.example/", "GLOBAL_API_KEY": "key-a", "EVOPROXY_SERVERS": more}
    )
    assert [(server.name, server.base_url, server.api_key.get_secret_value()) for server in settings.servers] == [
        ("default", "http://a.example", "key-a"),
        ("b", "https://b.example/api", "key-b"),
    ]


@pytest.mark.parametrize("text", ["sales-*, support", '["sales-*", "support"]'])
def test_a_list_is_written_with_commas_or_as_json(text: str) -> None:
    assert load({"EVOPROXY_INCLUDE": text}).include == ("sales-*", "support")


@pytest.mark.parametrize("text", ["[abc]*,sales", "[abc]* , sales"])
def test_a_pattern_may_begin_with_a_bracket(text: str) -> None:
    assert load({"EVOPROXY_INCLUDE": text}).include == ("[abc]*", "sales")


def test_an_empty_json_list_is_one() -> None:
    assert load({"EVOPROXY_INCLUDE": " [ ]"}).include == ()


@pytest.mark.parametrize("name", ["EVOPROXY_SERVERS", "EVOPROXY_GROUP_RULES"])
def test_what_must_be_a_list_says_so(name: str) -> None:
    assert problems(**{name: "{}"}) == [f"{name}: must be a JSON list"]


def test_secrets_lose_the_line_ends_around_them() -> None:
    server = json.dumps([{"name": "b", "baseUrl": "http://b", "apiKey": " key-b\r\n"}])
    settings = load({"EVOPROXY_SUPERADMIN_TOKEN": "  tok\n", "EVOPROXY_SERVERS": server})
    assert settings.superadmin_token is not None
    assert settings.superadmin_token.get_secret_value() == "tok"
    assert settings.servers[0].api_key.get_secret_value() == "key-b"


def test_a_key_that_no_header_can_carry_says_where() -> None:
    listed = json.dumps([{"name": name, "baseUrl": f"http://{name}", "apiKey": key} for name, key in ("ak", "bç")])
    reason = "must be printable ASCII because it is sent in a header"
    assert problems(EVOPROXY_SERVERS=listed) == [f"EVOPROXY_SERVERS[2].apiKey: {reason}"]
    env = {"EVOLUTION_API_BASE_URL": "http://a", "GLOBAL_API_KEY": "a\x00b"}
    assert problems(**env) == [f"GLOBAL_API_KEY: {reason}"]


def test_a_secret_that_is_too_short_to_sign_with() -> None:
    reason = "EVOPROXY_JWT_SECRET: must have at least 32 bytes; openssl rand -hex 32 makes one"
    assert problems(EVOPROXY_JWT_SECRET="é" * 15 + "x") == [reason]
    assert problems(EVOPROXY_JWT_SECRET=" " + "x" * 31) == [reason]
    assert load({"EVOPROXY_JWT_SECRET": "é" * 16}).jwt_secret == SecretStr("é" * 16)


def test_group_rules() -> None:
    rules = '[{"phonePrefix": "5511", "group": "sp", "strict": true}, {"server": "b", "name": "x*", "group": "g"}]'
    assert load({"EVOPROXY_GROUP_RULES": rules}).group_rules == (
        GroupRule(phone_prefix="5511", group="sp", strict=True),
        GroupRule(server="b", name="x*", group="g"),
    )


def test_the_environment_wins_over_the_file_and_empty_means_unset(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("EVOPROXY_PORT=1\nEVOPROXY_HOST=0.0.0.0\nEVOPROXY_WEBHOOK_SECRET=a${HOME}\nPATH=/nowhere\n")
    settings = load({"EVOPROXY_PORT": "2", "EVOPROXY_POOL": ""}, file)
    assert (settings.port, settings.host, settings.pool) == (2, "0.0.0.0", "default")
    assert settings.webhook_secret == SecretStr("a${HOME}")


def test_a_missing_file_is_no_mistake(tmp_path: Path) -> None:
    assert load({}, tmp_path / ".env") == load({})


def test_the_process_environment_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVOPROXY_POOL", "other")
    assert Settings().pool == load({}).pool == "default"


def test_settings_do_not_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        load({}).port = 1  # type: ignore[misc]


def test_every_mistake_has_its_line() -> None:
    found = problems(
        EVOPROXY_MODE="look", EVOPROXY_PORT="http", EVOPROXY_POL="x", REDIS_URL="http://r", EVOPROXY_LOCALE="de"
    )
    assert sorted(line.split(":")[0] for line in found) == [
        "EVOPROXY_LOCALE",
        "EVOPROXY_MODE",
        "EVOPROXY_POL",
        "EVOPROXY_PORT",
        "REDIS_URL",
    ]
    assert all("\n" not in line for line in found)
    assert "EVOPROXY_POL: unknown setting; did you mean EVOPROXY_POOL?" in found


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("EVOPROXY_POOL", "a{b}"),
        ("EVOPROXY_POOL", "a" * 65),
        ("EVOPROXY_POLL_INTERVAL", "0"),
        ("EVOPROXY_POLL_INTERVAL", "nan"),
        ("EVOPROXY_COOLDOWN", "-1"),
        ("EVOPROXY_RESTART_RATE", "0"),
        ("EVOPROXY_SETS_IN_FLIGHT", "0"),
        ("EVOPROXY_ROTATE_AFTER", "3"),
        ("EVOPROXY_ROTATE_AFTER", "0/300"),
        ("EVOPROXY_GROUP_RULES", "[{}]"),
        ("EVOPROXY_GROUP_RULES", '[{"group": "g", "phonePrefix": "+x"}]'),
        ("EVOPROXY_GROUP_RULES", "{"),
        ("EVOPROXY_WEBHOOK_SECRET", "a/b"),
        ("EVOPROXY_SUPERADMIN_TOKEN", " "),
        ("EVOPROXY_JWKS_URL", "file:///etc/passwd"),
        ("DATABASE_URL", "oracle://x"),
        ("REDIS_URL", "redis+cluster://x"),
        ("EVOLUTION_API_BASE_URL", "ftp://x"),
        ("EVOPROXY_COOLDOWN", "1e300"),
        ("EVOPROXY_RETURN_MEMORY", "315360001"),
        ("EVOPROXY_ROTATE_AFTER", "1/999999999999"),
        ("EVOPROXY_EVENTS_MAX", "1000000001"),
        ("EVOPROXY_RESTART_RATE", "0.0001"),
        ("EVOPROXY_INTEGRATIONS", ","),
        ("EVOPROXY_SUPERADMIN_TOKEN", "senha-ção"),
        ("GLOBAL_API_KEY", "two\nlines"),
        ("DATABASE_URL", "postgresql://u:p[w@host/db"),
        ("DATABASE_URL", "mysql://u:p/w@host/db"),
        ("EVOPROXY_UNKNOWN", ""),
    ],
)
def test_a_value_out_of_bounds_is_named(name: str, value: str) -> None:
    assert any(line.startswith(name) for line in problems(**{name: value}))


@pytest.mark.parametrize("half", ["EVOLUTION_API_BASE_URL", "GLOBAL_API_KEY"])
def test_address_and_key_go_together(half: str) -> None:
    assert problems(**{half: "http://a"}) == ["GLOBAL_API_KEY: must be set together with EVOLUTION_API_BASE_URL"]


def test_names_and_urls_of_servers_are_unique() -> None:
    server = {"name": "a", "baseUrl": "http://a", "apiKey": "k"}
    same_name = json.dumps([server, {**server, "baseUrl": "http://b"}])
    same_url = json.dumps([server, {**server, "name": "b", "baseUrl": "HTTP://A:80/"}])
    assert problems(EVOPROXY_SERVERS=same_name) == ["EVOPROXY_SERVERS: the name a is given more than once"]
    assert problems(EVOPROXY_SERVERS=same_url) == ["EVOPROXY_SERVERS: the URL http://a is given more than once"]


def test_a_listed_server_must_not_be_the_first_one_again() -> None:
    first = {"EVOLUTION_API_BASE_URL": "http://a.example/evo", "GLOBAL_API_KEY": "k"}
    hint = "is given more than once (EVOLUTION_API_BASE_URL is the server `default`)"
    for name, url, told in (
        ("b", "HTTP://A.example.:80/evo//", "URL http://a.example/evo"),
        ("default", "http://b", "name default"),
    ):
        listed = json.dumps([{"name": name, "baseUrl": url, "apiKey": "k"}])
        assert problems(EVOPROXY_SERVERS=listed, **first) == [f"EVOPROXY_SERVERS: the {told} {hint}"]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("nonsense", ": is no JSON: Expecting value at line 1 column 1"),
        ('[{"name": "a"', ": is no JSON: Expecting ',' delimiter at line 1 column 14"),
        ("[]]", ": is no JSON: Extra data at line 1 column 3"),
        ("[" * 100_000, ": is nested too deep"),
        ('[{"apiKey": "s3cret", "apiKey": "s3cret2"}]', ": an object names one field twice"),
        ('{"name": "a", "baseUrl": "http://a", "apiKey": "s3cret"}', ": must be a JSON list"),
        ('["http://u:s3cret@a"]', "[1]: must be a JSON object"),
        ("[null]", "[1]: must be a JSON object"),
    ],
)
def test_servers_that_are_no_list_of_objects(text: str, line: str) -> None:
    assert problems(EVOPROXY_SERVERS=text) == [f"EVOPROXY_SERVERS{line}"]


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("name", 5, "input should be a valid string"),
        ("name", "", "string should match pattern '^[a-z0-9-]{1,32}$'"),
        ("name", "Main", "string should match pattern '^[a-z0-9-]{1,32}$'"),
        ("name", "a\n", "string should match pattern '^[a-z0-9-]{1,32}$'"),
        ("apiKey", None, "input should be a valid string"),
        ("apiKey", ["s3cret"], "input should be a valid string"),
        ("apiKey", " ", "must not be blank"),
        ("baseUrl", 7, "input should be a valid string"),
        ("baseUrl", "a.example", "must begin with http:// or https://"),
        ("baseUrl", "http://u:s3cret@a", "must not carry a user or password"),
        ("baseUrl", "http://a/evo?apikey=s3cret", "must not carry a query or fragment"),
        ("baseUrl", "http://a/evo#s3cret", "must not carry a query or fragment"),
        ("baseUrl", "http://a/evo/../s3cret", "must not hold . or .. in its path"),
        ("url", "http://a", "extra inputs are not permitted"),
    ],
)
def test_a_server_with_a_wrong_field(field: str, value: object, reason: str) -> None:
    server = {"name": "a", "baseUrl": "http://a", "apiKey": "k", field: value}
    assert problems(EVOPROXY_SERVERS=json.dumps([server])) == [f"EVOPROXY_SERVERS[1].{field}: {reason}"]


@pytest.mark.parametrize("url", ["http://u:s3cret@a", "http://a?s3cret", "http://a/#s3cret", "http://a/./s3cret"])
def test_a_first_server_with_more_than_an_address(url: str) -> None:
    (line,) = problems(EVOLUTION_API_BASE_URL=url, GLOBAL_API_KEY="k")
    assert line.startswith("EVOLUTION_API_BASE_URL: must not ")
    assert "s3cret" not in line


def test_a_mistake_in_a_list_says_where() -> None:
    listed = json.dumps([{"name": "a", "baseUrl": "http://a", "apiKey": "k"}, {"name": "B!", "baseUrl": "http://b"}])
    found = problems(EVOPROXY_SERVERS=listed)
    assert [line.split(":")[0] for line in found] == ["EVOPROXY_SERVERS[2].name", "EVOPROXY_SERVERS[2].apiKey"]


def test_no_mistake_and_no_repr_shows_a_secret() -> None:
    secret = "s3cr3t-value"
    found = problems(
        REDIS_URL=f"http://u:{secret}@r",
        DATABASE_URL=f"x://u:{secret}@d",
        EVOPROXY_SERVERS=f'[{{"apiKey": "{secret}"',
        EVOLUTION_API_BASE_URL=f"http://u:{secret}@e",
        EVOPROXY_WEBHOOK_SECRET=f"{secret}/",
    )
    assert len(found) == 5
    assert secret not in "".join(found)
    kept = load({"REDIS_URL": f"redis://:{secret}@r", "EVOPROXY_ENCRYPTION_KEY": secret})
    assert secret not in repr(kept)


def test_several_encryption_keys() -> None:
    kept = load({"EVOPROXY_ENCRYPTION_KEY": " the new one,the-old-one "}).encryption_key
    assert [key.get_secret_value() for key in kept] == ["the new one", "the-old-one"]
    assert load({}).encryption_key == load({"EVOPROXY_ENCRYPTION_KEY": ""}).encryption_key == ()
    assert Settings(encryption_key=SecretStr("just this one")).encryption_key == (SecretStr("just this one"),)


@pytest.mark.parametrize(("keys", "place"), [("short", 1), ("long enough,", 2), ("long enough,1234567", 2), (",", 1)])
def test_an_encryption_key_that_is_none_is_refused(keys: str, place: int) -> None:
    first, *_ = problems(EVOPROXY_ENCRYPTION_KEY=keys)
    assert first.startswith(f"EVOPROXY_ENCRYPTION_KEY[{place}]: must ")
    assert "1234567" not in first


def test_no_traceback_shows_a_secret() -> None:
    secret = "s3cr3t-value"
    servers = [{"apiKey": secret, "name": "B!"}]
    with pytest.raises(SettingsError) as caught:
        load({"EVOPROXY_PORT": secret, "EVOPROXY_SERVERS": json.dumps(servers)})
    assert secret not in "".join(traceback.format_exception(caught.value))
    with pytest.raises(ValidationError) as direct:
        Settings.model_validate({"servers": servers})
    assert secret not in str(direct.value)


def test_the_table_names_every_setting_with_its_default() -> None:
    rows = {row.name: row for row in describe()}
    assert len(rows) == len(Settings.model_fields)
    assert rows["EVOPROXY_ROTATE_AFTER"].default == "3/300"
    assert rows["EVOPROXY_DATA_DIR"].default == "./data"
    assert rows["REDIS_URL"].default == "–"
    assert all(row.meaning for row in rows.values())
    shown = {row.name: row.default for row in rows.values() if row.default != "–"}
    assert load(shown) == load({})


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("HTTP://Evo.Example:80/", "http://evo.example"),
        ("https://evo.example.:443/Api//", "https://evo.example/Api"),
        ("http://evo.example:8080", "http://evo.example:8080"),
        ("http://[2001:DB8:0::1]:80/x", "http://[2001:db8::1]/x"),
        (" http://10.0.0.1 ", "http://10.0.0.1"),
    ],
)
def test_one_address_has_one_spelling(text: str, normal: str) -> None:
    assert normalise_url(text) == normal
    assert normalise_url(normal) == normal


@pytest.mark.parametrize(
    "text",
    [
        "",
        "evo.example",
        "ftp://x",
        "http://",
        "http://u:p@x",
        "http://x?",
        "http://x/#a",
        "http://x:0",
        "http://x:99999",
        "http://a b",
        "http://[::1",
        "http://a\\b",
        "http://x/..",
        "http://x/a/./b",
    ],
)
def test_what_is_no_base_url_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"must|is no|names no"):
        normalise_url(text)
