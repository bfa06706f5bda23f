"""The tables that people query (DESIGN.md, part 7), and the mirror's place in the stream."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
)
from sqlalchemy.dialects import mysql
from sqlalchemy.types import TypeEngine

from service.pool.models import NEVER

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MYSQL: dict[str, Any] = {  # names differ by case and accent here as they do in Redis
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_bin",
}


class Moment(TypeDecorator[int]):
    """A moment in UTC, exact to the millisecond; integer milliseconds in Python, as in the pool."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "mysql":
            return dialect.type_descriptor(mysql.DATETIME(fsp=3))  # a plain DATETIME rounds to seconds
        return super().load_dialect_impl(dialect)

    def process_bind_param(self, value: int | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        moment = _EPOCH + timedelta(milliseconds=min(value, NEVER))
        return moment if dialect.name == "postgresql" else moment.replace(tzinfo=None)

    def process_result_value(self, value: Any, dialect: Dialect) -> int | None:
        if value is None:
            return None
        return int((value.replace(tzinfo=UTC) - _EPOCH) / timedelta(milliseconds=1))


metadata = MetaData()

PROXIES = Table(
    "proxies_tables",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("protocol", String(10), nullable=False),
    Column("host", String(255), nullable=False),
    Column("port", Integer, nullable=False),
    Column("username", String(255), nullable=False),
    Column("password", Text, nullable=False, comment="as in Redis: empty, plain: or sealed: before it"),
    Column("fingerprint", String(64), nullable=False),
    Column("status", String(20), nullable=False),
    Column("is_used", Boolean, nullable=False),
    Column("is_active", Boolean, nullable=False),
    Column("assigned_instance_name", String(255)),
    Column("server", String(32)),
    Column("instance_id", String(255)),
    Column("phase", String(20)),
    Column("waits", String(20)),
    Column("applied", String(20)),
    Column("token", BigInteger),
    Column("group_name", String(255), nullable=False),
    Column("labels", JSON, nullable=False),
    Column("available_at", Moment),
    Column("expires_at", Moment),
    Column("quarantine_reason", String(255)),
    Column("disabled_reason", String(255)),
    Column("rev", BigInteger, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    Column("removed_at", Moment),
    Column("state", JSON, nullable=False, comment="all else that a restore needs, as in Redis"),
    Column("search_text", String(600), nullable=False, server_default="", comment="what a search looks in"),
    Index("ix_proxies_tables_server_instance_id", "server", "instance_id"),
    Index("ix_proxies_tables_status_available_at", "status", "available_at"),
    # All that a search looks at but the labels and the group, for which MySQL's indexes have no room:
    Index(
        "ix_proxies_tables_search",
        "status",
        "removed_at",
        "protocol",
        "server",
        "is_active",
        "expires_at",
        "search_text",
        "id",
    ),
    # One for each order in which people look at proxies:
    *(
        Index(f"ix_proxies_tables_{column}", column, "id")
        for column in (
            "assigned_instance_name",
            "created_at",
            "expires_at",
            "group_name",
            "host",
            "status",
            "updated_at",
        )
    ),
    **_MYSQL,
)
"""One row a proxy that the pool knows or has known (``removed_at``)."""

EVENTS = Table(
    "proxy_events",
    metadata,
    Column("epoch", BigInteger, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("number", BigInteger, nullable=False, comment="counts the rows in the order of the key"),
    Column("id", String(41), nullable=False, unique=True, comment="<epoch>-<seq>"),
    Column("type", String(64), nullable=False),
    Column("level", String(10), nullable=False),
    Column("at", Moment, nullable=False),
    Column("actor", String(255), nullable=False),
    Column("proxy", String(40)),
    Column("server", String(32)),
    Column("instance", String(255)),
    Column("name", String(255)),
    Column("token", String(64)),
    Column("reason", Text),
    Column("data", JSON, nullable=False, comment="what else its script said of it"),
    # Each question is one equality and then the order of the pages: by one number, because of how many rows lie before
    # an (epoch, seq) PostgreSQL has no idea while all are of one epoch.
    Index("ix_proxy_events_number", "number"),
    Index("ix_proxy_events_instance", "instance", "number"),
    Index("ix_proxy_events_name", "name", "number"),
    Index("ix_proxy_events_proxy", "proxy", "number"),
    Index("ix_proxy_events_actor", "actor", "number"),
    Index("ix_proxy_events_type", "type", "number"),
    Index("ix_proxy_events_level", "level", "number"),
    Index("ix_proxy_events_at", "at"),
    **_MYSQL,
)
"""One row an event, in the order of ``(epoch, seq)``; never changed."""

LEDGER = Table(
    "proxy_ledger",
    metadata,
    Column("proxy", String(40), primary_key=True),
    Column("token", BigInteger, primary_key=True, autoincrement=False, comment="of its first event: in time's order"),
    Column("server", String(32), nullable=False),
    Column("instance", String(255), nullable=False, comment="~<reservation> until an instance fulfils it"),
    Column("name", String(255)),
    Column("began_at", Moment, nullable=False),
    Column("began", String(64), comment="type of the event; null: it was lost"),
    Column("began_actor", String(255)),
    Column("began_reason", Text),
    Column("chosen", String(20)),
    Column("active_at", Moment),
    Column("applied_at", Moment),
    Column("release_actor", String(255), comment="who began the release, which may still be called off"),
    Column("release_reason", Text),
    Column("ended_at", Moment),
    Column("ended", String(64), comment="type of the event; null beside ended_at: it was lost"),
    Column("evidence", String(20)),
    Index("ix_proxy_ledger_instance", "instance", "token", "proxy"),
    Index("ix_proxy_ledger_name", "name", "token", "proxy"),
    Index("ix_proxy_ledger_ended_at", "ended_at", "proxy"),
    **_MYSQL,
)
"""One row a time for which a holder had a proxy, whatever became of its lease meanwhile."""

STATS = Table(
    "pool_stats",
    metadata,
    Column("span", Integer, primary_key=True, autoincrement=False, comment="seconds that the row stands for"),
    Column("at", Moment, primary_key=True),
    *(Column(name, Integer, nullable=False) for name in ("total", "used", "available")),
    Column("utilization", Float, nullable=False),
    *(
        Column(name, Integer, nullable=False)
        for name in (
            "cooling",
            "quarantined",
            "disabled",
            "reserved",
            "releasing",
            "stuck",
            "external",
            "unprotected",
            "not_applied",
            "reservations",
            "instances",
            "events",
        )
    ),
    Column("mirror_lag", Float),
    Column("data", JSON, nullable=False, comment="figures of states, groups and servers"),
    **_MYSQL,
)
"""One row a snapshot."""

POSITION = Table(
    "mirror_position",
    metadata,
    Column("pool", String(64), primary_key=True),
    Column("epoch", BigInteger, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("batches", BigInteger, nullable=False),
    Column("compare_due_at", Moment),
    Column("compared_at", Moment),
    **_MYSQL,
)
"""One row: the last event that these tables hold. Whoever writes here or in PROXIES holds its lock."""
