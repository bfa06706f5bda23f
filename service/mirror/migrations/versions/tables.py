"""The first tables.

A step says what it did then: it does not follow schema.py, except for how a moment is stored.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from service.mirror.schema import Moment

revision = "1"
down_revision = None

_MYSQL: dict[str, Any] = {
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_bin",
}
_FIGURES = (
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


def upgrade() -> None:
    op.create_table(
        "mirror_position",
        sa.Column("pool", sa.String(64), primary_key=True),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("batches", sa.BigInteger, nullable=False),
        sa.Column("compare_due_at", Moment),
        sa.Column("compared_at", Moment),
        **_MYSQL,
    )
    op.create_table(
        "proxies_tables",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("protocol", sa.String(10), nullable=False),
        sa.Column("host", sa.String(255), nullable=False),
        sa.Column("port", sa.Integer, nullable=False),
        sa.Column("username", sa.String(255), nullable=False),
        sa.Column("password", sa.Text, nullable=False, comment="as in Redis: empty, plain: or sealed: before it"),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("is_used", sa.Boolean, nullable=False),
        sa.Column("is_active", sa.Boolean, nullable=False),
        sa.Column("assigned_instance_name", sa.String(255)),
        sa.Column("server", sa.String(32)),
        sa.Column("instance_id", sa.String(255)),
        sa.Column("phase", sa.String(20)),
        sa.Column("waits", sa.String(20)),
        sa.Column("applied", sa.String(20)),
        sa.Column("token", sa.BigInteger),
        sa.Column("group_name", sa.String(255), nullable=False),
        sa.Column("labels", sa.JSON, nullable=False),
        sa.Column("available_at", Moment),
        sa.Column("expires_at", Moment),
        sa.Column("quarantine_reason", sa.String(255)),
        sa.Column("disabled_reason", sa.String(255)),
        sa.Column("rev", sa.BigInteger, nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("updated_at", Moment, nullable=False),
        sa.Column("removed_at", Moment),
        sa.Column("state", sa.JSON, nullable=False, comment="all else that a restore needs, as in Redis"),
        **_MYSQL,
    )
    op.create_index("ix_proxies_tables_server_instance_id", "proxies_tables", ["server", "instance_id"])
    op.create_index("ix_proxies_tables_status_available_at", "proxies_tables", ["status", "available_at"])
    op.create_table(
        "proxy_events",
        sa.Column("epoch", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("number", sa.BigInteger, nullable=False, comment="counts the rows in the order of the key"),
        sa.Column("id", sa.String(41), nullable=False, unique=True, comment="<epoch>-<seq>"),
        sa.Column("type", sa.String(64), nullable=False),
        sa.Column("level", sa.String(10), nullable=False),
        sa.Column("at", Moment, nullable=False),
        sa.Column("actor", sa.String(255), nullable=False),
        sa.Column("proxy", sa.String(40)),
        sa.Column("server", sa.String(32)),
        sa.Column("instance", sa.String(255)),
        sa.Column("name", sa.String(255)),
        sa.Column("token", sa.String(64)),
        sa.Column("reason", sa.Text),
        sa.Column("data", sa.JSON, nullable=False, comment="what else its script said of it"),
        **_MYSQL,
    )
    for column in ("actor", "instance", "level", "name", "proxy", "type"):
        op.create_index(f"ix_proxy_events_{column}", "proxy_events", [column, "number"])
    op.create_index("ix_proxy_events_number", "proxy_events", ["number"])
    op.create_index("ix_proxy_events_at", "proxy_events", ["at"])
    op.create_table(
        "proxy_ledger",
        sa.Column("proxy", sa.String(40), primary_key=True),
        sa.Column(
            "token", sa.BigInteger, primary_key=True, autoincrement=False, comment="of its first event: in time's order"
        ),
        sa.Column("server", sa.String(32), nullable=False),
        sa.Column("instance", sa.String(255), nullable=False, comment="~<reservation> until an instance fulfils it"),
        sa.Column("name", sa.String(255)),
        sa.Column("began_at", Moment, nullable=False),
        sa.Column("began", sa.String(64), comment="type of the event; null: it was lost"),
        sa.Column("began_actor", sa.String(255)),
        sa.Column("began_reason", sa.Text),
        sa.Column("chosen", sa.String(20)),
        sa.Column("active_at", Moment),
        sa.Column("applied_at", Moment),
        sa.Column("release_actor", sa.String(255), comment="who began the release, which may still be called off"),
        sa.Column("release_reason", sa.Text),
        sa.Column("ended_at", Moment),
        sa.Column("ended", sa.String(64), comment="type of the event; null beside ended_at: it was lost"),
        sa.Column("evidence", sa.String(20)),
        **_MYSQL,
    )
    for column in ("instance", "name"):
        op.create_index(f"ix_proxy_ledger_{column}", "proxy_ledger", [column, "token", "proxy"])
    op.create_index("ix_proxy_ledger_ended_at", "proxy_ledger", ["ended_at", "proxy"])
    op.create_table(
        "pool_stats",
        sa.Column("span", sa.Integer, primary_key=True, autoincrement=False, comment="seconds that the row stands for"),
        sa.Column("at", Moment, primary_key=True),
        *(sa.Column(name, sa.Integer, nullable=False) for name in ("total", "used", "available")),
        sa.Column("utilization", sa.Float, nullable=False),
        *(sa.Column(name, sa.Integer, nullable=False) for name in _FIGURES),
        sa.Column("mirror_lag", sa.Float),
        sa.Column("data", sa.JSON, nullable=False, comment="figures of states, groups and servers"),
        **_MYSQL,
    )
