"""One index holds all that a search looks at, its filters too."""

from __future__ import annotations

from alembic import op

revision = "3"
down_revision = "2"

_LOOKED_AT = ["status", "removed_at", "protocol", "server", "is_active", "expires_at", "search_text", "id"]


def upgrade() -> None:
    op.create_index("ix_proxies_tables_search", "proxies_tables", _LOOKED_AT)
    op.drop_index("ix_proxies_tables_search_text", "proxies_tables")
