"""Proxies can be searched and sorted. What a search looks in is filled by a full comparison, which becomes due."""

from __future__ import annotations

import time

import sqlalchemy as sa
from alembic import op

from service.mirror.schema import Moment

revision = "2"
down_revision = "1"

_SORTED_BY = (
    "assigned_instance_name",
    "created_at",
    "expires_at",
    "group_name",
    "host",
    "status",
    "updated_at",
)


def upgrade() -> None:
    text = sa.Column("search_text", sa.String(600), nullable=False, server_default="", comment="what a search looks in")
    op.add_column("proxies_tables", text)
    op.create_index("ix_proxies_tables_search_text", "proxies_tables", ["search_text", "removed_at", "id"])
    for column in _SORTED_BY:
        op.create_index(f"ix_proxies_tables_{column}", "proxies_tables", [column, "id"])
    position = sa.table("mirror_position", sa.column("compare_due_at", Moment))
    op.execute(position.update().values(compare_due_at=round(time.time() * 1000)))
