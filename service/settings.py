"""The settings of one evoproxy: read once, checked together, never changed.

A name here in lower case is the environment's without ``EVOPROXY_``. :func:`describe` makes the table that
``evoproxy serve --help`` and the README show, so the words below are the operators' documentation.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

from dotenv import dotenv_values
from pydantic import BeforeValidator, Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from service.errors import SettingsError
from service.setting_types import (
    BaseUrl,
    DatabaseUrl,
    EncryptionKeys,
    GroupRule,
    HeaderSecret,
    Interval,
    Names,
    PathSecret,
    RedisUrl,
    RotateAfter,
    Seconds,
    ServerSettings,
    SigningSecret,
    from_ratio,
    listed_json,
)

__all__ = ["GroupRule", "RotateAfter", "ServerSettings", "SettingRow", "Settings", "describe", "load"]

_PREFIX = "EVOPROXY_"
_UNPREFIXED = {"evolution_api_base_url", "global_api_key", "redis_url", "database_url"}


def _variable(field: str) -> str:
    return field.upper() if field in _UNPREFIXED else _PREFIX + field.upper()


class Settings(BaseSettings):
    """What :func:`load` made of the environment. Constructed directly it reads nothing but its arguments.

    Secrets are ``SecretStr``; so are the two store URLs, which may carry passwords. Durations are seconds.
    """

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=_variable,
        validate_by_name=True,
        validate_default=True,
        hide_input_in_errors=True,
    )

    evolution_api_base_url: BaseUrl | None = Field(None, description="base URL of the first server, named `default`")
    global_api_key: HeaderSecret | None = Field(None, description="its global API key")
    servers: Annotated[tuple[ServerSettings, ...], BeforeValidator(listed_json)] = Field(
        (), description="JSON list of `{name, baseUrl, apiKey}` for more servers"
    )
    mode: Literal["manage", "observe"] = Field(
        "manage", description="`observe`: look, plan and show, but write nothing to the Evolution API"
    )
    include: Names = Field(
        (), description="name patterns (`*` `?` `[abc]`, comma-separated or JSON) of the managed instances; none: all"
    )
    exclude: Names = Field((), description="name patterns of instances to leave alone; wins over EVOPROXY_INCLUDE")
    integrations: Annotated[Names, Field(min_length=1)] = Field(
        ("WHATSAPP-BAILEYS",), description="which integrations are managed"
    )
    group_rules: Annotated[tuple[GroupRule, ...], BeforeValidator(listed_json)] = Field(
        (),
        description="JSON list of `{server?, name?, phonePrefix?, group, strict}`: whose instances get which group's"
        " proxies; the first match wins",
    )
    pool: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")] = Field(
        "default", description="name of the pool: letters, digits, `_` and `-`"
    )
    redis_url: RedisUrl | None = Field(
        None, description="`redis://` `rediss://` `unix://`; none: a private redis-server in the data dir"
    )
    database_url: DatabaseUrl | None = Field(
        None, description="`postgresql://` `mysql://` `sqlite:///path`; none: SQLite in the data dir"
    )
    data_dir: Path = Field(Path("data"), description="where evoproxy keeps files of its own")
    host: Annotated[str, Field(min_length=1)] = Field("127.0.0.1", description="address to listen on")
    port: Annotated[int, Field(ge=0, le=65535)] = Field(8080, description="port to listen on; 0: any free one")
    superadmin_token: HeaderSecret | None = Field(
        None,
        description="token of the superadmin; none: made at the first start, shown once on a terminal, else written to"
        " a 0600 file in the data dir",
    )
    jwt_secret: SigningSecret | None = Field(
        None, description="HS256 secret of an application's JWTs with a `role` claim"
    )
    jwks_url: Annotated[str, Field(pattern="^https?://")] | None = Field(
        None, description="JWKS that verifies an application's JWTs"
    )
    jwt_audience: str | None = Field(None, description="audience that a JWT must name")
    jwt_issuer: str | None = Field(None, description="issuer that a JWT must name")
    webhook_secret: PathSecret | None = Field(
        None, description="secret of the webhook routes; without it they refuse everything"
    )
    encryption_key: EncryptionKeys = Field(
        (),
        description="encrypts proxy passwords at rest, in Redis and SQL; several, comma-separated: the first encrypts,"
        " the others still open what they encrypted, until `evoproxy rotate-key`",
    )
    poll_interval: Interval = Field(30, description="seconds between two looks at a server")
    snapshot_interval: Interval = Field(60, description="seconds between two rows of `pool_stats`")
    release_grace: Seconds = Field(60, description="seconds a disconnected instance keeps its proxy")
    cooldown: Seconds = Field(0, description="seconds a released proxy rests before it is given again")
    ban_rest: Seconds = Field(86_400, description="seconds it rests after its instance was banned (402, 403, 406)")
    orphan_rest: Seconds = Field(900, description="seconds it rests after its instance was deleted")
    set_settle: Seconds = Field(
        900, description="seconds it is quarantined after a setting whose outcome nobody could learn"
    )
    return_memory: Seconds = Field(
        604_800, description="seconds within which a number that comes back gets the same proxy"
    )
    assign_on: Literal["open", "connecting", "created"] = Field(
        "open",
        description="the state in which an instance gets its proxy; with `open` a new number pairs from the server's"
        " own address",
    )
    apply: Literal["restart", "next-connect"] = Field(
        "restart", description="how an open instance takes up its proxy: by a restart, or when it next connects"
    )
    restart_rate: Annotated[float, Field(ge=0.001, allow_inf_nan=False)] = Field(
        1, description="restarts a second, per server"
    )
    restart_burst: Annotated[int, Field(ge=1)] = Field(5, description="restarts at once, per server")
    sets_in_flight: Annotated[int, Field(ge=1, le=256)] = Field(8, description="settings at once, per server")
    rotate_after: Annotated[RotateAfter, BeforeValidator(from_ratio)] = Field(
        RotateAfter(signs=3, seconds=300),
        description="signs of a dead proxy / seconds within which they count, before it is replaced",
    )
    rotations_per_day: Annotated[int, Field(ge=0)] = Field(
        3, description="replacements a day per instance; 0: no automatic one"
    )
    events_max: Annotated[int, Field(ge=1, le=1_000_000_000)] = Field(
        1_000_000, description="events kept in Redis; the oldest go first"
    )
    locale: Literal["pt-BR", "en"] = Field("pt-BR", description="language of messages: `pt-BR` or `en`")
    log_format: Literal["console", "json"] = Field("console", description="`console` or `json`, one line an entry")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only arguments, so that nothing reads the process' environment behind :func:`load`."""
        return (init_settings,)

    @field_validator("global_api_key")
    @classmethod
    def _goes_with_its_server(cls, key: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if "evolution_api_base_url" in info.data and (key is None) != (info.data["evolution_api_base_url"] is None):
            raise ValueError("must be set together with EVOLUTION_API_BASE_URL")
        return key

    @field_validator("servers")
    @classmethod
    def _merged(cls, listed: tuple[ServerSettings, ...], info: ValidationInfo) -> tuple[ServerSettings, ...]:
        """The first server in front; names and URLs unique."""
        url, key = info.data.get("evolution_api_base_url"), info.data.get("global_api_key")
        first = (ServerSettings(name="default", base_url=url, api_key=key),) if url and key else ()
        servers = first + listed
        for what, values in (
            ("name", [server.name for server in servers]),
            ("URL", [server.base_url for server in servers]),
        ):
            if repeated := sorted({value for value in values if values.count(value) > 1}):
                hint = " (EVOLUTION_API_BASE_URL is the server `default`)" if first else ""
                raise ValueError(f"the {what} {', '.join(repeated)} is given more than once{hint}")
        return servers


def load(env: Mapping[str, str], dotenv: Path | None = None) -> Settings:
    """The settings that ``env`` and the file ``dotenv`` (where it exists) give; ``env`` wins, empty means unset.

    Raises :class:`~service.errors.SettingsError`, whose ``problems`` hold one line a mistake, each beginning with
    the name of its setting and none quoting a value. Unknown ``EVOPROXY_`` names are mistakes; other names are not
    ours.
    """
    written = dotenv_values(dotenv, interpolate=False) if dotenv and dotenv.is_file() else {}
    known = {_variable(field) for field in Settings.model_fields}
    values = {
        name: value
        for name, value in {**written, **env}.items()
        if (value if name in known else name.startswith(_PREFIX))
    }
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        problems = [_problem(details, known) for details in error.errors(include_url=False, include_input=False)]
        raise SettingsError(problems=problems) from None


def _problem(details: ErrorDetails, known: set[str]) -> str:
    field, *path = details["loc"]
    name = _variable(str(field)) if field in Settings.model_fields else str(field)  # a default's place is the field
    if details["type"] == "extra_forbidden" and not path:
        close = difflib.get_close_matches(name, known, n=1)
        return f"{name}: unknown setting" + (f"; did you mean {close[0]}?" if close else "")
    where = "".join(f"[{step + 1}]" if isinstance(step, int) else f".{step}" for step in path)
    reason = details["msg"].removeprefix("Value error, ")
    if details["type"] == "model_type":
        reason = "must be a JSON object"  # pydantic would name the class
    return f"{name}{where}: {reason[:1].lower()}{reason[1:]}"


class SettingRow(NamedTuple):
    """One line of the settings' table; ``default`` is ``–`` for none."""

    name: str
    default: str
    meaning: str


def describe() -> list[SettingRow]:
    """Every setting in the order of the documentation."""
    return [
        SettingRow(_variable(field), _shown(info.default), info.description or "")
        for field, info in Settings.model_fields.items()
    ]


def _shown(default: Any) -> str:
    if isinstance(default, tuple):
        return ",".join(default) or "–"
    if isinstance(default, Path):
        return f"./{default}"
    return "–" if default is None else str(default)
